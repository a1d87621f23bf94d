//! A change of a session's time moves it in every cache that holds it, whichever contexts there
//! are.

use std::ffi::c_long;
use std::ptr::null_mut;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};

use sslcache::exports::ssl_ctx_add_session::*;
use sslcache::exports::ssl_ctx_ctrl::*;
use sslcache::exports::ssl_ctx_flush_sessions::*;
use sslcache::exports::ssl_ctx_new::*;
use sslcache::exports::ssl_session_free::*;
use sslcache::exports::ssl_session_get_time::*;
use sslcache::exports::ssl_session_set1_id::*;
use sslcache::ffi::constants::SSL_CTRL_SESS_NUMBER;
use sslcache::ffi::types::{SSL_CTX, SSL_SESSION};

const START: c_long = 1_000_000;
const LONG: c_long = 5000;
const SHORT: c_long = 50;

/// A context with a reference of its own.
struct Context(*mut SSL_CTX);
// SAFETY: a context may be used from any thread.
unsafe impl Sync for Context {}

impl Context {
    fn new() -> Context {
        // SAFETY: a method of the library's own.
        Context(unsafe { SSL_CTX_new(TLS_method()) })
    }

    fn add(&self, session: &Session) {
        // SAFETY: both are live.
        assert_eq!(unsafe { SSL_CTX_add_session(self.0, session.0) }, 1);
    }

    fn number(&self) -> c_long {
        // SAFETY: a live context.
        unsafe { SSL_CTX_ctrl(self.0, SSL_CTRL_SESS_NUMBER, 0, null_mut()) }
    }

    fn left_after_flush(&self, seconds: c_long) -> c_long {
        // SAFETY: a live context.
        unsafe { SSL_CTX_flush_sessions(self.0, START + seconds) };
        self.number()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the reference of its own.
        unsafe { SSL_CTX_free(self.0) };
    }
}

/// A session with a reference of its own.
struct Session(*mut SSL_SESSION);
// SAFETY: a session may be used from any thread.
unsafe impl Sync for Session {}

impl Session {
    fn new(number: usize) -> Session {
        let id = number.to_ne_bytes();
        // SAFETY: a new session, and an id of that length.
        unsafe {
            let session = Session(SSL_SESSION_new());
            SSL_SESSION_set1_id(session.0, id.as_ptr(), id.len() as u32);
            SSL_SESSION_set_time(session.0, START);
            SSL_SESSION_set_timeout(session.0, LONG);
            session
        }
    }

    fn set_timeout(&self, timeout: c_long) -> c_long {
        // SAFETY: a live session.
        unsafe { SSL_SESSION_set_timeout(self.0, timeout) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the reference of its own.
        unsafe { SSL_SESSION_free(self.0) };
    }
}

/// More contexts than share a table, each with sessions of its own, and one that all have.
#[test]
fn a_session_moves_in_all_contexts_that_hold_it_and_no_other_does() {
    const CONTEXTS: usize = 150;
    for round in 0..3 {
        // Of the later rounds, the contexts take the seats of those that are gone.
        let contexts: Vec<Context> = (0..CONTEXTS).map(|_| Context::new()).collect();
        let own: Vec<Session> = (0..CONTEXTS).map(Session::new).collect();
        let stays: Vec<Session> = (0..CONTEXTS).map(|n| Session::new(CONTEXTS + n)).collect();
        let shared = Session::new(2 * CONTEXTS);
        for (n, context) in contexts.iter().enumerate() {
            context.add(&own[n]);
            context.add(&stays[n]);
            context.add(&shared);
        }
        for session in own.iter().step_by(2 + round) {
            assert_eq!(session.set_timeout(SHORT), 1);
        }
        for (n, context) in contexts.iter().enumerate() {
            let expected = if n % (2 + round) == 0 { 2 } else { 3 };
            assert_eq!(context.left_after_flush(SHORT + 1), expected, "context {n}");
        }
        shared.set_timeout(SHORT);
        for (n, context) in contexts.iter().enumerate() {
            let expected = if n % (2 + round) == 0 { 1 } else { 2 };
            assert_eq!(context.left_after_flush(SHORT + 1), expected, "context {n}");
        }
    }
}

/// Whether the adding or the changing thread comes first, the session has its last place.
#[test]
fn a_change_while_a_session_is_added_is_not_lost() {
    const ROUNDS: usize = 3000;
    let contexts = [Context::new(), Context::new()];
    let barrier = Barrier::new(3);
    let lost = AtomicI64::new(0);
    let sessions: Vec<Session> = (0..ROUNDS).map(Session::new).collect();
    std::thread::scope(|scope| {
        for context in &contexts {
            scope.spawn(|| {
                for session in &sessions {
                    barrier.wait();
                    context.add(session);
                    barrier.wait();
                    // Not asserted here: who panicked would leave the others waiting.
                    lost.fetch_add(context.left_after_flush(SHORT + 1), Ordering::Relaxed);
                }
            });
        }
        for (n, session) in sessions.iter().enumerate() {
            barrier.wait();
            (0..n % 64).for_each(|_| std::hint::spin_loop());
            session.set_timeout(SHORT);
            barrier.wait();
        }
    });
    assert_eq!(lost.into_inner(), 0);
}
