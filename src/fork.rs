//! fork: parent and child both go on, with a warm cache.
//!
//! The policy is that of `sslcache-sync`, for every lock of the library: nobody holds one while the
//! process forks, unless somebody does not let go of it in time; what a thread holds that does not
//! exist in the child is abandoned there. What then becomes of the value, which may be half
//! changed:
//!
//! | the lock of | in the child it is |
//! |---|---|
//! | a cache (`crates/engine`) | empty |
//! | a block of the registry (`rules/registry.rs`) | as it was: it is never half changed |
//! | a map of addresses (`address_map.rs`) | as it was: the same |
//! | what `SSL_CTX_sessions` shows (`rules/lhash_view.rs`) | as it was, and changed no more |
//! | tables of contexts that have ended (`interpose/ended_tables.rs`) | forgotten |
//! | the sessions in a real cache (`interpose/shadow.rs`) | forgotten: only copies get there now |
//! | a session of our own (`standalone/session.rs`) | a new session, without an id |
//! | ex_data without libcrypto (`standalone/ex_data.rs`) | empty |
//! | a connection, an id context (`standalone`) | as it was: it is changed one value at a time |
//!
//! What is forgotten or emptied is leaked: what may be half changed cannot be given back.

use std::sync::atomic::{AtomicBool, Ordering};

use sslcache_sync::fork;

/// Has the locks of the library free at every fork from now on. Once.
pub fn register() {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if REGISTERED.load(Ordering::Relaxed) || REGISTERED.swap(true, Ordering::Relaxed) {
        return;
    }
    fork::begin();
    // Without memory for that, a child finds out by itself that it is one.
    // SAFETY: functions that live as long as the library, which is never unloaded.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    fork::prepare();
}

unsafe extern "C" fn parent() {
    fork::parent();
}

unsafe extern "C" fn child() {
    fork::child();
}
