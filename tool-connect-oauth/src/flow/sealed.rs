//! Secrets as bytes for a vault.

use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

/// JSON in a buffer that is wiped when dropped. The length is measured first: a buffer that grew would leave its older,
/// shorter self behind in memory.
pub(super) fn to_json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut length = Length(0);
    // Neither writer fails, and what is sealed here holds only text, numbers, lists and maps with text as keys.
    serde_json::to_writer(&mut length, value).expect("plain data serialises");
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *bytes, value).expect("plain data serialises");
    bytes
}

struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
