//! The C functions, one file per manual page of OpenSSL, named as the page. No logic here: each
//! body passes the call to the real libssl where there is one, and to `standalone` where there is
//! none.
//!
//! A function that calls nothing back has its own part in a `guard`. One that may call back into
//! the application has none around that (`ffi::guard` says why); what there is to guard is guarded
//! within.

#![allow(non_snake_case, non_camel_case_types)]

/// What an exported function begins with: the call is libssl's, if there is a libssl to answer it.
/// Then, or if there is nothing to answer, the function returns here.
///
/// `forward!(s as Session, SSL_SESSION_..(s, ..), failure)` is the object behind `s`, one of ours.
/// For NULL, where OpenSSL would crash, and for a libssl without that function it is `failure` that
/// is returned. `forward!(answering, SSL_..(..), failure)` is the same for a call that is not about
/// an object, or that libssl is to answer for NULL too.
macro_rules! forward {
    ($object:ident as $ours:ident, $function:ident($($argument:expr),*) $(, $failure:expr)?) => {{
        if $object.is_null() {
            return $($failure)?;
        }
        forward!(crate::standing::of($object), $function($($argument),*) $(, $failure)?);
        // SAFETY: the caller passes a live object, and no libssl has made it: it is one of ours.
        let ours = unsafe { <$ours as crate::ffi::handle::Handle>::borrow($object) };
        let Some(ours) = ours else { return $($failure)? };
        ours
    }};
    ($answering:expr, $function:ident($($argument:expr),*) $(, $failure:expr)?) => {
        if let Some(real) = $answering {
            // SAFETY: libssl's own function, with the arguments that its caller vouches for.
            return unsafe {
                crate::ffi::real::call!(real, $function($($argument),*), { $($failure)? })
            };
        }
    };
}

pub mod d2i_ssl_session;
pub mod pem_read_bio_ssl_session;
pub mod ssl_accept;
pub mod ssl_cipher_get_name;
pub mod ssl_ctx_add_session;
pub mod ssl_ctx_ctrl;
pub mod ssl_ctx_flush_sessions;
pub mod ssl_ctx_new;
pub mod ssl_ctx_sess_set_get_cb;
pub mod ssl_ctx_sessions;
pub mod ssl_ctx_set_ex_data;
pub mod ssl_ctx_set_generate_session_id;
pub mod ssl_ctx_set_session_id_context;
pub mod ssl_ctx_set_session_ticket_cb;
pub mod ssl_ctx_set_timeout;
pub mod ssl_get_client_random;
pub mod ssl_get_session;
pub mod ssl_new;
pub mod ssl_read_early_data;
pub mod ssl_session_free;
pub mod ssl_session_get0_cipher;
pub mod ssl_session_get0_hostname;
pub mod ssl_session_get0_id_context;
pub mod ssl_session_get0_peer;
pub mod ssl_session_get_compress_id;
pub mod ssl_session_get_protocol_version;
pub mod ssl_session_get_time;
pub mod ssl_session_has_ticket;
pub mod ssl_session_is_resumable;
pub mod ssl_session_print;
pub mod ssl_session_set1_id;
pub mod sslcache;
