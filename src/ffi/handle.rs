//! Handles: the pointers a C program holds, and the Rust objects behind them.
//!
//! A handle of the standalone standing is an `Arc` turned into a raw pointer. Each reference a C
//! program counts is one strong count, so `up_ref` and `free` are the `Arc`'s own.

use std::sync::Arc;

/// A Rust type that a C program holds by a pointer to the opaque type `C`.
pub trait Handle: Sized {
    /// The opaque C type.
    type C;

    /// The pointer C knows this object by. It carries no reference of its own.
    fn as_c(&self) -> *mut Self::C {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// The object behind a pointer from C, or `None` for NULL.
    ///
    /// # Safety
    /// `pointer` is NULL or was made by [`into_c`](Handle::into_c) for this type and keeps a
    /// reference for as long as the result is used.
    unsafe fn borrow<'a>(pointer: *const Self::C) -> Option<&'a Self> {
        // SAFETY: the caller's promise; an Arc's raw pointer points to the object itself.
        unsafe { pointer.cast::<Self>().as_ref() }
    }

    /// Gives C one reference.
    fn into_c(object: Arc<Self>) -> *mut Self::C {
        Arc::into_raw(object).cast_mut().cast()
    }

    /// Takes one reference back from C: what `SSL_..._free` is given. `None` for NULL.
    ///
    /// # Safety
    /// As for [`borrow`](Handle::borrow), and the caller gives up one reference.
    unsafe fn from_c(pointer: *mut Self::C) -> Option<Arc<Self>> {
        if pointer.is_null() {
            return None;
        }
        // SAFETY: made by `into_c` from an Arc of this type; the caller owns the reference.
        Some(unsafe { Arc::from_raw(pointer.cast::<Self>()) })
    }

    /// One more reference to the object behind a pointer from C. `None` for NULL.
    ///
    /// # Safety
    /// As for [`borrow`](Handle::borrow).
    unsafe fn share(pointer: *const Self::C) -> Option<Arc<Self>> {
        if pointer.is_null() {
            return None;
        }
        // SAFETY: made by `into_c` from an Arc of this type, alive while the caller holds a reference.
        unsafe {
            Arc::increment_strong_count(pointer.cast::<Self>());
            Some(Arc::from_raw(pointer.cast::<Self>()))
        }
    }
}
