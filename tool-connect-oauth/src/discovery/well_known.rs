//! Where metadata is: the well-known addresses, in the order in which they are asked.

use url::Url;

const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Where an authorization server's metadata may be: RFC 8414 §3.1 (between host and path), OpenID Connect Discovery between
/// host and path, and OpenID Connect Discovery §4.1 (behind the path). This is the order that the authorization
/// specification of the Model Context Protocol asks for.
///
/// ```
/// use tool_connect_oauth::discovery::server_addresses;
/// let issuer = "https://as.example/tenant".parse().expect("a URL");
/// let addresses: Vec<String> = server_addresses(&issuer).into_iter().map(String::from).collect();
/// assert_eq!(addresses, [
///     "https://as.example/.well-known/oauth-authorization-server/tenant",
///     "https://as.example/.well-known/openid-configuration/tenant",
///     "https://as.example/tenant/.well-known/openid-configuration",
/// ]);
/// ```
#[must_use]
pub fn server_addresses(issuer: &Url) -> Vec<Url> {
    // A slash at the end goes (RFC 8414 §3.1, OpenID Connect Discovery §4.1).
    let path = issuer.path().trim_end_matches('/');
    let mut addresses =
        vec![with_path(issuer, &format!("{SERVER}{path}")), with_path(issuer, &format!("{OPENID}{path}"))];
    if !path.is_empty() {
        addresses.push(with_path(issuer, &format!("{path}{OPENID}")));
    }
    addresses
}

/// Where a protected resource's metadata may be (RFC 9728 §3.1), each with the resource identifier that it must name: the
/// resource's own, and, as the Model Context Protocol asks, that of its whole host.
#[must_use]
pub fn resource_addresses(resource: &Url) -> Vec<(Url, Url)> {
    let mut identifier = resource.clone();
    identifier.set_fragment(None);
    let path = identifier.path().trim_end_matches('/').to_owned();
    let root = with_path(&identifier, "/");
    let at_root = (with_path(&identifier, RESOURCE), root);
    if path.is_empty() && identifier.query().is_none() {
        return vec![at_root];
    }
    let mut own = with_path(&identifier, &format!("{RESOURCE}{path}"));
    own.set_query(identifier.query());
    vec![(own, identifier), at_root]
}

fn with_path(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}
