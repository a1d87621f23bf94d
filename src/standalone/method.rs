//! Protocol methods: what `TLS_method()` and its siblings return.

use libc::c_int;

use crate::ffi::constants::*;
use crate::ffi::types::SSL_METHOD;

/// A protocol method: a static object, so a C program never frees it.
pub struct Method {
    /// The version a connection of this method starts with.
    pub version: c_int,
    /// Whether a connection is a server until it is told otherwise: one of both sides is, too.
    pub server: bool,
}

impl Method {
    /// The pointer C knows a method by.
    pub fn as_c(&'static self) -> *const SSL_METHOD {
        std::ptr::from_ref(self).cast()
    }

    /// The method behind a pointer from C; `None` for NULL.
    ///
    /// # Safety
    /// `method` is NULL or from [`as_c`](Method::as_c).
    pub unsafe fn from_c(method: *const SSL_METHOD) -> Option<&'static Method> {
        // SAFETY: the caller's promise.
        unsafe { method.cast::<Method>().as_ref() }
    }
}

macro_rules! methods {
    ($($version:ident: $both:ident, $server:ident, $client:ident;)*) => {$(
        #[doc = concat!("Both sides of ", stringify!($version), ".")]
        pub static $both: Method = Method { version: $version, server: true };
        #[doc = concat!("The server side of ", stringify!($version), ".")]
        pub static $server: Method = Method { version: $version, server: true };
        #[doc = concat!("The client side of ", stringify!($version), ".")]
        pub static $client: Method = Method { version: $version, server: false };
    )*};
}

/// The methods there are.
pub mod all {
    use super::*;

    methods! {
        TLS1_3_VERSION: TLS, TLS_SERVER, TLS_CLIENT;
        TLS1_2_VERSION: TLS1_2, TLS1_2_SERVER, TLS1_2_CLIENT;
        TLS1_1_VERSION: TLS1_1, TLS1_1_SERVER, TLS1_1_CLIENT;
        TLS1_VERSION: TLS1, TLS1_SERVER, TLS1_CLIENT;
        DTLS1_2_VERSION: DTLS, DTLS_SERVER, DTLS_CLIENT;
        DTLS1_2_VERSION: DTLS1_2, DTLS1_2_SERVER, DTLS1_2_CLIENT;
        DTLS1_VERSION: DTLS1, DTLS1_SERVER, DTLS1_CLIENT;
    }
}
