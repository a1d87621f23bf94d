//! A session as DER: what `i2d_SSL_SESSION` writes and `d2i_SSL_SESSION` reads.
//!
//! The structure is OpenSSL's, element for element, so that either library reads what the other
//! wrote. Only DER is read, where OpenSSL's decoder also takes other forms of BER that no encoder
//! of sessions writes (indefinite lengths, lengths longer than need be, strings in pieces). An
//! INTEGER of no bytes, which old encoders did write, is 0 as there; what follows the SEQUENCE is
//! left alone.

use ::der::asn1::{AnyRef, ContextSpecific, ContextSpecificRef, OctetStringRef};
use ::der::{
    Decode, DecodeValue, Encode, EncodeValue, ErrorKind, FixedTag, Header, Length, Reader,
    SliceReader, Tag, TagMode, TagNumber, Tagged, Writer,
};
use libc::{c_int, c_long};
use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::peer::Peer;
use super::values::{Id, Values};
use crate::clock;
use crate::ffi::constants::*;
use crate::ffi::guard::guard;
use crate::ffi::memory::{Counted, NoMemory, OwnedCStr, copied, zeroed};
use crate::ffi::types::X509;
use crate::rules::Held;

/// The version of the structure itself.
const VERSION: u32 = 1;

/// The timeout of a session that was written without one.
const TIMEOUT_WHEN_ABSENT: i64 = 3;

/// Why some bytes are not a session, as OpenSSL reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Not this ASN.1 structure: the reasons that are queued for the ASN1 library, in their order.
    Asn1(&'static [c_int]),
    /// The right structure with a wrong value: the reason that is queued for libssl.
    Value(c_int),
    /// The same, of which OpenSSL's queue says nothing.
    Silently,
}

impl From<NoMemory> for Refused {
    fn from(_: NoMemory) -> Self {
        Refused::Asn1(&[ERR_R_MALLOC_FAILURE, ERR_R_NESTED_ASN1_ERROR])
    }
}

impl From<::der::Error> for Refused {
    fn from(error: ::der::Error) -> Self {
        use ErrorKind::*;
        Refused::Asn1(match error.kind() {
            Incomplete { .. } => {
                &[ASN1_R_TOO_LONG, ASN1_R_BAD_OBJECT_HEADER, ERR_R_NESTED_ASN1_ERROR]
            }
            TrailingData { .. } => &[ASN1_R_EXPLICIT_LENGTH_MISMATCH],
            Noncanonical { .. } | Length { .. } => {
                &[ASN1_R_ILLEGAL_PADDING, ERR_R_NESTED_ASN1_ERROR]
            }
            _ => &[ASN1_R_WRONG_TAG, ERR_R_NESTED_ASN1_ERROR],
        })
    }
}

/// The session at the start of `input`, and how many bytes of it that took. libcrypto makes the
/// peers, and calls the new functions of their ex_data: what is read without it is guarded here.
pub fn decode(input: &[u8]) -> Result<(Values, usize), Refused> {
    if input.is_empty() {
        return Err(Refused::Asn1(&[ASN1_R_TOO_SMALL]));
    }
    let (fields, taken) = guard(Err(Refused::Silently), || Fields::first(input))?;
    let peer = fields.peer.map(certificate).transpose()?.map(Held::new);
    match guard(Err(Refused::Silently), || fields.values())
        .and_then(|values| fields.with_rpk(values))
    {
        Ok(mut values) => {
            values.peer = peer.map(Held::into_inner);
            Ok((values, taken))
        }
        Err(refused) => {
            let _ = peer.map(Held::release);
            Err(refused)
        }
    }
}

/// The session's DER; `None` if it never had a cipher suite.
pub fn encode(values: &Values) -> Result<Option<Zeroizing<Vec<u8>>>, NoMemory> {
    let cipher = match values.cipher.cipher() {
        Some(cipher) => cipher.number,
        None if values.cipher_id != 0 => values.cipher_id as u16,
        None => return Ok(None),
    };
    element(&Fields::of(values, &cipher.to_be_bytes()))
}

/// The whole element in one allocation, so no copy of the master key is left behind. `None` if it
/// is longer than one can be.
fn element(value: &impl Encode) -> Result<Option<Zeroizing<Vec<u8>>>, NoMemory> {
    let Some(len) = value.encoded_len().ok().and_then(|len| usize::try_from(len).ok()) else {
        return Ok(None);
    };
    let mut der = Zeroizing::new(zeroed(len)?);
    let written = value.encode_to_slice(&mut der).is_ok_and(|written| written.len() == len);
    Ok(written.then_some(der))
}

