//! Sessions as DER against the real libssl: every getter, what is written again, and for damaged
//! input who refuses it and with which error.

mod oracle;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_long};
use std::ptr::{null, null_mut};

use oracle::{Outcome, compare, errors, oracle, printed};
use proptest::prelude::*;
use sslcache::exports::d2i_ssl_session::*;
use sslcache::exports::pem_read_bio_ssl_session::*;
use sslcache::exports::ssl_cipher_get_name::*;
use sslcache::exports::ssl_ctx_new::*;
use sslcache::exports::ssl_new::*;
use sslcache::exports::ssl_session_free::*;
use sslcache::exports::ssl_session_get_time::*;
use sslcache::exports::ssl_session_get0_cipher::*;
use sslcache::exports::ssl_session_get0_peer::*;
use sslcache::exports::ssl_session_has_ticket::*;
use sslcache::exports::ssl_session_is_resumable::*;
use sslcache::exports::ssl_session_print::*;
use sslcache::exports::ssl_session_set1_id::*;
use sslcache::ffi::constants::*;
use sslcache::ffi::types::{SSL_CIPHER, SSL_SESSION};

/// The reference encodings, where the fuzzer starts from too.
const REFERENCES: [&str; 6] =
    ["fresh", "tls13", "early-data", "ticket-client", "everything", "raw-public-key"];

fn reference(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/d2i");
    std::fs::read(format!("{directory}/{name}")).unwrap()
}

fn references() -> impl Iterator<Item = Vec<u8>> {
    REFERENCES.into_iter().map(reference)
}

/// Compares all of these, and tells what became of them. A comparison that fails says for which
/// bytes.
fn outcomes(inputs: impl Iterator<Item = Vec<u8>>) -> BTreeMap<Outcome, usize> {
    let mut outcomes = BTreeMap::new();
    for input in inputs {
        let outcome = std::panic::catch_unwind(|| compare(&input)).unwrap_or_else(|_| {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            panic!("the libraries differ about {hex}")
        });
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:?}");
    outcomes
}

#[test]
fn the_references_are_read_and_written_alike() {
    let outcomes = outcomes(references());
    assert_eq!(outcomes[&Outcome::Accepted], REFERENCES.len() - 1);
    assert_eq!(outcomes[&Outcome::RawPublicKey], 1);
}

/// A reference with one byte changed: each bit, and the values that lengths and tags turn on.
#[test]
fn each_byte_changed() {
    let inputs = references().flat_map(|reference| {
        let bits = (0..8).map(|bit| (1u8 << bit, 0));
        let values =
            [0x00, 0x01, 0x02, 0x04, 0x24, 0x30, 0x7F, 0x80, 0x81, 0xFF].map(|value| (0, value));
        let changes: Vec<_> = bits.chain(values).collect();
        let at = 0..reference.len();
        at.flat_map(move |at| changes.clone().into_iter().map(move |change| (at, change))).map(
            move |(at, (flip, value))| {
                let mut input = reference.clone();
                input[at] = if flip == 0 { value } else { input[at] ^ flip };
                input
            },
        )
    });
    let outcomes = outcomes(inputs);
    assert!(outcomes[&Outcome::Accepted] > 1000 && outcomes[&Outcome::Refused] > 1000);
    assert!(outcomes[&Outcome::NotDer] > 10);
}

#[test]
fn each_length_cut_off_and_each_byte_left_out_or_doubled() {
    let inputs = references().flat_map(|reference| {
        (0..reference.len()).flat_map(move |at| {
            let (before, after) = reference.split_at(at);
            let doubled = [before, &after[..1], after].concat();
            [before.to_vec(), [before, &after[1..]].concat(), doubled]
        })
    });
    assert!(outcomes(inputs)[&Outcome::Refused] > 1000);
}

/// An element: short lengths as DER has them.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let first = len.iter().position(|&byte| byte != 0).unwrap_or(7);
    let long = [&[0x80 + 8 - first as u8], &len[first..]].concat();
    let length = if content.len() < 0x80 { vec![content.len() as u8] } else { long };
    [&[tag], length.as_slice(), content].concat()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// A value as an INTEGER or an OCTET STRING: usual ones, limits, and what is not allowed.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let integer = prop_oneof![
        any::<i64>().prop_map(|n| n.to_be_bytes().to_vec()),
        any::<u8>().prop_map(|n| vec![n]),
        prop::sample::select(vec![
            "",
            "00",
            "01",
            "ff",
            "0080",
            "00ff",
            "ff7f",
            "0001",
            "ffff",
            "0100",
            "01ff",
            "00fefd",
            "7fffffff",
            "0080000000",
            "00ffffffff",
            "0100000000",
            "80000000",
            "ff7fffffff",
            "7fffffffffffffff",
            "008000000000000000",
            "00ffffffffffffffff",
            "010000000000000000",
        ])
        .prop_map(hex),
    ];
    let string = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        (any::<u8>(), prop::sample::select(vec![1, 2, 31, 32, 33, 48, 512, 513]))
            .prop_map(|(byte, len)| vec![byte; len]),
        Just(b"example.com".to_vec()),
        Just(b"nul\0inside".to_vec()),
    ];
    prop_oneof![
        3 => integer.prop_map(|content| element(2, &content)),
        5 => string.prop_map(|content| element(4, &content)),
        1 => Just(element(5, &[])),
        1 => Just(element(0x30, &[])),
    ]
}

