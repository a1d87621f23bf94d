//! The loaded objects of this process (the program and its libraries), and what they define.
//!
//! Read from their dynamic sections, as the dynamic linker itself reads them. It is not asked:
//! dlsym and dlopen wait for its lock, which a thread holds as long as the constructors of what it
//! loads run, and these may be waiting for the caller of ours. `dl_iterate_phdr` has another lock,
//! under which nothing foreign runs; so nothing may be allocated in these callbacks either.

use std::ffi::CStr;
use std::ops::Range;

use libc::{c_char, c_int, c_void, dl_phdr_info, size_t};

#[cfg(target_pointer_width = "32")]
use libc::{Elf32_Phdr as Header, Elf32_Sym as Symbol};
#[cfg(target_pointer_width = "64")]
use libc::{Elf64_Phdr as Header, Elf64_Sym as Symbol};
use sslcache_sync::fork;

/// How often something was loaded and unloaded so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Changes {
    /// Objects that were loaded.
    pub loaded: u64,
    /// Objects that were unloaded.
    pub unloaded: u64,
}

/// The loaded objects, while none can come or go.
pub struct Loaded(());

/// One of them.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// What its addresses begin at.
    pub base: usize,
    /// The path it was loaded from; empty for the program.
    pub path: &'a CStr,
    headers: &'a [Header],
}

/// Runs `work` while nothing can be loaded or unloaded. It is not to allocate.
pub fn held<R>(work: impl FnOnce(&Loaded) -> R) -> Option<R> {
    let (mut work, mut result) = (Some(work), None);
    iterate(&mut |_| {
        result = work.take().map(|work| work(&Loaded(())));
        true
    });
    result
}

/// What has changed since the process began.
pub fn changes() -> Changes {
    let mut changes = Changes::default();
    iterate(&mut |info| {
        changes = Changes { loaded: info.dlpi_adds, unloaded: info.dlpi_subs };
        true
    });
    changes
}

impl Loaded {
    /// Runs `visit` for each object, in the order of loading, until it returns something.
    pub fn each<'a, R>(&'a self, mut visit: impl FnMut(Object<'a>) -> Option<R>) -> Option<R> {
        let mut result = None;
        iterate(&mut |info| {
            // SAFETY: what describes an object stays as long as the object, so as long as `self`.
            let Some(object) = (unsafe { Object::new(info) }) else { return false };
            result = visit(object);
            result.is_some()
        });
        result
    }

    /// The object that has `address` in it.
    pub fn containing(&self, address: usize) -> Option<Object<'_>> {
        self.each(|object| object.contains(address).then_some(object))
    }
}

