//! Allocation that may fail.
//!
//! std ends the process when `Box::new`, `Arc::new` or a growing `Vec` finds no memory. A library
//! in somebody else's process may not: libssl answers with an error there, and so do we. What is
//! allocated behind the C functions is allocated here, or by `try_reserve`.

use std::alloc::{Layout, alloc};
use std::collections::TryReserveError;
use std::ffi::CStr;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// There is no memory for what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        NoMemory
    }
}

/// `Box::new` that may fail. `value` is dropped then.
pub fn boxed<T>(value: T) -> Result<Box<T>, NoMemory> {
    boxed_with(|| value)
}

/// The same for a value that is not to be made, nor dropped, if it does not get its place.
fn boxed_with<T>(make: impl FnOnce() -> T) -> Result<Box<T>, NoMemory> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not 0.
    let memory = NonNull::new(unsafe { alloc(Layout::new::<T>()) }.cast::<T>()).ok_or(NoMemory)?;
    // SAFETY: fresh memory of the layout of a `T`, from the allocator of `Box`.
    unsafe {
        memory.write(make());
        Ok(Box::from_raw(memory.as_ptr()))
    }
}

/// A copy of `bytes`, of exactly their size.
pub fn copied(bytes: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())?;
    append_reserved(&mut copy, bytes);
    Ok(copy)
}

/// So many bytes, all 0.
pub fn zeroed(size: usize) -> Result<Vec<u8>, NoMemory> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size)?;
    resize_reserved(&mut bytes, size, 0);
    Ok(bytes)
}

/// `Vec::push` that may fail. `value` is dropped then.
pub fn push<T>(to: &mut Vec<T>, value: T) -> Result<(), NoMemory> {
    to.try_reserve(1)?;
    let len = to.len();
    // SAFETY: there is room for one more, which is written before it counts.
    unsafe {
        to.as_mut_ptr().add(len).write(value);
        to.set_len(len + 1);
    }
    Ok(())
}

/// `Vec::extend_from_slice` that may fail. Nothing is changed then.
pub fn append<T: Copy>(to: &mut Vec<T>, values: &[T]) -> Result<(), NoMemory> {
    to.try_reserve(values.len())?;
    append_reserved(to, values);
    Ok(())
}

/// `Vec::resize` that may fail. Nothing is changed then.
pub fn resize<T: Copy>(vector: &mut Vec<T>, size: usize, value: T) -> Result<(), NoMemory> {
    vector.try_reserve(size.saturating_sub(vector.len()))?;
    resize_reserved(vector, size, value);
    Ok(())
}

/// Appends where there is room. (std's own would look for more, and there is to be no way from here
/// to the end of the process, not even one that is never taken.)
fn append_reserved<T: Copy>(to: &mut Vec<T>, values: &[T]) {
    for (place, value) in to.spare_capacity_mut()[..values.len()].iter_mut().zip(values) {
        place.write(*value);
    }
    // SAFETY: so many more have been written.
    unsafe { to.set_len(to.len() + values.len()) };
}

fn resize_reserved<T: Copy>(vector: &mut Vec<T>, size: usize, value: T) {
    if let Some(more) = size.checked_sub(vector.len()) {
        vector.spare_capacity_mut()[..more].fill(std::mem::MaybeUninit::new(value));
    }
    // SAFETY: what is beyond the length so far has been written. What is cut off needs no drop.
    unsafe { vector.set_len(size) };
}

/// `CString` whose constructors may fail.
pub struct OwnedCStr(Vec<u8>);

impl OwnedCStr {
    /// The string of `bytes` up to their first NUL.
    pub fn until_nul(bytes: &[u8]) -> Result<Self, NoMemory> {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        let mut string = zeroed(end + 1)?;
        string[..end].copy_from_slice(&bytes[..end]);
        Ok(OwnedCStr(string))
    }

    /// A copy of `string`.
    pub fn copied(string: &CStr) -> Result<Self, NoMemory> {
        copied(string.to_bytes_with_nul()).map(OwnedCStr)
    }
}

impl Deref for OwnedCStr {
    type Target = CStr;

    fn deref(&self) -> &CStr {
        // SAFETY: made with one NUL, at the end, and never changed.
        unsafe { CStr::from_bytes_with_nul_unchecked(&self.0) }
    }
}

/// A counted reference to a `T` that its references share: `Arc` with a constructor that may fail,
/// and without weak references. The last reference drops the `T`.
pub struct Counted<T>(NonNull<Inner<T>>);

/// The count lies beside what is read first of the object.
#[repr(C)]
struct Inner<T> {
    references: AtomicUsize,
    value: T,
}

// SAFETY: as with `Arc`: a reference sent to another thread gives it `&T`, and, if it is the last
// one, the `T` itself to drop.
unsafe impl<T: Send + Sync> Send for Counted<T> {}
// SAFETY: as above: a `&Counted<T>` can be cloned.
unsafe impl<T: Send + Sync> Sync for Counted<T> {}

