//! Gives the shared library its SONAME; the Makefile's `install` makes the links that go with it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libsslcache.so.0");
}
