//! OpenSSL's session cache as a library of its own.
pub mod cache;
