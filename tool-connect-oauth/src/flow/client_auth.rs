//! How a client proves itself (RFC 6749 §2.3, RFC 7523 §2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{Error, ErrorKind, Result};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::dpop::sensitive;
use super::failure::Sent;
use super::form::Form;
use super::grant::TokenClient;
use super::{assertion, http::Asked};
use crate::catalog::{BasicEncoding, ClientAuth, ClientAuthMethod};

/// `client_assertion_type` (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl TokenClient<'_> {
    /// Adds the client's proof to a request; exactly one, as RFC 6749 §2.3 demands.
    pub(super) fn authenticate(
        &self,
        asked: Asked<'_>,
        form: &mut Form,
        headers: &mut HeaderMap,
        sent: &mut Sent,
    ) -> Result<()> {
        let client = self.client;
        match &client.auth {
            // A provider for public clients has no use for a secret, and no business with it.
            _ if self.provider.entry.client_auth == [ClientAuthMethod::None] => {
                form.set("client_id", &client.id);
            }
            ClientAuth::PrivateKeyJwt { key, alg, kid } => {
                // An assertion for the token endpoint could be passed on by a server that named another one's.
                let audience =
                    self.provider.issuer.as_deref().unwrap_or_else(|| self.provider.endpoints.token.as_str());
                let key = (key, *alg, kid.as_deref());
                let proof = assertion::client_assertion(&client.id, audience, key, self.clock.now())?;
                form.set("client_id", &client.id);
                form.add("client_assertion_type", ASSERTION_TYPE);
                form.add("client_assertion", proof.expose_secret());
            }
            ClientAuth::Basic | ClientAuth::Post => {
                let secret = client.secret.as_ref().ok_or_else(|| {
                    let what = format_args!(
                        "client `{}` has no secret to authenticate with; configure one, or make it a public client",
                        client.id.escape_debug()
                    );
                    asked.error(ErrorKind::Config, what)
                })?;
                sent.hide(secret.expose_secret());
                if self.sends_basic() {
                    let pair = basic(&client.id, secret, self.provider.entry.token_request.basic);
                    sent.hide(&pair);
                    headers.insert(header::AUTHORIZATION, sensitive(&format!("Basic {}", *pair))?);
                } else {
                    form.set("client_id", &client.id);
                    form.add("client_secret", secret.expose_secret());
                }
            }
            ClientAuth::None => form.set("client_id", &client.id),
        }
        Ok(())
    }

    /// Whether a secret goes into a header: as the client is configured, unless the provider takes only the other way.
    fn sends_basic(&self) -> bool {
        let takes = |method| self.provider.entry.client_auth.contains(&method);
        match self.client.auth {
            ClientAuth::Post => !takes(ClientAuthMethod::Post) && takes(ClientAuthMethod::Basic),
            _ => takes(ClientAuthMethod::Basic) || !takes(ClientAuthMethod::Post),
        }
    }
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined; some providers want them as they are.
fn basic(id: &str, secret: &SecretString, encoding: BasicEncoding) -> Zeroizing<String> {
    let part = |text: &str| match encoding {
        BasicEncoding::Raw => Zeroizing::new(text.to_owned()),
        _ => Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect()),
    };
    let pair = Zeroizing::new(format!("{}:{}", *part(id), *part(secret.expose_secret())));
    Zeroizing::new(STANDARD.encode(pair.as_bytes()))
}

/// Where a client must have a secret, for a revocation that is not RFC 7009's.
pub(super) fn secret_of<'a>(
    client: &'a TokenClient<'_>,
    asked: Asked<'_>,
) -> Result<&'a SecretString, Error> {
    client.client.secret.as_ref().ok_or_else(|| {
        let what = format_args!(
            "client `{}` has no secret, which the provider wants for this; configure one",
            client.client.id.escape_debug()
        );
        asked.error(ErrorKind::Config, what)
    })
}

/// The header of basic authentication with the client's id and secret as they are.
pub(super) fn basic_header(id: &str, secret: &SecretString) -> Result<http::HeaderValue> {
    sensitive(&format!("Basic {}", *basic(id, secret, BasicEncoding::Raw)))
}