/// Calls `visit` until it returns true.
///
/// The loader has a lock of its own for that, which it does not free in the child of a fork.
fn iterate(visit: &mut dyn FnMut(&dl_phdr_info) -> bool) {
    type Visit<'a> = &'a mut dyn FnMut(&dl_phdr_info) -> bool;
    unsafe extern "C" fn callback(info: *mut dl_phdr_info, _: size_t, data: *mut c_void) -> c_int {
        // SAFETY: the C library's description of an object, and the reference that is passed below.
        unsafe { (*data.cast::<Visit<'_>>())(&*info).into() }
    }
    let mut visit: Visit<'_> = visit;
    // SAFETY: `data` is the reference, which outlives the call.
    fork::put_off(|| unsafe { libc::dl_iterate_phdr(Some(callback), (&raw mut visit).cast()) });
}

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;

const DT_NULL: usize = 0;
const DT_NEEDED: usize = 1;
const DT_HASH: usize = 4;
const DT_STRTAB: usize = 5;
const DT_SYMTAB: usize = 6;
const DT_SONAME: usize = 14;
const DT_SYMBOLIC: usize = 16;
const DT_FLAGS: usize = 30;
const DT_VERSYM: usize = 0x6fff_fff0;
const DT_VERDEF: usize = 0x6fff_fffc;
const DT_GNU_HASH: usize = 0x6fff_fef5;

const DF_SYMBOLIC: usize = 2;

/// The version of a symbol that only those find who ask for it by name.
const VERSION_HIDDEN: u16 = 0x8000;

/// An entry of a dynamic section.
#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    tag: usize,
    value: usize,
}

/// A version that an object defines: the head of `Elfxx_Verdef`, and its first `Elfxx_Verdaux`.
#[repr(C)]
struct VersionDefinition {
    revision: u16,
    flags: u16,
    index: u16,
    names: u16,
    hash: u32,
    /// Where its name is, from here.
    name: u32,
    /// Where the next one is, from here; 0 for the last.
    next: u32,
}

impl<'a> Object<'a> {
    /// # Safety
    /// The object stays loaded for `'a`.
    unsafe fn new(info: &dl_phdr_info) -> Option<Self> {
        if info.dlpi_phdr.is_null() {
            return None;
        }
        // SAFETY: the loader's own string and the object's own headers; the caller's promise.
        let (path, headers) = unsafe {
            let path = if info.dlpi_name.is_null() { c"" } else { CStr::from_ptr(info.dlpi_name) };
            (path, std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)))
        };
        Some(Object { base: info.dlpi_addr as usize, path, headers })
    }

    /// Whether `address` is in one of its segments.
    pub fn contains(&self, address: usize) -> bool {
        self.headers.iter().filter(|header| header.p_type == PT_LOAD).any(|header| {
            let start = self.base.wrapping_add(header.p_vaddr as usize);
            address.wrapping_sub(start) < header.p_memsz as usize
        })
    }

    /// From its first to its last address. Nothing else is in between.
    pub fn span(&self) -> Range<usize> {
        let loads = self.headers.iter().filter(|header| header.p_type == PT_LOAD);
        let start = loads.clone().map(|header| header.p_vaddr as usize).min().unwrap_or(0);
        let end = loads.map(|header| (header.p_vaddr + header.p_memsz) as usize).max().unwrap_or(0);
        self.base.wrapping_add(start)..self.base.wrapping_add(end)
    }

    fn entries(&self) -> impl Iterator<Item = Entry> + 'a {
        let header = self.headers.iter().find(|header| header.p_type == PT_DYNAMIC);
        let mut entry = header.map_or(std::ptr::null::<Entry>(), |header| {
            std::ptr::with_exposed_provenance(self.base.wrapping_add(header.p_vaddr as usize))
        });
        std::iter::from_fn(move || {
            if entry.is_null() {
                return None;
            }
            // SAFETY: the loaded dynamic section, which ends with DT_NULL.
            let this = unsafe { *entry };
            if this.tag == DT_NULL {
                return None;
            }
            // SAFETY: not the last.
            entry = unsafe { entry.add(1) };
            Some(this)
        })
    }

    fn value(&self, tag: usize) -> Option<usize> {
        self.entries().find(|entry| entry.tag == tag).map(|entry| entry.value)
    }

    fn table<T>(&self, tag: usize) -> Option<*const T> {
        let value = self.value(tag)?;
        // The loader has made most of them addresses; not those of what the kernel loads.
        let address = if value < self.base { self.base + value } else { value };
        Some(std::ptr::with_exposed_provenance(address))
    }

    fn string(&self, offset: usize) -> Option<&'a CStr> {
        let strings: *const c_char = self.table(DT_STRTAB)?;
        // SAFETY: an offset from the object's own tables into its own strings.
        Some(unsafe { CStr::from_ptr(strings.add(offset)) })
    }

    /// What other objects call it that need it.
    pub fn soname(&self) -> Option<&'a CStr> {
        self.value(DT_SONAME).and_then(|offset| self.string(offset))
    }

    /// The names of the objects that it needs itself, in their order.
    pub fn needed(&self) -> impl Iterator<Item = &'a CStr> {
        let this = *self;
        let needed = self.entries().filter(|entry| entry.tag == DT_NEEDED);
        needed.filter_map(move |entry| this.string(entry.value))
    }

    /// Whether its own calls of what it defines stay within it.
    pub fn is_symbolic(&self) -> bool {
        self.value(DT_SYMBOLIC).is_some() || self.value(DT_FLAGS).unwrap_or(0) & DF_SYMBOLIC != 0
    }

    /// The address of what it defines under this name; NULL if it does not.
    pub fn symbol(&self, name: &CStr) -> *mut c_void {
        self.find(name).map_or(std::ptr::null_mut(), |(symbol, _)| {
            std::ptr::with_exposed_provenance_mut(self.base.wrapping_add(symbol.st_value as usize))
        })
    }

    /// Whether it defines this name.
    pub fn defines(&self, name: &CStr) -> bool {
        self.find(name).is_some()
    }

    /// Whether it asks the loader for this name: it uses it and does not define it.
    pub fn asks_for(&self, name: &CStr) -> bool {
        let Some(symbols) = self.table::<Symbol>(DT_SYMTAB) else { return false };
        // The symbols that others may not find come first, and are not hashed.
        let count = match (self.table::<u32>(DT_GNU_HASH), self.table::<u32>(DT_HASH)) {
            // SAFETY: the second word of the object's own table: the first symbol that is hashed.
            (Some(table), _) => unsafe { *table.add(1) },
            // SAFETY: the second word of the object's own table: the number of its symbols.
            (None, Some(table)) => unsafe { *table.add(1) },
            (None, None) => 0,
        };
        (1..count as usize).any(|number| {
            // SAFETY: the object's own symbols, of which there are more.
            let symbol = unsafe { &*symbols.add(number) };
            symbol.st_shndx == 0 && self.string(symbol.st_name as usize) == Some(name)
        })
    }

    /// The version under which it defines this name, if it has versions.
    pub fn version(&self, name: &CStr) -> Option<&'a CStr> {
        let (_, version) = self.find(name)?;
        let mut definition: *const VersionDefinition = self.table(DT_VERDEF)?;
        loop {
            // SAFETY: the object's own list of versions, of which the last one says so; a name is
            // the offset of a string.
            unsafe {
                if (*definition).index == version? & !VERSION_HIDDEN {
                    let name = definition.byte_add((*definition).name as usize).cast::<u32>();
                    return self.string(*name as usize);
                }
                if (*definition).next == 0 {
                    return None;
                }
                definition = definition.byte_add((*definition).next as usize);
            }
        }
    }

    /// The symbol that the object defines under this name, and the number of its version.
    fn find(&self, name: &CStr) -> Option<(&'a Symbol, Option<u16>)> {
        let symbols: *const Symbol = self.table(DT_SYMTAB)?;
        let versions: Option<*const u16> = self.table(DT_VERSYM);
        let matches = |number: u32| {
            // SAFETY: the number is from the object's own hash table, and so within both tables.
            let (symbol, version) = unsafe {
                let number = number as usize;
                (&*symbols.add(number), versions.map(|versions| *versions.add(number)))
            };
            let is_defined = symbol.st_shndx != 0 && symbol.st_value != 0;
            let is_shown = version.is_none_or(|version| version & VERSION_HIDDEN == 0);
            (is_defined && is_shown && self.string(symbol.st_name as usize) == Some(name))
                .then_some((symbol, version))
        };
        match self.table::<u32>(DT_GNU_HASH) {
            // SAFETY: the object's own table.
            Some(table) => unsafe { find_in_gnu_hash(table, name, matches) },
            // SAFETY: as above.
            None => unsafe { find_in_hash(self.table(DT_HASH)?, name, matches) },
        }
    }
}

