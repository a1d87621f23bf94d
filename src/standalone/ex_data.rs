//! ex_data: what applications hang on an object by index.
//!
//! Where libcrypto is in the process it is libcrypto's, so that the new, dup and free functions
//! given to `CRYPTO_get_ex_new_index` run as with libssl. Where it is not, an index is a place in a
//! list.

use std::cell::UnsafeCell;

use libc::{c_int, c_void};
use once_cell::race::OnceBox;
use sslcache_sync::{Guard, Lock, forget};

use crate::ffi::libcrypto::{LibCrypto, libcrypto};
use crate::ffi::memory::{NoMemory, append, boxed, resize};
use crate::ffi::types::CryptoExData;

/// The ex_data of one object.
pub struct ExData {
    store: Store,
    class: c_int,
}

enum Store {
    /// libcrypto guards its own lists of functions; a value's setters and getters are the
    /// application's to order, as with libssl.
    LibCrypto(&'static LibCrypto, UnsafeCell<CryptoExData>),
    /// Made when something is first put in: most objects have none.
    Own(OnceBox<Lock<Values>>),
}

type Values = Vec<*mut c_void>;

// SAFETY: the pointers are the application's and are never followed here. OpenSSL gives the same
// promise: setting one object's ex_data from two threads at once is the application's to avoid.
unsafe impl Send for ExData {}
// SAFETY: as above.
unsafe impl Sync for ExData {}

/// The greatest index kept without libcrypto: far above any real index; bounds the allocation for a
/// bogus one.
const MAX_OWN_INDEX: c_int = 4095;

impl ExData {
    /// Empty, for an object of this libcrypto class.
    pub fn new(class: c_int) -> Self {
        let store = match libcrypto() {
            Some(crypto) => Store::LibCrypto(crypto, UnsafeCell::new(CryptoExData::default())),
            None => Store::Own(OnceBox::new()),
        };
        ExData { class, store }
    }

    /// Runs the new functions: to be called once the object has its address.
    pub fn created(&self, object: *mut c_void) -> Result<(), NoMemory> {
        let Store::LibCrypto(crypto, data) = &self.store else { return Ok(()) };
        if let Some(new) = crypto.CRYPTO_new_ex_data {
            // SAFETY: `data` is ours, zeroed and exclusive: the object is not shared yet.
            let made = unsafe { new(self.class, object, data.get()) };
            return if made == 0 { Err(NoMemory) } else { Ok(()) };
        }
        Ok(())
    }

    /// Copies another object's through the dup functions: to be called after `created`.
    pub fn copy_from(&self, from: &ExData) -> Result<(), NoMemory> {
        match (&from.store, &self.store) {
            (Store::LibCrypto(crypto, from), Store::LibCrypto(_, to)) => {
                let Some(dup) = crypto.CRYPTO_dup_ex_data else { return Ok(()) };
                // SAFETY: both are live; `to` is exclusive: its object is not shared yet.
                let copied = unsafe { dup(self.class, to.get(), from.get()) };
                if copied == 0 { Err(NoMemory) } else { Ok(()) }
            }
            (Store::Own(from), Store::Own(to)) => {
                let Some(from) = from.get() else { return Ok(()) };
                let from = lock(from);
                append(&mut lock(own(to)?), &from)
            }
            _ => unreachable!("whether libcrypto is there is decided once"),
        }
    }

    /// `..._set_ex_data`
    pub fn set(&self, index: c_int, value: *mut c_void) -> bool {
        match &self.store {
            Store::LibCrypto(crypto, data) => match crypto.CRYPTO_set_ex_data {
                // libcrypto 1.1.1 accepts a negative index and 3.x refuses it: so do we.
                // SAFETY: `data` lives as long as self.
                Some(set) if index >= 0 => unsafe { set(data.get(), index, value) == 1 },
                _ => false,
            },
            Store::Own(values) if (0..=MAX_OWN_INDEX).contains(&index) => {
                set_own(values, index as usize, value).is_ok()
            }
            Store::Own(_) => false,
        }
    }

    /// `..._get_ex_data`
    pub fn get(&self, index: c_int) -> *mut c_void {
        let null = std::ptr::null_mut();
        match &self.store {
            Store::LibCrypto(crypto, data) => match crypto.CRYPTO_get_ex_data {
                // SAFETY: `data` lives as long as self.
                Some(get) => unsafe { get(data.get(), index) },
                None => null,
            },
            Store::Own(values) => {
                let index = usize::try_from(index).ok();
                let values = values.get().map(|values| lock(values));
                values.zip(index).and_then(|(v, i)| v.get(i).copied()).unwrap_or(null)
            }
        }
    }

    /// Runs the free functions: to be called while the object is still whole. Afterwards it is
    /// empty.
    pub fn free(&self, object: *mut c_void) {
        let Store::LibCrypto(crypto, data) = &self.store else { return };
        if let Some(free) = crypto.CRYPTO_free_ex_data {
            // SAFETY: the last reference of the object is going: nobody else uses its ex_data.
            unsafe { free(self.class, object, data.get()) };
        }
    }
}

fn own(values: &OnceBox<Lock<Values>>) -> Result<&Lock<Values>, NoMemory> {
    values.get_or_try_init(|| boxed(Lock::new(Vec::new())))
}

/// In the child of a fork, what another thread was just setting is forgotten: all of it.
fn lock(values: &Lock<Values>) -> Guard<'_, Values> {
    values.lock_or(|values| forget(values, Vec::new()))
}

fn set_own(
    values: &OnceBox<Lock<Values>>,
    index: usize,
    value: *mut c_void,
) -> Result<(), NoMemory> {
    let mut values = lock(own(values)?);
    if values.len() <= index {
        resize(&mut values, index + 1, std::ptr::null_mut())?;
    }
    values[index] = value;
    Ok(())
}
