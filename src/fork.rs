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
    interposed: FrozenContexts<interpose::Attached>,
    standalone: FrozenContexts<standalone::Context>,
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
        unsafe { libc::pthread_atfork(Some(freeze), Some(thaw_parent), Some(thaw_child)) };
    });
}

unsafe extern "C" fn freeze() {
    let frozen = Frozen { interposed: interpose::freeze(), standalone: standalone::freeze() };
    // A thread that is past its own end forks unfrozen.
    let _ = FROZEN.try_with(|slot| slot.replace(Some(frozen)));
}

fn frozen() -> Option<Frozen> {
    FROZEN.try_with(RefCell::take).ok().flatten()
}

unsafe extern "C" fn thaw_parent() {
    drop(frozen());
}

unsafe extern "C" fn thaw_child() {
    if let Some(Frozen { interposed, standalone }) = frozen() {
        interposed.release_in_child();
        standalone.release_in_child();
    }
}
