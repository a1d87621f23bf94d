//! The id in a session's DER. A session is found by its id: so it is not stored with it once more,
//! and 32 bytes less are often a cell less in the segment.

/// Puts `id` in the place of the id that is in the DER of a session, the first `length` bytes of
/// `room`. Returns its length then; `None` if that is no session's DER, or there is no room.
///
/// ```text
/// SessionParameters ::= SEQUENCE { version, protocol, cipher suite, id, ... }
/// ```
pub fn replace(room: &mut [u8], length: usize, id: &[u8]) -> Option<usize> {
    let (start, content) = sequence(room.get(..length)?)?;
    let at = nth_element(&room[..length], start, 3)?;
    let (front, old) = (start..at + 2, usize::from(*room.get(at + 1)?));
    if room[at] != OCTET_STRING || old > LONGEST_SHORT || id.len() > LONGEST_SHORT {
        return None;
    }
    let rest = front.end + old..length;
    let content = (content + id.len()).checked_sub(old)?;
    let new_start = header_length(content)?;
    let new_rest = new_start + front.len() + id.len();
    if rest.start > length || new_start + content > room.len() {
        return None;
    }
    // What moves away from the other goes first.
    if new_rest > rest.start {
        room.copy_within(rest, new_rest);
        room.copy_within(front.clone(), new_start);
    } else {
        room.copy_within(front.clone(), new_start);
        room.copy_within(rest, new_rest);
    }
    write_header(room, content);
    room[new_start + front.len() - 1] = id.len() as u8;
    room[new_rest - id.len()..new_rest].copy_from_slice(id);
    Some(new_start + content)
}

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
/// A length of one byte.
const LONGEST_SHORT: usize = 0x7f;
/// The first byte of a length that has one byte more, or two.
const ONE_MORE: u8 = 0x81;
const TWO_MORE: u8 = 0x82;

/// Where the content of the SEQUENCE that these bytes are begins, and how long it is.
fn sequence(der: &[u8]) -> Option<(usize, usize)> {
    let (start, content) = match *der {
        [SEQUENCE, length, ..] if usize::from(length) <= LONGEST_SHORT => (2, length.into()),
        [SEQUENCE, ONE_MORE, length, ..] => (3, length.into()),
        [SEQUENCE, TWO_MORE, high, low, ..] => (4, u16::from_be_bytes([high, low]).into()),
        _ => return None,
    };
    (start + content == der.len()).then_some((start, content))
}

/// Where the element after `n` others begins: short ones, as they are in a session.
fn nth_element(der: &[u8], start: usize, n: usize) -> Option<usize> {
    (0..n).try_fold(start, |at, _| {
        let length = usize::from(*der.get(at + 1)?);
        (length <= LONGEST_SHORT).then_some(at + 2 + length)
    })
}

fn header_length(content: usize) -> Option<usize> {
    match content {
        0..0x80 => Some(2),
        0x80..0x100 => Some(3),
        0x100..0x1_0000 => Some(4),
        _ => None,
    }
}

fn write_header(room: &mut [u8], content: usize) {
    let [high, low] = (content as u16).to_be_bytes();
    room[0] = SEQUENCE;
    match content {
        0..0x80 => room[1] = low,
        0x80..0x100 => room[1..3].copy_from_slice(&[ONE_MORE, low]),
        _ => room[1..4].copy_from_slice(&[TWO_MORE, high, low]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A session's DER: these lengths of id and rest.
    fn der(id: &[u8], rest: usize) -> Vec<u8> {
        let mut content = vec![2, 1, 1, 2, 2, 3, 4, 4, 2, 0x13, 1, 4, id.len() as u8];
        content.extend_from_slice(id);
        content.extend((0..rest).map(|i| i as u8));
        let start = header_length(content.len()).unwrap();
        let mut der = vec![0; start];
        der.extend_from_slice(&content);
        write_header(&mut der, content.len());
        der
    }

    proptest! {
        #[test]
        fn an_id_that_is_taken_out_is_put_back(id in proptest::collection::vec(any::<u8>(), 0..=32),
            rest in 0usize..600) {
            let (whole, without) = (der(&id, rest), der(&[], rest));
            let mut room = [0xaa; 1000];
            room[..whole.len()].copy_from_slice(&whole);
            prop_assert_eq!(replace(&mut room, whole.len(), &[]), Some(without.len()));
            prop_assert_eq!(&room[..without.len()], &without[..]);
            prop_assert_eq!(replace(&mut room, without.len(), &id), Some(whole.len()));
            prop_assert_eq!(&room[..whole.len()], &whole[..]);
        }

        #[test]
        fn other_bytes_are_refused_or_changed_within_the_room(bytes in
            proptest::collection::vec(any::<u8>(), 0..80), id in
            proptest::collection::vec(any::<u8>(), 0..=32)) {
            let mut room = bytes.clone();
            if let Some(length) = replace(&mut room, bytes.len(), &id) {
                prop_assert!(length <= bytes.len());
            }
        }
    }

    #[test]
    fn what_is_no_session_is_refused() {
        let id = [7; 32];
        let good = der(&id, 100);
        let mut room = good.clone();
        assert_eq!(replace(&mut room, good.len(), &id), Some(good.len()));
        assert_eq!(replace(&mut room, good.len() - 1, &id), None, "cut off");
        assert_eq!(replace(&mut room, good.len() + 1, &id), None, "longer than the room");
        let mut short = der(&[], 100);
        let length = short.len();
        assert_eq!(replace(&mut short, length, &id), None, "no room for the id");
        let mut other = good.clone();
        other[14] = 5;
        assert_eq!(replace(&mut other, good.len(), &id), None, "no OCTET STRING");
    }
}