fn certificate(certificate: AnyRef<'_>) -> Result<Counted<Peer<X509>>, Refused> {
    const REFUSED: Refused = Refused::Asn1(&[ERR_R_NESTED_ASN1_ERROR, ERR_R_NESTED_ASN1_ERROR]);
    certificate.tag().assert_eq(Tag::Sequence)?;
    let der = element(&certificate)?.ok_or(REFUSED)?;
    Peer::from_der(&der)?.ok_or(REFUSED)
}

/// An INTEGER that may have no bytes at all, and then is 0.
struct Int<T>(T);

impl<T> FixedTag for Int<T> {
    const TAG: Tag = Tag::Integer;
}

impl<'a, T: DecodeValue<'a, Error = ::der::Error> + Default> DecodeValue<'a> for Int<T> {
    type Error = ::der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> ::der::Result<Self> {
        if header.length().is_zero() {
            return Ok(Int(T::default()));
        }
        T::decode_value(reader, header).map(Int)
    }
}

impl<T: EncodeValue> EncodeValue for Int<T> {
    fn value_len(&self) -> ::der::Result<Length> {
        self.0.value_len()
    }

    fn encode_value(&self, writer: &mut impl Writer) -> ::der::Result<()> {
        self.0.encode_value(writer)
    }
}

