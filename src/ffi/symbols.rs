//! Tables of functions that are looked up by name at run time.

/// Declares a struct with one optional function pointer per symbol, and `resolve`, which fills it.
macro_rules! symbol_table {
    ($(#[$doc:meta])* pub struct $table:ident {
        $(fn $name:ident($($argument:ty),* $(,)?) $(-> $result:ty)?;)*
    }) => {
        $(#[$doc])*
        #[allow(non_snake_case)]
        pub struct $table {
            $(
                #[doc = concat!("`", stringify!($name), "`, if it was found.")]
                pub $name: Option<unsafe extern "C-unwind" fn($($argument),*) $(-> $result)?>,
            )*
        }

        impl $table {
            /// Asks `look_up` for every symbol by its name; NULL means it is not there.
            pub fn resolve(look_up: impl Fn(&std::ffi::CStr) -> *mut libc::c_void) -> Self {
                $table {
                    $($name: {
                        const NAME: &str = concat!(stringify!($name), "\0");
                        let name = std::ffi::CStr::from_bytes_with_nul(NAME.as_bytes())
                            .expect("a symbol's name has no NUL");
                        let address = look_up(name);
                        type Function = Option<unsafe extern "C-unwind" fn($($argument),*) $(-> $result)?>;
                        // SAFETY: a symbol of this name in libssl or libcrypto is the documented
                        // function, whose C prototype is the one given; NULL is None.
                        unsafe { std::mem::transmute::<*mut libc::c_void, Function>(address) }
                    },)*
                }
            }
        }
    };
}

pub(crate) use symbol_table;
