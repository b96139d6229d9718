//! A catalog entry made of metadata, so that every flow works with a server that no catalog knows.

use url::Url;

use super::server::{ServerMetadata, is_loopback};
use crate::catalog::{ClientAuthMethod, Endpoints, Pkce, ProviderEntry, RefreshTokenBy};

impl ServerMetadata {
    /// A catalog entry under an id of the host's choice.
    ///
    /// Nothing is guessed: what the metadata does not say has the RFCs' defaults, and refresh tokens count as rotating
    /// strictly, the cautious form. Where the server names the scope `offline_access`, it is asked for.
    #[must_use]
    pub fn entry(&self, id: &str) -> ProviderEntry {
        let mut entry = ProviderEntry::new(id, literal(&self.token_endpoint));
        entry.issuer = Some(braces(&self.issuer));
        let optional = |url: &Option<Url>| url.as_ref().map(literal);
        let mut endpoints = Endpoints::new(literal(&self.token_endpoint));
        endpoints.authorize = optional(&self.authorization_endpoint);
        endpoints.device = optional(&self.device_authorization_endpoint);
        endpoints.revoke = optional(&self.revocation_endpoint);
        endpoints.par = optional(&self.pushed_authorization_request_endpoint);
        endpoints.introspect = optional(&self.introspection_endpoint);
        endpoints.userinfo = optional(&self.userinfo_endpoint);
        endpoints.registration = optional(&self.registration_endpoint);
        entry.endpoints = endpoints;
        entry.client_auth = self.client_auth();
        if self.code_challenge_methods_supported.is_some() {
            entry.pkce = Pkce::Supported;
        }
        let scopes = self.scopes_supported.iter().flatten();
        for scope in scopes {
            if scope == "offline_access" {
                entry.refresh.granted_by = RefreshTokenBy::Scope(scope.clone());
            }
            entry.scopes.known.insert(scope.clone(), String::new());
        }
        // The metadata passed the same rule when it was read.
        entry.allow_loopback = [Some(&self.token_endpoint), self.authorization_endpoint.as_ref()]
            .into_iter()
            .flatten()
            .any(|url| url.scheme() == "http" && is_loopback(url));
        entry
    }

    /// How clients may authenticate, in the server's order, as far as we know the method.
    #[must_use]
    pub fn client_auth(&self) -> Vec<ClientAuthMethod> {
        self.token_endpoint_auth_methods_supported
            .iter()
            .filter_map(|method| match method.as_str() {
                "none" => Some(ClientAuthMethod::None),
                "client_secret_basic" => Some(ClientAuthMethod::Basic),
                "client_secret_post" => Some(ClientAuthMethod::Post),
                "private_key_jwt" => Some(ClientAuthMethod::PrivateKeyJwt),
                _ => None,
            })
            .collect()
    }
}

/// An address as an entry's template: a brace in it is a brace, not a parameter.
fn literal(url: &Url) -> String {
    braces(url.as_str())
}

fn braces(text: &str) -> String {
    text.replace('{', "%7B").replace('}', "%7D")
}
