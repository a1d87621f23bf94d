//! SSL_CTX_new(3): methods, contexts, their references

use libc::{c_char, c_int};

use crate::ffi::args::made;
use crate::ffi::caller;
use crate::ffi::constants::SSL_R_NULL_SSL_METHOD_PASSED;
use crate::ffi::errors;
use crate::ffi::guard::guard;
use crate::ffi::real::Real;
use crate::ffi::types::{OPENSSL_INIT_SETTINGS, OSSL_LIB_CTX, SSL_CTX, SSL_METHOD};
use crate::interpose::calls;
use crate::standalone::Context;
use crate::standalone::method::{Method, all};
use crate::standing;

/// Initialises libssl. Without one in the process there is nothing to do.
///
/// Returns 1, or 0 on error.
/// See OPENSSL_init_ssl(3).
///
/// # Safety
/// `settings` is NULL or what the real function takes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn OPENSSL_init_ssl(
    opts: u64,
    settings: *const OPENSSL_INIT_SETTINGS,
) -> c_int {
    forward!(standing::asking(), OPENSSL_init_ssl(opts, settings), 0);
    1
}

/// The method for either side of a connection: the highest version of TLS both sides know.
///
/// Ownership: static, never freed.
/// See TLS_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLS_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLS_method(), std::ptr::null());
    all::TLS.as_c()
}

/// The method for a server: the highest version of TLS both sides know.
///
/// Ownership: static, never freed.
/// See TLS_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLS_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLS_server_method(), std::ptr::null());
    all::TLS_SERVER.as_c()
}

/// The method for a client: the highest version of TLS both sides know.
///
/// Ownership: static, never freed.
/// See TLS_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLS_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLS_client_method(), std::ptr::null());
    all::TLS_CLIENT.as_c()
}

/// The method for either side of a connection: TLS 1.2.
///
/// Ownership: static, never freed.
/// See TLSv1_2_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_2_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_2_method(), std::ptr::null());
    all::TLS1_2.as_c()
}

/// The method for a server: TLS 1.2.
///
/// Ownership: static, never freed.
/// See TLSv1_2_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_2_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_2_server_method(), std::ptr::null());
    all::TLS1_2_SERVER.as_c()
}

/// The method for a client: TLS 1.2.
///
/// Ownership: static, never freed.
/// See TLSv1_2_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_2_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_2_client_method(), std::ptr::null());
    all::TLS1_2_CLIENT.as_c()
}

/// The method for either side of a connection: TLS 1.1.
///
/// Ownership: static, never freed.
/// See TLSv1_1_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_1_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_1_method(), std::ptr::null());
    all::TLS1_1.as_c()
}

/// The method for a server: TLS 1.1.
///
/// Ownership: static, never freed.
/// See TLSv1_1_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_1_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_1_server_method(), std::ptr::null());
    all::TLS1_1_SERVER.as_c()
}

/// The method for a client: TLS 1.1.
///
/// Ownership: static, never freed.
/// See TLSv1_1_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_1_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_1_client_method(), std::ptr::null());
    all::TLS1_1_CLIENT.as_c()
}

/// The method for either side of a connection: TLS 1.0.
///
/// Ownership: static, never freed.
/// See TLSv1_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_method(), std::ptr::null());
    all::TLS1.as_c()
}

/// The method for a server: TLS 1.0.
///
/// Ownership: static, never freed.
/// See TLSv1_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_server_method(), std::ptr::null());
    all::TLS1_SERVER.as_c()
}

/// The method for a client: TLS 1.0.
///
/// Ownership: static, never freed.
/// See TLSv1_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn TLSv1_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), TLSv1_client_method(), std::ptr::null());
    all::TLS1_CLIENT.as_c()
}

/// The method for either side of a connection: the highest version of DTLS both sides know.
///
/// Ownership: static, never freed.
/// See DTLS_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLS_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLS_method(), std::ptr::null());
    all::DTLS.as_c()
}

/// The method for a server: the highest version of DTLS both sides know.
///
/// Ownership: static, never freed.
/// See DTLS_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLS_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLS_server_method(), std::ptr::null());
    all::DTLS_SERVER.as_c()
}

/// The method for a client: the highest version of DTLS both sides know.
///
/// Ownership: static, never freed.
/// See DTLS_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLS_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLS_client_method(), std::ptr::null());
    all::DTLS_CLIENT.as_c()
}

/// The method for either side of a connection: DTLS 1.2.
///
/// Ownership: static, never freed.
/// See DTLSv1_2_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLSv1_2_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLSv1_2_method(), std::ptr::null());
    all::DTLS1_2.as_c()
}

/// The method for a server: DTLS 1.2.
///
/// Ownership: static, never freed.
/// See DTLSv1_2_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLSv1_2_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLSv1_2_server_method(), std::ptr::null());
    all::DTLS1_2_SERVER.as_c()
}

/// The method for a client: DTLS 1.2.
///
/// Ownership: static, never freed.
/// See DTLSv1_2_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLSv1_2_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLSv1_2_client_method(), std::ptr::null());
    all::DTLS1_2_CLIENT.as_c()
}

/// The method for either side of a connection: DTLS 1.0.
///
/// Ownership: static, never freed.
/// See DTLSv1_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLSv1_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLSv1_method(), std::ptr::null());
    all::DTLS1.as_c()
}

