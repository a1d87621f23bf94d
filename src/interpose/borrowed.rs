//! libssl's contexts and connections, borrowed: not NULL, alive, and with the functions of the
//! libssl that made them. So what libssl says of them is asked without `unsafe`.

use libc::{c_int, c_long};

use crate::ffi::constants::*;
use crate::ffi::live::{Ctx, Live, Ssl};
use crate::ffi::real::{Real, call};
use crate::ffi::types::*;

/// A context of libssl's.
#[derive(Clone, Copy)]
pub struct RealCtx<'a> {
    /// The functions of its libssl.
    pub real: &'static Real,
    /// The context.
    pub ctx: Ctx<'a>,
}

impl RealCtx<'_> {
    /// A context from C; `None` for NULL.
    ///
    /// # Safety
    /// `ctx` is NULL, or a context of this libssl that is alive as long as the result is used.
    pub unsafe fn from_c(real: &'static Real, ctx: *const SSL_CTX) -> Option<Self> {
        // SAFETY: the caller's promise.
        unsafe { Live::from_c(ctx) }.map(|ctx| RealCtx { real, ctx })
    }

    /// Its address.
    pub fn addr(self) -> usize {
        self.ctx.addr()
    }

    /// `SSL_CTX_ctrl`, for a command that takes a number.
    pub fn ctrl(self, command: c_int, argument: c_long) -> c_long {
        let (ctx, null) = (self.ctx.as_ptr(), std::ptr::null_mut());
        // SAFETY: a live context of this libssl.
        unsafe { call!(self.real, SSL_CTX_ctrl(ctx, command, argument, null), 0) }
    }

    /// Handshakes of a side that succeeded, as libssl has counted them.
    pub fn good_handshakes(self, server: bool) -> c_int {
        let counter = if server { SSL_CTRL_SESS_ACCEPT_GOOD } else { SSL_CTRL_SESS_CONNECT_GOOD };
        // An int that wraps, which SSL_CTX_ctrl widens.
        self.ctrl(counter, 0) as c_int
    }

    /// Sets its three callbacks.
    pub fn set_callbacks(self, new: NewSessionCb, get: GetSessionCb, remove: RemoveSessionCb) {
        let (real, ctx) = (self.real, self.ctx.as_ptr());
        // SAFETY: a live context of this libssl; the functions are of the types of these callbacks.
        unsafe {
            call!(real, SSL_CTX_sess_set_new_cb(ctx, new), ());
            call!(real, SSL_CTX_sess_set_get_cb(ctx, get), ());
            call!(real, SSL_CTX_sess_set_remove_cb(ctx, remove), ());
        }
    }

    /// `SSL_CTX_get_timeout`
    pub fn timeout(self) -> c_long {
        // SAFETY: a live context of this libssl.
        unsafe { call!(self.real, SSL_CTX_get_timeout(self.ctx.as_ptr()), 0) }
    }

    /// `SSL_CTX_set_timeout`: the previous one.
    pub fn set_timeout(self, timeout: c_long) -> c_long {
        // SAFETY: a live context of this libssl.
        unsafe { call!(self.real, SSL_CTX_set_timeout(self.ctx.as_ptr(), timeout), 0) }
    }

    /// `SSL_CTX_get0_certificate`: the one that it shows, which it keeps; NULL if it has none.
    pub fn certificate(self) -> *const X509 {
        let null = std::ptr::null_mut();
        // SAFETY: a live context of this libssl.
        unsafe { call!(self.real, SSL_CTX_get0_certificate(self.ctx.as_ptr()), null) }
    }

    /// `SSL_CTX_get_verify_mode`: what it asks of a client.
    pub fn verify_mode(self) -> c_int {
        // SAFETY: a live context of this libssl.
        unsafe { call!(self.real, SSL_CTX_get_verify_mode(self.ctx.as_ptr()), 0) }
    }

    /// Whether it was made for clients alone.
    pub fn is_clients(self) -> bool {
        let (real, null) = (self.real, std::ptr::null());
        // SAFETY: a live context of this libssl; the methods are there for ever.
        unsafe {
            let method = call!(real, SSL_CTX_get_ssl_method(self.ctx.as_ptr()), null);
            let clients = [
                call!(real, TLS_client_method(), null),
                call!(real, DTLS_client_method(), null),
                call!(real, TLSv1_2_client_method(), null),
                call!(real, DTLSv1_2_client_method(), null),
            ];
            !method.is_null() && clients.contains(&method)
        }
    }

    /// `SSL_CTX_get_options`
    pub fn options(self) -> u64 {
        // SAFETY: a live context of this libssl.
        unsafe { call!(self.real, SSL_CTX_get_options(self.ctx.as_ptr()), 0) }
    }
}

