//! fork: both sides go on with a warm cache.
//!
//! While the process forks, every cache is held still, so that the child's copy of none is half
//! changed, and no lock in the child is held by a thread that does not exist there.

use std::cell::RefCell;
use std::sync::Once;

use crate::interpose;
use crate::rules::FrozenContexts;
use crate::standalone;

struct Frozen {
    _interposed: FrozenContexts<interpose::Attached>,
    _standalone: FrozenContexts<standalone::Context>,
}

thread_local! {
    /// The forking thread's: it thaws in both processes, and locks are its own to release.
    static FROZEN: RefCell<Option<Frozen>> = const { RefCell::new(None) };
}

/// Has the caches held still at every fork from now on. Once.
pub fn register() {
    static REGISTER: Once = Once::new();
    REGISTER.call_once(|| {
        // SAFETY: functions that live as long as the library, which is never unloaded.
        unsafe { libc::pthread_atfork(Some(freeze), Some(thaw), Some(thaw)) };
    });
}

unsafe extern "C" fn freeze() {
    let frozen = Frozen { _interposed: interpose::freeze(), _standalone: standalone::freeze() };
    // A thread that is past its own end forks unfrozen.
    let _ = FROZEN.try_with(|slot| slot.replace(Some(frozen)));
}

unsafe extern "C" fn thaw() {
    drop(FROZEN.try_with(RefCell::take));
}
