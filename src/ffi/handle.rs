//! Handles: the pointers a C program holds, and the Rust objects behind them.
//!
//! A handle of the standalone standing is a [`Counted`] reference turned into a raw pointer. Of a
//! session each reference that a C program counts is one of these; contexts and connections, whose
//! end comes before that of their memory, count C's references themselves.

use super::memory::Counted;

/// The first word of every object of ours that C holds, by which it is told from those of a libssl:
/// no object of theirs begins with an address in this library.
#[derive(Clone, Copy)]
pub struct Tag(#[allow(dead_code, reason = "read through a pointer from C")] &'static u64);

static MARK: u64 = 0;

impl Tag {
    /// The tag.
    pub const OURS: Tag = Tag(&MARK);
}

/// Whether an object that C passed is one of ours.
///
/// # Safety
/// `object` points to a readable word.
#[inline(always)]
pub unsafe fn is_tagged(object: *const usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { *object == (&raw const MARK).addr() }
}

/// A Rust type that a C program holds by a pointer to the opaque type `C`. It begins with a
/// [`Tag`].
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
        // SAFETY: the caller's promise; the pointer is that of the object itself.
        unsafe { pointer.cast::<Self>().as_ref() }
    }

    /// Gives C one reference.
    fn into_c(object: Counted<Self>) -> *mut Self::C {
        Counted::into_raw(object).cast_mut().cast()
    }

    /// Takes one reference back from C: what `SSL_..._free` is given. `None` for NULL.
    ///
    /// # Safety
    /// As for [`borrow`](Handle::borrow), and the caller gives up one reference.
    unsafe fn from_c(pointer: *mut Self::C) -> Option<Counted<Self>> {
        if pointer.is_null() {
            return None;
        }
        // SAFETY: made by `into_c`; the caller owns the reference.
        Some(unsafe { Counted::from_raw(pointer.cast::<Self>()) })
    }

    /// One more reference to the object behind a pointer from C. `None` for NULL.
    ///
    /// # Safety
    /// As for [`borrow`](Handle::borrow).
    unsafe fn share(pointer: *const Self::C) -> Option<Counted<Self>> {
        if pointer.is_null() {
            return None;
        }
        // SAFETY: made by `into_c`, and alive while the caller holds a reference.
        Some(unsafe { Counted::share(pointer.cast::<Self>()) })
    }
}