/// A connection of libssl's.
#[derive(Clone, Copy)]
pub struct RealSsl<'a> {
    /// The functions of its libssl.
    pub real: &'static Real,
    /// The connection.
    pub ssl: Ssl<'a>,
}

impl<'a> RealSsl<'a> {
    /// A connection from C; `None` for NULL.
    ///
    /// # Safety
    /// `ssl` is NULL, or a connection of this libssl that is alive as long as the result is used.
    pub unsafe fn from_c(real: &'static Real, ssl: *const SSL) -> Option<Self> {
        // SAFETY: the caller's promise.
        unsafe { Live::from_c(ssl) }.map(|ssl| RealSsl { real, ssl })
    }

    /// Its address.
    pub fn addr(self) -> usize {
        self.ssl.addr()
    }

    /// `SSL_get_SSL_CTX`: the context it uses, which it keeps alive.
    pub fn ctx(self) -> *mut SSL_CTX {
        let null = std::ptr::null_mut();
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_get_SSL_CTX(self.ssl.as_ptr()), null) }
    }

    /// `SSL_get_verify_mode`: what it asks of the client.
    pub fn asks(self) -> u32 {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_get_verify_mode(self.ssl.as_ptr()), 0) as u32 }
    }

    /// `SSL_version`
    pub fn version(self) -> c_int {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_version(self.ssl.as_ptr()), 0) }
    }

    /// `SSL_is_server`
    pub fn is_server(self) -> bool {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_is_server(self.ssl.as_ptr()), 0) == 1 }
    }

    /// `SSL_is_quic`
    pub fn is_quic(self) -> bool {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_is_quic(self.ssl.as_ptr()), 0) == 1 }
    }

    /// `SSL_get_options`
    pub fn options(self) -> u64 {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_get_options(self.ssl.as_ptr()), 0) }
    }

    /// Sets `SSL_OP_NO_TICKET`.
    pub fn takes_no_tickets(self) {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_set_options(self.ssl.as_ptr(), SSL_OP_NO_TICKET), 0) };
    }

    /// Clears `SSL_OP_NO_ANTI_REPLAY`.
    pub fn takes_early_data_once(self) {
        let (real, ssl) = (self.real, self.ssl.as_ptr());
        // SAFETY: a live connection of this libssl.
        unsafe { call!(real, SSL_clear_options(ssl, SSL_OP_NO_ANTI_REPLAY), 0) };
    }

    /// `SSL_set_num_tickets`
    pub fn set_num_tickets(self, tickets: usize) {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_set_num_tickets(self.ssl.as_ptr(), tickets), 0) };
    }

    /// `SSL_in_before`: no handshake has begun.
    pub fn is_before_its_handshake(self) -> bool {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_in_before(self.ssl.as_ptr()), 0) == 1 }
    }

    /// Whether it takes early data: `SSL_get_max_early_data`.
    pub fn takes_early_data(self) -> bool {
        // SAFETY: a live connection of this libssl.
        unsafe { call!(self.real, SSL_get_max_early_data(self.ssl.as_ptr()), 0) > 0 }
    }
}