/// The method for a server: DTLS 1.0.
///
/// Ownership: static, never freed.
/// See DTLSv1_server_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLSv1_server_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLSv1_server_method(), std::ptr::null());
    all::DTLS1_SERVER.as_c()
}

/// The method for a client: DTLS 1.0.
///
/// Ownership: static, never freed.
/// See DTLSv1_client_method(3).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn DTLSv1_client_method() -> *const SSL_METHOD {
    forward!(standing::asking(), DTLSv1_client_method(), std::ptr::null());
    all::DTLS1_CLIENT.as_c()
}

/// Makes a context, with an empty internal cache of SSL_SESSION_CACHE_MAX_SIZE_DEFAULT in the mode
/// SSL_SESS_CACHE_SERVER.
///
/// Ownership: the caller has the one reference; SSL_CTX_free() gives it back.
/// Returns NULL on error; for a `meth` of NULL with SSL_R_NULL_SSL_METHOD_PASSED queued.
/// Thread safety: any thread, any time.
/// See SSL_CTX_new(3).
///
/// # Safety
/// `meth` is NULL or from one of the functions above.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_new(meth: *const SSL_METHOD) -> *mut SSL_CTX {
    if let Some(real) = standing::making_with(meth) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_new(real, method_of(real, meth)) };
    }
    // SAFETY: the caller's promise.
    unsafe { new_context(meth) }
}

/// The same as SSL_CTX_new(), with a library context of libcrypto, which sessions do not need.
///
/// See SSL_CTX_new_ex(3); since OpenSSL 3.0.
///
/// # Safety
/// `meth` is NULL or from one of the functions above, the rest as the real function asks.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_new_ex(
    libctx: *mut OSSL_LIB_CTX,
    propq: *const c_char,
    meth: *const SSL_METHOD,
) -> *mut SSL_CTX {
    if let Some(real) = standing::making_with(meth) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_new_ex(real, libctx, propq, method_of(real, meth)) };
    }
    // SAFETY: the caller's promise.
    unsafe { new_context(meth) }
}

/// The real library's method of the same name, if `method` is one of ours: a program may have asked
/// for it before there was a libssl.
fn method_of(real: &Real, method: *const SSL_METHOD) -> *const SSL_METHOD {
    if !caller::is_ours(method.addr()) {
        return method;
    }
    let methods = [
        (&all::TLS, real.TLS_method),
        (&all::TLS_SERVER, real.TLS_server_method),
        (&all::TLS_CLIENT, real.TLS_client_method),
        (&all::TLS1_2, real.TLSv1_2_method),
        (&all::TLS1_2_SERVER, real.TLSv1_2_server_method),
        (&all::TLS1_2_CLIENT, real.TLSv1_2_client_method),
        (&all::TLS1_1, real.TLSv1_1_method),
        (&all::TLS1_1_SERVER, real.TLSv1_1_server_method),
        (&all::TLS1_1_CLIENT, real.TLSv1_1_client_method),
        (&all::TLS1, real.TLSv1_method),
        (&all::TLS1_SERVER, real.TLSv1_server_method),
        (&all::TLS1_CLIENT, real.TLSv1_client_method),
        (&all::DTLS, real.DTLS_method),
        (&all::DTLS_SERVER, real.DTLS_server_method),
        (&all::DTLS_CLIENT, real.DTLS_client_method),
        (&all::DTLS1_2, real.DTLSv1_2_method),
        (&all::DTLS1_2_SERVER, real.DTLSv1_2_server_method),
        (&all::DTLS1_2_CLIENT, real.DTLSv1_2_client_method),
        (&all::DTLS1, real.DTLSv1_method),
        (&all::DTLS1_SERVER, real.DTLSv1_server_method),
        (&all::DTLS1_CLIENT, real.DTLSv1_client_method),
    ];
    let same = methods.iter().find(|(ours, _)| ours.as_c() == method);
    // SAFETY: libssl's own function, which takes nothing.
    same.and_then(|(_, theirs)| *theirs).map_or(method, |theirs| unsafe { theirs() })
}

/// # Safety
/// `method` is NULL or one of ours.
unsafe fn new_context(method: *const SSL_METHOD) -> *mut SSL_CTX {
    // SAFETY: the caller's promise.
    match unsafe { Method::from_c(method) } {
        Some(method) => made(Context::create(method), c"SSL_CTX_new_ex"),
        None => {
            errors::raise(SSL_R_NULL_SSL_METHOD_PASSED, c"SSL_CTX_new_ex");
            std::ptr::null_mut()
        }
    }
}

/// Takes one more reference to `ctx`.
///
/// Returns 1; 0 for NULL.
/// See SSL_CTX_up_ref(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_up_ref(ctx: *mut SSL_CTX) -> c_int {
    let ctx = forward!(ctx as Context, SSL_CTX_up_ref(ctx), 0);
    guard(0, || {
        ctx.up_ref();
        1
    })
}

/// Gives back one reference to `ctx`. With the last one, every cached session is removed as by
/// SSL_CTX_flush_sessions(ctx, 0), then the ex_data free functions run, then the context is gone.
///
/// Connections hold references of their own. NULL: nothing happens.
/// See SSL_CTX_free(3).
///
/// # Safety
/// `ctx` is NULL or live, and the caller has a reference to give back.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_free(ctx: *mut SSL_CTX) {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_free(real, ctx) };
    }
    // SAFETY: the caller's promise.
    unsafe { Context::free(ctx) }
}
