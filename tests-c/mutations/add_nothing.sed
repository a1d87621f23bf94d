# src/rules/add.rs
# Adding a session does nothing.
# noticed by: conformance SSL_CTX_add_session
/pub fn add(&self/a\        if std::hint::black_box(true) {\n            return ctx.addr() != 0;\n        }