impl<T> Counted<T> {
    /// The first reference to what `make` makes, once there is memory for it: an object whose drop
    /// needs its address is not made in vain.
    pub fn new(make: impl FnOnce() -> T) -> Result<Self, NoMemory> {
        let inner = boxed_with(|| Inner { references: AtomicUsize::new(1), value: make() })?;
        Ok(Counted(NonNull::from(Box::leak(inner))))
    }

    /// Whether both refer to the very same object.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Gives the reference away as a pointer to the object; [`from_raw`](Counted::from_raw) takes
    /// it back.
    pub fn into_raw(self) -> *const T {
        let inner = std::mem::ManuallyDrop::new(self).0.as_ptr();
        // SAFETY: the address of a field of a live object.
        unsafe { &raw const (*inner).value }
    }

    /// Takes back a reference that was given away.
    ///
    /// # Safety
    /// `object` is from [`into_raw`](Counted::into_raw), and the caller gives up one reference.
    pub unsafe fn from_raw(object: *const T) -> Self {
        // SAFETY: the object lies in an `Inner` that begins this far before it.
        unsafe {
            let inner = object.byte_sub(std::mem::offset_of!(Inner<T>, value));
            Counted(NonNull::new_unchecked(inner.cast_mut().cast()))
        }
    }

    /// One more reference to an object that is known by its pointer.
    ///
    /// # Safety
    /// `object` is from [`into_raw`](Counted::into_raw), and somebody keeps a reference meanwhile.
    pub unsafe fn share(object: *const T) -> Self {
        // SAFETY: the caller's promise; the borrowed reference is not given back.
        unsafe { (*std::mem::ManuallyDrop::new(Counted::from_raw(object))).clone() }
    }

    fn references(&self) -> &AtomicUsize {
        // SAFETY: this reference keeps the object alive.
        unsafe { &self.0.as_ref().references }
    }
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        self.references().fetch_add(1, Ordering::Relaxed);
        Counted(self.0)
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this reference keeps the object alive.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        if self.references().fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Whatever was done through the other references is done before the drop. A load, for a
        // fence is nothing that ThreadSanitizer sees.
        self.references().load(Ordering::Acquire);
        // SAFETY: made by `new` from a box, and this was the last reference.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Knows by the count of the `Arc` whether it was dropped.
    fn witness() -> (Arc<()>, Arc<()>) {
        let witness = Arc::new(());
        (Arc::clone(&witness), witness)
    }

    #[test]
    fn the_last_reference_drops_the_object() {
        let (witness, value) = witness();
        let first = Counted::new(|| value).unwrap();
        let second = first.clone();
        assert!(first.ptr_eq(&second));
        drop(first);
        assert_eq!(Arc::strong_count(&witness), 2);
        drop(second);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn a_reference_goes_through_c_and_comes_back() {
        #[repr(align(128))]
        struct Wide(Arc<()>);
        let (witness, value) = witness();
        let pointer = Counted::new(|| Wide(value)).unwrap().into_raw();
        assert!(pointer.is_aligned());
        // SAFETY: from `into_raw`, whose reference is given up below.
        let shared = unsafe { Counted::share(pointer) };
        assert!(std::ptr::eq(&*shared, pointer));
        // SAFETY: from `into_raw`.
        drop(unsafe { Counted::from_raw(pointer) });
        assert!(Arc::ptr_eq(&(*shared).0, &witness));
        assert_eq!(Arc::strong_count(&witness), 2);
        drop(shared);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn threads_share_an_object() {
        let (witness, value) = witness();
        let shared = Counted::new(|| value).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mine = shared.clone();
                scope.spawn(move || (0..1000).for_each(|_| drop(mine.clone())));
            }
        });
        drop(shared);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn copies_are_equal_and_no_larger() {
        let copy = copied(b"abc").unwrap();
        assert_eq!((copy.as_slice(), copy.capacity()), (&b"abc"[..], 3));
        assert_eq!(copied(b"").unwrap().capacity(), 0);
        let mut vector = zeroed(2).unwrap();
        append(&mut vector, &[1, 2]).unwrap();
        push(&mut vector, 3).unwrap();
        assert_eq!(vector, [0, 0, 1, 2, 3]);
        resize(&mut vector, 7, 9).unwrap();
        assert_eq!(vector, [0, 0, 1, 2, 3, 9, 9]);
        resize(&mut vector, 1, 9).unwrap();
        assert_eq!(vector, [0]);
        assert_eq!(&*OwnedCStr::until_nul(b"ab\0c").unwrap(), c"ab");
        assert_eq!(&*OwnedCStr::until_nul(b"").unwrap(), c"");
        assert_eq!(&*OwnedCStr::copied(c"ab").unwrap(), c"ab");
        assert_eq!(*boxed([1, 2, 3]).unwrap(), [1, 2, 3]);
    }
}