/// The elements of the SEQUENCE. An integer that may be absent is 0 then.
struct Fields<'a> {
    version: u32,
    ssl_version: i32,
    cipher: &'a [u8],
    session_id: &'a [u8],
    master_key: &'a [u8],
    time: i64,
    timeout: i64,
    peer: Option<AnyRef<'a>>,
    session_id_context: Option<&'a [u8]>,
    verify_result: i32,
    hostname: Option<&'a [u8]>,
    psk_identity_hint: Option<&'a [u8]>,
    psk_identity: Option<&'a [u8]>,
    ticket_lifetime_hint: u64,
    ticket: Option<&'a [u8]>,
    compression: Option<&'a [u8]>,
    srp_username: Option<&'a [u8]>,
    flags: u64,
    ticket_age_add: u32,
    max_early_data: u32,
    alpn_selected: Option<&'a [u8]>,
    max_fragment_len_mode: u32,
    ticket_appdata: Option<&'a [u8]>,
    kex_group: Option<u32>,
    peer_rpk: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Those at the start of `input`, and how many bytes of it that took.
    fn first(input: &'a [u8]) -> Result<(Self, usize), Refused> {
        let mut reader = SliceReader::new(input)?;
        let fields = reader.sequence(Fields::decode)?;
        Ok((fields, usize::try_from(reader.position())?))
    }

    fn decode(r: &mut SliceReader<'a>) -> Result<Self, Refused> {
        let (version, ssl_version) = (required::<Int<_>>(r)?.0, required::<Int<_>>(r)?.0);
        let cipher = required::<&OctetStringRef>(r)?.as_bytes();
        let session_id = required::<&OctetStringRef>(r)?.as_bytes();
        let master_key = required::<&OctetStringRef>(r)?.as_bytes();
        // Key material of SSL 2. Nobody has written it for decades.
        ContextSpecific::<&OctetStringRef>::decode_implicit(r, TagNumber(0))?;
        let fields = Fields {
            version,
            ssl_version,
            cipher,
            session_id,
            master_key,
            time: number(r, 1)?,
            timeout: number(r, 2)?,
            peer: explicit(r, 3)?,
            session_id_context: octets(r, 4)?,
            verify_result: number(r, 5)?,
            hostname: octets(r, 6)?,
            psk_identity_hint: octets(r, 7)?,
            psk_identity: octets(r, 8)?,
            ticket_lifetime_hint: number(r, 9)?,
            ticket: octets(r, 10)?,
            compression: octets(r, 11)?,
            srp_username: octets(r, 12)?,
            flags: number(r, 13)?,
            ticket_age_add: number(r, 14)?,
            max_early_data: number(r, 15)?,
            alpn_selected: octets(r, 16)?,
            max_fragment_len_mode: number(r, 17)?,
            ticket_appdata: octets(r, 18)?,
            kex_group: explicit::<Int<_>>(r, 19)?.map(|group| group.0),
            peer_rpk: octets(r, 20)?,
        };
        if r.is_finished() {
            return Ok(fields);
        }
        // The last element that 3.0 knows is the one it misses, if anything else stands there.
        Err(Refused::Asn1(match fields.kex_group {
            None => &[ASN1_R_WRONG_TAG, ERR_R_NESTED_ASN1_ERROR],
            Some(_) => &[ASN1_R_SEQUENCE_LENGTH_MISMATCH],
        }))
    }

    /// The session, without its peers. The checks come in OpenSSL's order: the first one decides
    /// what is reported.
    fn values(&self) -> Result<Values, Refused> {
        if self.version != VERSION {
            return Err(Refused::Value(SSL_R_UNKNOWN_SSL_VERSION));
        }
        let major = self.ssl_version >> 8;
        if major != SSL3_VERSION >> 8
            && major != DTLS1_VERSION >> 8
            && self.ssl_version != DTLS1_BAD_VER
        {
            return Err(Refused::Value(SSL_R_UNSUPPORTED_SSL_VERSION));
        }
        let &[high, low] = self.cipher else {
            return Err(Refused::Value(SSL_R_CIPHER_CODE_WRONG_LENGTH));
        };
        let cipher = Cipher::by_number(u16::from_be_bytes([high, low])).ok_or(Refused::Silently)?;

        let mut v = Values::default();
        v.version = self.ssl_version;
        v.cipher = cipher.as_c();
        v.cipher_id = cipher.id();
        v.id = Id::new(self.session_id).ok_or(Refused::Silently)?;
        if self.master_key.len() > MAX_MASTER_KEY_LENGTH {
            return Err(Refused::Silently);
        }
        v.master_key = copied(self.master_key)?.into();
        v.time = if self.time == 0 { clock::now() } else { self.time as c_long };
        v.timeout = if self.timeout == 0 { TIMEOUT_WHEN_ABSENT } else { self.timeout } as c_long;
        let context = self.session_id_context.unwrap_or_default();
        v.sid_ctx = Id::new(context).ok_or(Refused::Silently)?;
        v.verify_result = self.verify_result.into();
        v.hostname = self.hostname.map(OwnedCStr::until_nul).transpose()?;
        v.psk_identity_hint = self.psk_identity_hint.map(OwnedCStr::until_nul).transpose()?;
        v.psk_identity = self.psk_identity.map(OwnedCStr::until_nul).transpose()?;
        v.ticket_lifetime_hint = self.ticket_lifetime_hint;
        v.ticket_age_add = self.ticket_age_add;
        v.ticket = self.ticket.map(copied).transpose()?.map(Zeroizing::new);
        v.compress_id = match self.compression {
            None => 0,
            Some(&[method]) => method,
            Some(_) => return Err(Refused::Value(SSL_R_BAD_LENGTH)),
        };
        v.srp_username = self.srp_username.map(OwnedCStr::until_nul).transpose()?;
        // OpenSSL keeps the low 32 bits, and of the next but one the low 8.
        v.flags = self.flags & u64::from(u32::MAX);
        v.max_early_data = self.max_early_data;
        v.alpn = self.alpn_selected.map(copied).transpose()?;
        v.max_fragment_len_mode = self.max_fragment_len_mode as u8;
        v.ticket_appdata = self.ticket_appdata.map(copied).transpose()?.map(Zeroizing::new);
        v.kex_group = self.kex_group.unwrap_or_default();
        Ok(v)
    }

    /// The last that is looked at.
    fn with_rpk(&self, mut values: Values) -> Result<Values, Refused> {
        if let Some(key) = self.peer_rpk {
            values.peer_rpk = Some(Peer::from_der(key)?.ok_or(Refused::Silently)?);
        }
        Ok(values)
    }

    fn of(v: &'a Values, cipher: &'a [u8; 2]) -> Self {
        Fields {
            version: VERSION,
            ssl_version: v.version,
            cipher,
            session_id: v.id.as_slice(),
            master_key: &v.master_key,
            time: v.time,
            timeout: v.timeout,
            peer: v.peer.as_ref().and_then(|peer| AnyRef::from_der(peer.der()).ok()),
            session_id_context: Some(v.sid_ctx.as_slice()),
            verify_result: v.verify_result as i32,
            hostname: v.hostname.as_ref().map(|name| name.to_bytes()),
            psk_identity_hint: v.psk_identity_hint.as_ref().map(|hint| hint.to_bytes()),
            psk_identity: v.psk_identity.as_ref().map(|identity| identity.to_bytes()),
            ticket_lifetime_hint: v.ticket_lifetime_hint,
            ticket: v.ticket.as_ref().map(|ticket| ticket.as_slice()),
            compression: (v.compress_id != 0).then_some(std::slice::from_ref(&v.compress_id)),
            srp_username: v.srp_username.as_ref().map(|name| name.to_bytes()),
            flags: v.flags,
            ticket_age_add: v.ticket_age_add,
            max_early_data: v.max_early_data,
            alpn_selected: v.alpn.as_deref(),
            max_fragment_len_mode: v.max_fragment_len_mode.into(),
            ticket_appdata: v.ticket_appdata.as_ref().map(|data| data.as_slice()),
            kex_group: Some(v.kex_group),
            peer_rpk: v.peer_rpk.as_ref().map(|key| key.der()),
        }
    }
}

