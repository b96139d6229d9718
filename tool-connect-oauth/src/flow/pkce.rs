//! Proof key for code exchange (RFC 7636), with S256 and nothing else.

use oauth2::PkceCodeChallenge;
use secrecy::{ExposeSecret, SecretString};

/// The only method; `plain` protects nobody.
pub(super) const S256: &str = "S256";

/// A new verifier and its challenge.
pub(super) fn pair() -> (SecretString, String) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    (verifier.into_secret().into(), challenge.as_str().to_owned())
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
pub(super) fn is_verifier(text: &SecretString) -> bool {
    let text = text.expose_secret();
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use oauth2::PkceCodeVerifier;

    use super::*;

    #[test]
    fn oauth_client_01_the_challenge_is_that_of_rfc_7636_appendix_b() {
        let text = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert!(is_verifier(&text.clone().into()));
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(text));
        assert_eq!(challenge.method().as_str(), S256);
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn oauth_client_01_a_verifier_is_43_to_128_unreserved_characters() {
        for fits in ["a".repeat(43), "~".repeat(128)] {
            assert!(is_verifier(&fits.into()));
        }
        for unfit in [String::new(), "a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(50))] {
            assert!(!is_verifier(&unfit.clone().into()), "{unfit}");
        }
        let (one, challenge) = pair();
        let (two, _) = pair();
        assert!(is_verifier(&one) && is_verifier(&two));
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert_ne!(one.expose_secret(), challenge, "never plain");
    }
}
