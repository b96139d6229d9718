//! The vault's errors: which record, which key, what to do; never a byte of a secret.

use std::borrow::Cow;

use tool_connect_core::{Effect, Error, ErrorKind, SealedPlace};

/// A sealed value that cannot be opened.
pub(super) fn refused(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Vault, message).effect(Effect::NotExecuted)
}

/// A key set or a provider that is not as it must be.
pub(super) fn config(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// A failure of the cryptographic library where none can be: no random bytes, say.
pub(super) fn internal(message: &'static str) -> Error {
    Error::new(ErrorKind::Internal, message).effect(Effect::NotExecuted)
}

/// The error with the record and the key that it is about.
pub(super) fn at(error: Error, place: &SealedPlace, key_id: &str) -> Error {
    error
        .with("tenant", &place.tenant)
        .with("record", place.record.escape_debug())
        .with("field", place.field.escape_debug())
        .with("key_id", key_id.escape_debug())
}

/// That the subject was erased.
pub(super) fn erased() -> Error {
    refused(
        "the subject was erased: its key is destroyed and none of its secrets can be opened or sealed again",
    )
    .public("This account was erased.")
}