/// Looks up a name in a `DT_GNU_HASH`: a Bloom filter, buckets, and the hashes of each bucket's
/// symbols, of which the last one is odd.
///
/// # Safety
/// `table` is a loaded object's.
unsafe fn find_in_gnu_hash<R>(
    table: *const u32,
    name: &CStr,
    matches: impl Fn(u32) -> Option<R>,
) -> Option<R> {
    let mix = |hash: u32, &byte: &u8| hash.wrapping_mul(33).wrapping_add(byte.into());
    let hash = name.to_bytes().iter().fold(5381, mix);
    // SAFETY: the layout of the table, which says its own sizes.
    unsafe {
        let (buckets, first) = (*table, *table.add(1));
        let (filter_words, filter_shift) = (*table.add(2), *table.add(3));
        let filter = table.add(4).cast::<usize>();
        let word = *filter.add(((hash / usize::BITS) & (filter_words - 1)) as usize);
        let both =
            (word >> (hash % usize::BITS)) & (word >> ((hash >> filter_shift) % usize::BITS));
        if both & 1 == 0 {
            return None;
        }
        let bucket = filter.add(filter_words as usize).cast::<u32>();
        let chains = bucket.add(buckets as usize);
        let mut number = *bucket.add((hash % buckets) as usize);
        if number < first {
            return None;
        }
        loop {
            let other = *chains.add((number - first) as usize);
            if other | 1 == hash | 1 {
                if let Some(found) = matches(number) {
                    return Some(found);
                }
            }
            if other & 1 != 0 {
                return None;
            }
            number += 1;
        }
    }
}

