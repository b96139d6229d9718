//! Proofs of possession (RFC 9449).

use std::time::Duration;

use serde_json::Value;

use super::answer::{Asked, Refusal};
use super::client::unix;
use super::issuer::Inner;
use super::jose::{Jws, hashed, thumbprint};
use super::settings::Dpop;
use super::state::State;

/// How old a proof may be, and how far from the future.
const WINDOW: Duration = Duration::from_secs(300);

/// What a proof comes with.
pub(super) enum ProofFor<'a> {
    /// A token request.
    Token,
    /// A request to the API with this access token.
    Api(&'a str),
}

impl Inner {
    /// Checks the proof of a request; returns the thumbprint of its key, or `None` where there is no proof and none is needed.
    pub(super) fn proof(
        &self,
        state: &mut State,
        asked: &Asked,
        purpose: ProofFor<'_>,
    ) -> Result<Option<String>, Refusal> {
        let mut proofs = asked.headers.get_all("dpop").iter();
        let bad = |why| Refusal::new("invalid_dpop_proof", why);
        let proof = match (proofs.next(), proofs.next()) {
            (None, _) if self.settings.dpop == Dpop::Accepted && matches!(purpose, ProofFor::Token) => {
                return Ok(None);
            }
            (Some(proof), None) => proof.to_str().map_err(|_| bad("the proof is no text"))?,
            _ => return Err(bad("exactly one proof is needed")),
        };
        let jws = Jws::parse(proof).ok_or(bad("the proof is malformed"))?;
        let jwk = &jws.header["jwk"];
        let claims = &jws.claims;
        let (now, window) = (unix(self.now()), WINDOW.as_secs());
        let mut target = asked.url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let ath = match purpose {
            ProofFor::Token => Value::Null,
            ProofFor::Api(token) => Value::String(hashed(token)),
        };
        let jti = claims["jti"].as_str().unwrap_or_default();
        let why = if jws.header["typ"] != "dpop+jwt" {
            "its typ is not dpop+jwt"
        } else if jwk.get("d").is_some() {
            "it shows the private key"
        } else if !jws.verify(jwk) {
            "its signature is wrong"
        } else if claims["htm"] != asked.method.as_str() {
            "its htm is not the method"
        } else if claims["htu"] != target.as_str() {
            "its htu is not the address"
        } else if claims["iat"].as_u64().is_none_or(|at| at.abs_diff(now) > window) {
            "its iat is too far off"
        } else if claims["ath"] != ath {
            "its ath is not the hash of the access token"
        } else if jti.is_empty() || !state.proof_is_new("dpop", jti) {
            "its jti is missing or was used before"
        } else if self.settings.dpop == Dpop::RequiredWithNonce
            && claims["nonce"] != state.dpop_nonce().as_str()
        {
            let nonce = state.dpop_nonce();
            return Err(Refusal::new("use_dpop_nonce", "a nonce of the server's is required")
                .header("dpop-nonce", nonce));
        } else {
            return Ok(Some(thumbprint(jwk).ok_or(bad("its key is malformed"))?));
        };
        Err(bad(why))
    }
}