/// The value that the field most likely takes, or any.
fn field(tag: u8) -> impl Strategy<Value = Vec<u8>> {
    let usual = match tag {
        1 | 2 | 5 | 9 | 13..=15 | 17 | 19 => element(2, &[1]),
        11 => element(4, &[1]),
        _ => element(4, b"text"),
    };
    prop_oneof![2 => Just(usual), 3 => value()].prop_map(move |value| element(0xA0 + tag, &value))
}

/// Fields in order, mostly: each there or not, with a value that fits or not.
fn fields() -> impl Strategy<Value = Vec<u8>> {
    let optional =
        |tag| prop::option::weighted(0.3, field(tag)).prop_map(Option::unwrap_or_default);
    let tags = (1..20).filter(|&tag| tag != 3).collect::<Vec<u8>>();
    let ordered = tags.into_iter().map(optional).collect::<Vec<_>>();
    let stray = prop::option::weighted(0.1, (0..24u8).prop_flat_map(field));
    (ordered, stray, any::<prop::sample::Index>()).prop_map(|(mut fields, stray, at)| {
        if let Some(stray) = stray {
            fields.insert(at.index(fields.len()), stray);
        }
        fields.concat()
    })
}

/// The five elements that must be there: one of them odd, now and then.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let usual = ["020101", "02020303", "0402c02f", "0400", "0400"].map(hex);
    prop::option::weighted(0.3, (0..5usize, value())).prop_map(move |odd| {
        let mut head = usual.clone();
        if let Some((at, value)) = odd {
            head[at] = value;
        }
        head.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_fields(head in head(), fields in fields(), trailing in "[a-z]{0,2}") {
        compare(&[element(0x30, &[head, fields].concat()), trailing.into()].concat());
    }
}

/// Decodes with ours alone.
fn decode(input: &[u8]) -> *mut SSL_SESSION {
    oracle();
    // SAFETY: as many bytes as are named.
    unsafe { d2i_SSL_SESSION(null_mut(), &mut input.as_ptr(), input.len() as c_long) }
}

/// The first reference: a session fresh from `SSL_SESSION_new` but for its time, version and suite.
const FRESH: &str = "3031020101020203030402c02f04000400a10602043b9aca00a20402020130a4020400a50302\
                     0101b104020200ffb303020100";

#[test]
fn damage_is_refused_with_the_same_error() {
    const NESTED: u64 = ERR_R_NESTED_ASN1_ERROR as u64;
    let damaged: [(&str, &[(u64, u64)]); 12] = [
        ("300f 020100 02020303 0402c02f 0400 0400", &[(20, 254)]),
        ("300f 020102 02020303 0402c02f 0400 0400", &[(20, 254)]),
        ("300f 020101 02020203 0402c02f 0400 0400", &[(20, 259)]),
        ("300f 020101 0202fefd 0402c02f 0400 0400", &[(20, 259)]),
        ("3010 020101 02020303 0403c02f00 0400 0400", &[(20, 137)]),
        ("3015 020101 02020303 0402c02f 0400 0400 ab0404020101", &[(20, 271)]),
        (
            "301b 020101 02020303 0402c02f 0400 0400 a20402020130 a10402020130",
            &[(13, 168), (13, NESTED)],
        ),
        ("3018 020101 02020303 0402c02f 0400 0400 b303020100 b5020400", &[(13, 148)]),
        ("300d 020101 02020303 0402c02f 0400", &[(13, 121)]),
        ("310f 020101 02020303 0402c02f 0400 0400", &[(13, 168), (13, NESTED)]),
        ("", &[(13, 224)]),
        ("300f 020101 02020303 0402ffff 0400 0400", &[]),
    ];
    for (input, expected) in damaged {
        assert!(decode(&hex(input)).is_null(), "{input}");
        assert_eq!(errors(), expected, "{input}");
        assert_eq!(compare(&hex(input)), Outcome::Refused);
    }
    for (id, key, context) in [(33, 0, 0), (0, 513, 0), (0, 0, 33)] {
        let context = element(0xA4, &element(4, &vec![0; context]));
        let (id, key) = (element(4, &vec![0; id]), element(4, &vec![0; key]));
        let input = [hex("020101 02020303 0402c02f"), id, key, context].concat();
        assert!(decode(&element(0x30, &input)).is_null());
        assert_eq!(errors(), []);
        assert_eq!(compare(&element(0x30, &input)), Outcome::Refused);
    }
}

#[test]
fn a_session_is_decoded_in_place() {
    let ticket = reference("ticket-client");
    let session = decode(&ticket);
    let mut target = session;
    // SAFETY: live sessions, pointers to locals, and as many bytes as are named.
    unsafe {
        assert_eq!(SSL_SESSION_has_ticket(session), 1);
        // What fails changes nothing.
        let mut at = ticket.as_ptr();
        assert!(d2i_SSL_SESSION(&mut target, &mut at, 20).is_null());
        assert_eq!((target, at), (session, ticket.as_ptr()));
        assert_eq!(SSL_SESSION_has_ticket(session), 1);
        assert!(!errors().is_empty());

        let fresh = hex(FRESH);
        let mut at = fresh.as_ptr();
        assert_eq!(d2i_SSL_SESSION(&mut target, &mut at, fresh.len() as c_long), session);
        assert_eq!((target, at), (session, fresh.as_ptr_range().end));
        // OpenSSL keeps the length of the ticket that is gone.
        assert_eq!(SSL_SESSION_has_ticket(session), 0);
        assert_eq!(SSL_SESSION_is_resumable(session), 0);
        assert_eq!(SSL_SESSION_get_time(session), 1_000_000_000);
        SSL_SESSION_free(session);

        let mut new = null_mut();
        let made = d2i_SSL_SESSION_ex(&mut new, &mut fresh.as_ptr(), 51, null_mut(), null());
        assert!(!made.is_null() && new == made);
        SSL_SESSION_free(made);
        assert!(d2i_SSL_SESSION(null_mut(), null_mut(), 0).is_null());
    }
}

#[test]
fn i2d_counts_writes_and_allocates() {
    let fresh = hex(FRESH);
    let session = decode(&fresh);
    // SAFETY: live sessions, pointers to locals, and room for what is written.
    unsafe {
        assert_eq!(i2d_SSL_SESSION(session, null_mut()), 51);
        let mut allocated = null_mut();
        assert_eq!(i2d_SSL_SESSION(session, &mut allocated), 51);
        assert_eq!(std::slice::from_raw_parts(allocated, 51), fresh);
        (oracle().crypto.CRYPTO_free)(allocated.cast(), null(), 0);
        SSL_SESSION_free(session);

        let none = SSL_SESSION_new();
        assert_eq!(i2d_SSL_SESSION(none, null_mut()), 0, "never had a suite");
        SSL_SESSION_free(none);
        assert_eq!(i2d_SSL_SESSION(null(), null_mut()), 0);
    }
}

#[test]
fn the_peer_is_the_sessions_own() {
    let session = decode(&reference("everything"));
    // SAFETY: a live session.
    unsafe {
        let peer = SSL_SESSION_get0_peer(session);
        assert!(!peer.is_null());
        let copy = SSL_SESSION_dup(session);
        SSL_SESSION_free(session);
        assert_eq!(SSL_SESSION_get0_peer(copy), peer, "shared");
        assert!(SSL_SESSION_get0_peer_rpk(copy).is_null());
        SSL_SESSION_free(copy);
    }
}

/// Calls the real function of this name.
macro_rules! theirs {
    ($function:ident($($argument:expr),*)) => {
        oracle().ssl.$function.unwrap()($($argument),*)
    };
}

#[test]
fn every_cipher_suite() {
    oracle();
    let mut known = 0;
    // SAFETY: a context and a connection of the real libssl and of ours, and the suites they gave.
    unsafe {
        let our_ctx = SSL_CTX_new(TLS_method());
        let connection = SSL_new(our_ctx);
        let text = |text: *const c_char| (!text.is_null()).then(|| CStr::from_ptr(text));
        let ctx = theirs!(SSL_CTX_new(theirs!(TLS_method())));
        let ssl = theirs!(SSL_new(ctx));
        for number in 0..=u16::MAX {
            let bytes = number.to_be_bytes();
            let our = SSL_CIPHER_find(connection, bytes.as_ptr());
            let their = theirs!(SSL_CIPHER_find(ssl, bytes.as_ptr()));
            assert_eq!(our.is_null(), their.is_null(), "{number:#06x}");
            let der = hex(&format!("300f020101020203030402{number:04x}04000400"));
            let session = decode(&der);
            assert_eq!(session.is_null(), our.is_null());
            if our.is_null() {
                continue;
            }
            known += 1;
            assert_eq!(SSL_SESSION_get0_cipher(session), our);
            SSL_SESSION_free(session);
            compare(&der);
            assert_eq!(text(SSL_CIPHER_get_name(our)), text(theirs!(SSL_CIPHER_get_name(their))));
            assert_eq!(
                text(SSL_CIPHER_standard_name(our)),
                text(theirs!(SSL_CIPHER_standard_name(their)))
            );
            assert_eq!(
                text(SSL_CIPHER_get_version(our)),
                text(theirs!(SSL_CIPHER_get_version(their)))
            );
            assert_eq!(SSL_CIPHER_get_id(our), theirs!(SSL_CIPHER_get_id(their)));
            assert_eq!(SSL_CIPHER_get_protocol_id(our), theirs!(SSL_CIPHER_get_protocol_id(their)));
            let (mut our_bits, mut their_bits) = (-1, -1);
            assert_eq!(
                SSL_CIPHER_get_bits(our, &mut our_bits),
                theirs!(SSL_CIPHER_get_bits(their, &mut their_bits))
            );
            assert_eq!(our_bits, their_bits);
        }
        theirs!(SSL_free(ssl));
        theirs!(SSL_CTX_free(ctx));
        SSL_free(connection);
        SSL_CTX_free(our_ctx);
    }
    assert_eq!(known, 174);
}

#[test]
fn no_suite_and_a_foreign_pointer() {
    oracle();
    let session = decode(&hex(FRESH));
    // SAFETY: NULL and a pointer that must not be followed are what is tested; a live session.
    unsafe {
        for wrong in [null(), std::ptr::dangling::<SSL_CIPHER>()] {
            assert_eq!(CStr::from_ptr(SSL_CIPHER_get_name(wrong)), c"(NONE)");
            assert_eq!(CStr::from_ptr(SSL_CIPHER_standard_name(wrong)), c"(NONE)");
            assert_eq!(CStr::from_ptr(SSL_CIPHER_get_version(wrong)), c"(NONE)");
            assert_eq!((SSL_CIPHER_get_id(wrong), SSL_CIPHER_get_protocol_id(wrong)), (0, 0));
            let mut bits: c_int = 77;
            assert_eq!((SSL_CIPHER_get_bits(wrong, &mut bits), bits), (0, 77));
            // The number that was decoded is written, whatever the pointer is.
            SSL_SESSION_set_cipher(session, wrong);
            assert_eq!(i2d_SSL_SESSION(session, null_mut()), 51);
            let (result, text) = printed(|bio| SSL_SESSION_print(bio, session));
            assert_eq!(result, 1);
            assert!(String::from_utf8_lossy(&text).contains("    Cipher    : C02F\n"));
        }
        SSL_SESSION_free(session);
    }
}

#[test]
fn pem_is_the_same_text_and_is_read_by_either() {
    for reference in references() {
        // SAFETY: live sessions, each given to its own library; BIOs of the libcrypto both use.
        unsafe {
            let our = decode(&reference);
            let their = theirs!(d2i_SSL_SESSION(
                null_mut(),
                &mut reference.as_ptr(),
                reference.len() as c_long
            ));
            errors();
            let (result, text) = printed(|bio| PEM_write_bio_SSL_SESSION(bio, our));
            assert_eq!(result, 1);
            assert!(text.starts_with(b"-----BEGIN SSL SESSION PARAMETERS-----\n"));
            if !their.is_null() {
                let written = printed(|bio| theirs!(PEM_write_bio_SSL_SESSION(bio, their)));
                assert_eq!(written, (1, text));
            }
            printed(|bio| {
                PEM_write_bio_SSL_SESSION(bio, our);
                let read = PEM_read_bio_SSL_SESSION(bio, null_mut(), None, null_mut());
                assert_eq!(SSL_SESSION_get_time(read), SSL_SESSION_get_time(our));
                assert_eq!(
                    CStr::from_ptr(SSL_SESSION_get_id(read, null_mut()).cast()),
                    CStr::from_ptr(SSL_SESSION_get_id(our, null_mut()).cast())
                );
                SSL_SESSION_free(read);
                // Nothing is left: an error, not a session.
                assert!(PEM_read_bio_SSL_SESSION(bio, null_mut(), None, null_mut()).is_null());
                assert!(!errors().is_empty());
                0
            });
            SSL_SESSION_free(our);
            theirs!(SSL_SESSION_free(their));
        }
    }
}