/// The same in a `DT_HASH`.
///
/// # Safety
/// `table` is a loaded object's.
unsafe fn find_in_hash<R>(
    table: *const u32,
    name: &CStr,
    matches: impl Fn(u32) -> Option<R>,
) -> Option<R> {
    let hash = name.to_bytes().iter().fold(0u32, |hash, &byte| {
        let hash = (hash << 4).wrapping_add(byte.into());
        (hash ^ ((hash >> 24) & 0xf0)) & 0x0fff_ffff
    });
    // SAFETY: the layout of the table, which says its own sizes.
    unsafe {
        let buckets = *table;
        let (bucket, chain) = (table.add(2), table.add(2 + buckets as usize));
        let mut number = *bucket.add((hash % buckets) as usize);
        while number != 0 {
            if let Some(found) = matches(number) {
                return Some(found);
            }
            number = *chain.add(number as usize);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_libc<R>(look: impl FnOnce(Object) -> R) -> R {
        let address = libc::getpid as *const () as usize;
        held(|loaded| look(loaded.containing(address).expect("it is loaded"))).unwrap()
    }

    #[test]
    fn what_an_object_defines_is_where_the_linker_finds_it() {
        for name in [c"getpid", c"malloc", c"fopen", c"pthread_create", c"dl_iterate_phdr"] {
            // SAFETY: dlsym with a C string.
            let asked = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            assert_eq!(of_libc(|object| object.symbol(name)), asked, "{name:?}");
        }
        assert!(of_libc(|object| object.symbol(c"no_such_function")).is_null());
    }

    #[test]
    fn an_object_says_its_name_and_what_it_needs() {
        of_libc(|object| {
            assert_eq!(object.soname(), Some(c"libc.so.6"));
            assert!(object.version(c"getpid").unwrap().to_bytes().starts_with(b"GLIBC_"));
        });
        held(|loaded| {
            let program = loaded.each(Some).expect("the program is the first");
            assert!(program.path.is_empty());
            assert!(program.needed().any(|name| name == c"libc.so.6"));
            assert!(program.asks_for(c"dl_iterate_phdr") && !program.asks_for(c"no_such_function"));
        });
    }

    #[test]
    fn what_is_loaded_counts() {
        let before = changes();
        assert!(before.loaded > 0);
        assert_eq!(held(|_| changes()), Some(before));
    }
}
