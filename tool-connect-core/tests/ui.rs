//! Misuse does not compile, and the message says the mend at the right token.
//!
//! The texts beside the cases are those of one compiler; after a change look at what
//! `TRYBUILD=overwrite cargo test -p tool-connect-core --test ui` makes of them.

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
