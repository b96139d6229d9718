//! What the browser brings back from a sign-in (RFC 6749 §4.1.2, RFC 9207).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{Error, ErrorKind, Result};
use url::form_urlencoded;

use super::denied;

const WHAT: &str = "answer to the sign-in";
/// Longest query that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// The code, once state and issuer are found right. `promised` is whether the server says that it names itself.
pub(super) fn code(query: &str, state: &SecretString, issuer: &str, promised: bool) -> Result<SecretString> {
    if query.len() > LONGEST {
        return Err(denied(WHAT, "it is too long"));
    }
    let [mut came, mut code, mut iss, mut error] = [None, None, None, None];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "state" => &mut came,
            "code" => &mut code,
            "iss" => &mut iss,
            "error" => &mut error,
            _ => continue,
        };
        // Which of two counts would depend on the reader.
        if place.replace(value.into_owned()).is_some() {
            return Err(denied(WHAT, "it has a parameter twice"));
        }
    }
    let came = came.unwrap_or_default();
    if verify_slices_are_equal(came.as_bytes(), state.expose_secret().as_bytes()).is_err() {
        return Err(denied(WHAT, "it belongs to another sign-in (state)"));
    }
    // RFC 9207 §2.4: compared as text, before anything else that the answer says.
    match iss {
        Some(iss) if iss == issuer => {}
        None if !promised => {}
        _ => return Err(denied(WHAT, "it is not from the issuer that was asked (iss)")),
    }
    match (code, error) {
        (Some(code), None) if !code.is_empty() => Ok(SecretString::from(code)),
        (None, Some(error)) => {
            let why = if error == "access_denied" {
                "the user, or the issuer, said no"
            } else {
                "the issuer refused"
            };
            Err(Error::new(ErrorKind::Denied, format!("the sign-in did not take place: {why}")))
        }
        _ => Err(denied(WHAT, "it holds neither a code nor an error, or both")),
    }
}
