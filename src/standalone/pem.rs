//! A session as PEM in a stream of the C library, for a process without libcrypto. (With it, its
//! own PEM functions do this, and encrypted texts and BIOs too.)
//!
//! What is read is what libcrypto reads, neither more nor less:
//! - An object begins with a line `-----BEGIN LABEL-----` and ends with `-----END LABEL-----`, but
//!   for blanks at their ends. What comes before is passed over, an object with another label too,
//!   if it is whole.
//! - Up to the first blank line everything may be a header. If there is none, and no colon either,
//!   it was the data. A session with a header is refused: only encrypted ones have one.
//! - After a blank line each line of the data but the last has 64 characters; without one a line is
//!   as long as it likes.
//! - Base64 may have blanks anywhere, and ends at its padding or at a `-`.

use std::ffi::{CStr, c_char, c_int};

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use crate::ffi::guard::guard;
use crate::ffi::memory::{self, NoMemory};
use crate::ffi::streams::{fgets, fwrite};
use crate::ffi::types::FILE;

/// The label of a session.
pub const LABEL: &CStr = c"SSL SESSION PARAMETERS";

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Characters of base64 in a line, and the bytes they stand for.
const LINE: usize = 64;
const BYTES: usize = LINE / 4 * 3;

// --------------------------------------------------------------------------------- writing

/// Writes DER as PEM. Returns `false` if the stream does not take it all.
///
/// # Safety
/// `to` is an open stream.
pub unsafe fn write(to: *mut FILE, der: &[u8]) -> bool {
    let put = |text: &[u8]| {
        // SAFETY: the caller's promise; the text's own length.
        unsafe { fwrite(text.as_ptr().cast(), 1, text.len(), to) == text.len() }
    };
    let put_border = |begin| put(begin) && put(LABEL.to_bytes()) && put(DASHES) && put(b"\n");
    let mut line = Zeroizing::new([0; LINE]);
    let mut put_line = |bytes: &[u8]| {
        let text = guard(None, || Base64::encode(bytes, &mut *line).ok());
        text.is_some_and(|text| put(text.as_bytes()) && put(b"\n"))
    };
    put_border(BEGIN) && der.chunks(BYTES).all(&mut put_line) && put_border(END)
}

// --------------------------------------------------------------------------------- reading

/// The DER of the next session in a stream, which is then behind it; `None` if there is none, if
/// what there is cannot be read, or for want of memory.
///
/// # Safety
/// `from` is an open stream.
pub unsafe fn read(from: *mut FILE) -> Option<Zeroizing<Vec<u8>>> {
    let mut lines = Lines { from, piece: Zeroizing::new([0; PIECE + 1]) };
    let mut label = [0; PIECE];
    loop {
        // SAFETY: the caller's promise.
        let length = unsafe { lines.begin(&mut label) }?;
        let label = &label[..length];
        let mut object = Object::new();
        // SAFETY: the caller's promise.
        unsafe { lines.object(label, &mut object) }?;
        let der = guard(None, || object.finish())?;
        if label == LABEL.to_bytes() {
            return (!object.has_header).then_some(der);
        }
    }
}

/// A longer line is read in pieces of this size, each of which then counts as a line.
const PIECE: usize = 254;

/// The lines of a stream.
struct Lines {
    from: *mut FILE,
    /// The present one, and a NUL.
    piece: Zeroizing<[u8; PIECE + 1]>,
}

/// A line, or a piece of one.
struct Line<'a> {
    /// Without the blanks at its end.
    text: &'a [u8],
    /// More of it follows.
    is_partial: bool,
}

impl Lines {
    /// The next line; `None` at the end of the stream, and at a NUL.
    ///
    /// # Safety
    /// The stream is open.
    unsafe fn next(&mut self) -> Option<Line<'_>> {
        let room = self.piece.len() as c_int;
        // SAFETY: the caller's promise; the buffer has this room.
        let read = unsafe { fgets(self.piece.as_mut_ptr().cast(), room, self.from) };
        let piece = CStr::from_bytes_until_nul(&*self.piece).ok()?.to_bytes();
        if read.is_null() || piece.is_empty() {
            return None;
        }
        let length = piece.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
        let is_partial = piece.len() == PIECE && !piece.ends_with(b"\n");
        Some(Line { text: &piece[..length], is_partial })
    }

    /// Goes on to the first line of an object, and puts its label into `label`. Returns its length.
    ///
    /// # Safety
    /// The stream is open.
    unsafe fn begin(&mut self, label: &mut [u8; PIECE]) -> Option<usize> {
        let mut byte_order_mark: &[u8] = "\u{feff}".as_bytes();
        loop {
            // SAFETY: the caller's promise.
            let text = unsafe { self.next() }?.text;
            let text = text.strip_prefix(std::mem::take(&mut byte_order_mark)).unwrap_or(text);
            let named = text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
            if let Some(name) = named {
                label[..name.len()].copy_from_slice(name);
                return Some(name.len());
            }
        }
    }

    /// Reads an object with this label, up to its last line, into `object`: what is moved would
    /// leave a copy behind.
    ///
    /// # Safety
    /// The stream is open.
    unsafe fn object(&mut self, label: &[u8], object: &mut Object) -> Option<()> {
        let mut is_within_line = false;
        loop {
            // SAFETY: the caller's promise.
            let line = unsafe { self.next() }?;
            let is_rest = std::mem::replace(&mut is_within_line, line.is_partial);
            if let Some(rest) = line.text.strip_prefix(END) {
                object.see_colon(line.text);
                return (rest.strip_suffix(DASHES) == Some(label)).then_some(());
            }
            guard(None, || object.take(line.text, is_rest))?;
        }
    }
}

