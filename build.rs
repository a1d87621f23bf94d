//! Gives the shared library its SONAME; `make install` makes the links that go with it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libsslcache.so.0");
    // libssl, libcrypto and the C library keep pointers to our functions: never unload them.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