impl FixedTag for Fields<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl EncodeValue for Fields<'_> {
    fn value_len(&self) -> ::der::Result<Length> {
        let mut count = Count(Length::ZERO);
        self.encode_value(&mut count)?;
        Ok(count.0)
    }

    fn encode_value(&self, w: &mut impl Writer) -> ::der::Result<()> {
        Int(self.version).encode(w)?;
        Int(self.ssl_version).encode(w)?;
        OctetStringRef::new(self.cipher)?.encode(w)?;
        OctetStringRef::new(self.session_id)?.encode(w)?;
        OctetStringRef::new(self.master_key)?.encode(w)?;
        write_number(w, 1, self.time)?;
        write_number(w, 2, self.timeout)?;
        write(w, 3, self.peer)?;
        write_octets(w, 4, self.session_id_context)?;
        write_number(w, 5, self.verify_result)?;
        write_octets(w, 6, self.hostname)?;
        write_octets(w, 7, self.psk_identity_hint)?;
        write_octets(w, 8, self.psk_identity)?;
        write_number(w, 9, self.ticket_lifetime_hint)?;
        write_octets(w, 10, self.ticket)?;
        write_octets(w, 11, self.compression)?;
        write_octets(w, 12, self.srp_username)?;
        write_number(w, 13, self.flags)?;
        write_number(w, 14, self.ticket_age_add)?;
        write_number(w, 15, self.max_early_data)?;
        write_octets(w, 16, self.alpn_selected)?;
        write_number(w, 17, self.max_fragment_len_mode)?;
        write_octets(w, 18, self.ticket_appdata)?;
        write(w, 19, self.kex_group.map(Int))?;
        write_octets(w, 20, self.peer_rpk)
    }
}

/// Counts what is written.
struct Count(Length);

impl Writer for Count {
    fn write(&mut self, bytes: &[u8]) -> ::der::Result<()> {
        self.0 = (self.0 + Length::try_from(bytes.len())?)?;
        Ok(())
    }
}

/// An element that has to be there.
fn required<'a, T>(r: &mut SliceReader<'a>) -> Result<T, Refused>
where
    T: Decode<'a, Error = ::der::Error>,
{
    if r.is_finished() {
        return Err(Refused::Asn1(&[ASN1_R_FIELD_MISSING]));
    }
    Ok(r.decode()?)
}

/// `[tag] EXPLICIT ... OPTIONAL`
fn explicit<'a, T>(r: &mut SliceReader<'a>, tag: u32) -> ::der::Result<Option<T>>
where
    T: Decode<'a, Error = ::der::Error>,
{
    Ok(ContextSpecific::decode_explicit(r, TagNumber(tag))?.map(|field| field.value))
}

/// An optional INTEGER; 0 if it is absent.
fn number<'a, T>(r: &mut SliceReader<'a>, tag: u32) -> ::der::Result<T>
where
    T: DecodeValue<'a, Error = ::der::Error> + Default + 'a,
{
    Ok(explicit::<Int<T>>(r, tag)?.map_or_else(T::default, |number| number.0))
}

/// An optional OCTET STRING.
fn octets<'a>(r: &mut SliceReader<'a>, tag: u32) -> ::der::Result<Option<&'a [u8]>> {
    Ok(explicit::<&OctetStringRef>(r, tag)?.map(OctetStringRef::as_bytes))
}

fn write<T>(w: &mut impl Writer, tag: u32, value: Option<T>) -> ::der::Result<()>
where
    T: EncodeValue + Tagged,
{
    value.map_or(Ok(()), |value| {
        ContextSpecificRef {
            tag_number: TagNumber(tag),
            tag_mode: TagMode::Explicit,
            value: &value,
        }
        .encode(w)
    })
}

fn write_number<T>(w: &mut impl Writer, tag: u32, value: T) -> ::der::Result<()>
where
    T: EncodeValue + Default + PartialEq,
{
    write(w, tag, (value != T::default()).then_some(Int(value)))
}

fn write_octets(w: &mut impl Writer, tag: u32, value: Option<&[u8]>) -> ::der::Result<()> {
    write(w, tag, value.map(OctetStringRef::new).transpose()?)
}
