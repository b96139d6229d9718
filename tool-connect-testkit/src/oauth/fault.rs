//! What goes wrong on demand.

use std::time::Duration;

/// An endpoint of an emulated server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/authorize`
    Authorize,
    /// `/token`
    Token,
    /// `/device`: device authorization (RFC 8628)
    Device,
    /// `/par`: pushed authorization requests (RFC 9126)
    Par,
    /// `/revoke` (RFC 7009)
    Revoke,
    /// `/introspect` (RFC 7662)
    Introspect,
    /// `/register`: dynamic client registration (RFC 7591)
    Register,
    /// `/jwks`
    Jwks,
    /// The metadata documents (RFC 8414, OpenID Connect discovery, RFC 9728)
    Metadata,
    /// `/exchange`: a name and a password for a token, as services without OAuth have it
    Exchange,
    /// `/userinfo`: who the account is
    Userinfo,
    /// `/api/..`: the protected service
    Api,
}

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 429 with this `Retry-After`, in seconds or as a date.
    TooManyRequests(Option<String>),
    /// This status with an empty body.
    Status(u16),
    /// This status with a page for people.
    Html(u16),
    /// An OAuth error (RFC 6749 §5.2): status 401 for `invalid_client`, else 400.
    Error(&'static str),
    /// A redirect with status 307 to another address.
    Redirect(String),
    /// The request is served, and of the answer's body only the first half comes.
    Truncated,
    /// The request is served, and the answer comes after so long.
    Slow(Duration),
    /// The request is served, and the answer is lost: the connection breaks.
    Lost,
    /// The request is not served: the connection breaks.
    Broken,
    /// Nothing is served and nothing is ever said.
    Silence,
    /// The request is served, and the body of the answer is this instead.
    Body(String),
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests to the token endpoint, of any kind and with any end.
    pub token_requests: u64,
    /// Those with `grant_type=refresh_token`.
    pub refresh_requests: u64,
    /// Answers with a new access token.
    pub tokens_issued: u64,
    /// Used refresh tokens that were used again beyond what the rotation tolerates.
    pub double_spends: u64,
    /// Grants that ended because of that, or because a code was used twice.
    pub family_revocations: u64,
    /// Codes that were used again.
    pub code_replays: u64,
    /// Requests to the API and to userinfo.
    pub api_requests: u64,
    /// Those of them that were answered with 401.
    pub api_refusals: u64,
    /// Tokens that came in a query or a form instead of a header.
    pub tokens_outside_headers: u64,
    /// DPoP proofs and assertions that came twice.
    pub replayed_proofs: u64,
    /// Revocation requests.
    pub revocations: u64,
}
