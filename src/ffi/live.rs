//! Objects of C that are there: a pointer is looked at once, where it comes in.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::types::{SSL, SSL_CTX};

/// An object of C's, not NULL, and alive for as long as `'a`: a callback's argument, or what a
/// caller passes while it holds a reference.
pub struct Live<'a, T>(NonNull<T>, PhantomData<&'a T>);

/// A context.
pub type Ctx<'a> = Live<'a, SSL_CTX>;
/// A connection.
pub type Ssl<'a> = Live<'a, SSL>;

impl<T> Clone for Live<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Live<'_, T> {}

impl<'a, T> Live<'a, T> {
    /// What C passes; `None` for NULL.
    ///
    /// # Safety
    /// `object` is NULL, or alive for as long as `'a`.
    pub unsafe fn from_c(object: *const T) -> Option<Self> {
        NonNull::new(object.cast_mut()).map(|object| Live(object, PhantomData))
    }

    /// The handle of an object of ours.
    pub fn of<O: super::handle::Handle<C = T>>(object: &'a O) -> Self {
        Live(NonNull::from(object).cast(), PhantomData)
    }

    /// The pointer, for C.
    pub fn as_ptr(self) -> *mut T {
        self.0.as_ptr()
    }

    /// The address.
    pub fn addr(self) -> usize {
        self.0.as_ptr().addr()
    }
}
