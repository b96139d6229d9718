//! The forms in which a secret can come out.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::SHORTEST;

/// RFC 3986 §2.3 unreserved characters stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What `application/x-www-form-urlencoded` encodes; it writes `+` for a space.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

/// A secret in all its forms; prints none of them.
#[derive(Clone)]
pub(crate) struct Secret(Vec<(&'static str, Vec<u8>)>);

impl Secret {
    pub(crate) fn new(secret: &[u8]) -> Self {
        assert!(
            secret.len() >= SHORTEST,
            "a secret of fewer than {SHORTEST} bytes would be found by chance; use a longer one"
        );
        let mut forms: Vec<(&'static str, Vec<u8>)> = vec![("plain", secret.to_vec())];
        let mut add = |name, form: Vec<u8>| {
            if forms.iter().all(|(_, known)| *known != form) {
                forms.push((name, form));
            }
        };
        if let Ok(text) = std::str::from_utf8(secret) {
            let json = serde_json::Value::from(text).to_string();
            add("escaped", inner(&json));
            add("escaped", inner(&format!("{text:?}")));
        }
        let percent = percent_encode(secret, ENCODED).to_string();
        add("percent-encoded", lower_hex_pairs(&percent));
        add("percent-encoded", percent.into_bytes());
        let form = percent_encode(secret, FORM).to_string().replace(' ', "+");
        add("percent-encoded", form.into_bytes());
        for offset in 0..3 {
            add("base64", aligned(secret, offset, &STANDARD_NO_PAD));
            add("base64", aligned(secret, offset, &URL_SAFE_NO_PAD));
        }
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        add("hex", hex.to_uppercase().into_bytes());
        add("hex", hex.into_bytes());
        add("byte list", inner(&format!("{secret:?}")));
        Self(forms)
    }

    /// The forms that occur, each name once.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> impl Iterator<Item = &'static str> {
        let mut names: Vec<_> = self
            .0
            .iter()
            .filter(|(_, form)| position(bytes, form).is_some())
            .map(|(name, _)| *name)
            .collect();
        names.dedup();
        names.into_iter()
    }

    /// Puts `with` in the place of every form; returns whether there was one.
    pub(crate) fn replace(&self, bytes: &mut Vec<u8>, with: &[u8]) -> bool {
        let mut replaced = false;
        for (_, form) in &self.0 {
            let mut done = 0;
            while let Some(at) = bytes.get(done..).and_then(|rest| position(rest, form)) {
                let start = done + at;
                bytes.splice(start..start + form.len(), with.iter().copied());
                done = start + with.len();
                replaced = true;
            }
        }
        replaced
    }
}

fn position(bytes: &[u8], form: &[u8]) -> Option<usize> {
    bytes.windows(form.len()).position(|window| window == form)
}

/// Without the quotes or brackets around it.
fn inner(text: &str) -> Vec<u8> {
    let mut chars = text.chars();
    chars.next();
    chars.next_back();
    chars.as_str().into()
}

fn lower_hex_pairs(percent: &str) -> Vec<u8> {
    let mut bytes = percent.to_owned().into_bytes();
    let mut at = 0;
    while let Some(pair) = bytes.get_mut(at..at + 3) {
        if pair.first() == Some(&b'%') {
            pair.make_ascii_lowercase();
            at += 3;
        } else {
            at += 1;
        }
    }
    bytes
}

/// The characters of a base64 text that depend on nothing but the secret, if it begins `offset`
/// bytes after a group of three.
fn aligned(secret: &[u8], offset: usize, engine: &impl base64::Engine) -> Vec<u8> {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(secret);
    let text = engine.encode(&padded).into_bytes();
    let first = (offset * 8).div_ceil(6);
    let whole = padded.len() * 8 / 6;
    text.get(first..whole).unwrap_or_default().to_vec()
}