/// Whether libcrypto takes a byte at the end of a line for a blank: it compares characters, which C
/// may have signed.
fn is_blank(byte: u8) -> bool {
    byte as c_char <= b' ' as c_char
}

/// What may be a header.
#[derive(PartialEq)]
enum Before {
    /// All so far, or else it is data.
    Unknown,
    /// All up to the blank line that must come.
    Header,
    /// A blank line ended it: the rest is data.
    Data,
}

/// What lies between two borders.
struct Object {
    before: Before,
    has_header: bool,
    /// A line that is not full is the last one.
    is_last: bool,
    lines: usize,
    data: Decoder,
}

impl Object {
    fn new() -> Self {
        let before = Before::Unknown;
        Object { before, has_header: false, is_last: false, lines: 0, data: Decoder::new() }
    }

    /// Takes a line, or the rest of one; `None` if it is no PEM with it.
    fn take(&mut self, text: &[u8], is_rest: bool) -> Option<()> {
        self.see_colon(text);
        match text {
            [] if is_rest => Some(()),
            [] => self.blank_line(),
            text => self.line(text),
        }
    }

    fn see_colon(&mut self, text: &[u8]) {
        if self.before == Before::Unknown && text.contains(&b':') {
            self.before = Before::Header;
        }
    }

    fn blank_line(&mut self) -> Option<()> {
        if self.before == Before::Data {
            return None;
        }
        self.before = Before::Data;
        self.has_header = self.lines > 0;
        self.data = Decoder::new();
        Some(())
    }

    fn line(&mut self, text: &[u8]) -> Option<()> {
        if self.is_last || self.before == Before::Data && text.len() > LINE {
            return None;
        }
        self.is_last = self.before == Before::Data && text.len() < LINE;
        self.lines += 1;
        self.data.read(text);
        Some(())
    }

    /// What it says. A header without a blank line behind it was all there is.
    fn finish(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        if self.before == Before::Header { None } else { self.data.finish() }
    }
}

/// Decodes base64 bit by bit.
struct Decoder {
    der: Zeroizing<Vec<u8>>,
    /// Characters that are not decoded yet.
    block: Zeroizing<[u8; LINE]>,
    filled: usize,
    padding: usize,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Reading,
    /// Behind a `-` nothing is looked at.
    Over,
    /// It is no base64, or there was no memory.
    Broken,
}

impl Decoder {
    fn new() -> Self {
        Decoder {
            der: Zeroizing::default(),
            block: Zeroizing::new([0; LINE]),
            filled: 0,
            padding: 0,
            state: State::Reading,
        }
    }

    /// Takes a line. What is wrong with it shows at the end: all of an object is read in any case.
    fn read(&mut self, text: &[u8]) {
        for &byte in text {
            match byte {
                _ if self.state != State::Reading => return,
                b' ' | b'\t' | b'\r' => {}
                b'-' => self.state = State::Over,
                b'=' if self.padding < 2 => {
                    self.padding += 1;
                    // It stands for bits that are cut off.
                    self.push(b'A');
                }
                _ if self.padding > 0 => self.state = State::Broken,
                _ => self.push(byte),
            }
        }
    }

    fn push(&mut self, character: u8) {
        self.block[self.filled] = character;
        self.filled += 1;
        if self.filled == LINE && self.decode_block().is_none() {
            self.state = State::Broken;
        }
    }

    fn decode_block(&mut self) -> Option<()> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let block = &self.block[..std::mem::take(&mut self.filled)];
        let bytes = Base64Unpadded::decode(block, &mut *bytes).ok()?;
        append(&mut self.der, bytes).ok()
    }

    /// The bytes; `None` if they are none.
    fn finish(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        if self.state == State::Broken || self.filled % 4 != 0 {
            return None;
        }
        self.decode_block()?;
        let length = self.der.len().checked_sub(self.padding)?;
        self.der.truncate(length);
        (length > 0).then(|| std::mem::take(&mut self.der))
    }
}

/// Appends. When the buffer grows it leaves no copy of what was in it behind.
fn append(to: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) -> Result<(), NoMemory> {
    if to.capacity() - to.len() < bytes.len() {
        let mut larger = Zeroizing::new(Vec::new());
        larger.try_reserve_exact(2 * to.capacity() + 1024)?;
        memory::append(&mut larger, to)?;
        *to = larger;
    }
    memory::append(to, bytes)
}
