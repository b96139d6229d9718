//! How a file says how to authenticate: core's schemes, with every unknown key refused.

use serde::Deserialize;
use tool_connect_core::{AuthScheme, AwsSigV4, HmacScheme, OAuth2Scheme, TokenExchange};

/// A way to authenticate.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Auth {
    // With braces, so that an unknown key beside the type is refused.
    None {},
    ApiKeyHeader {
        header: String,
        #[serde(default)]
        prefix: String,
    },
    ApiKeyQuery {
        parameter: String,
    },
    Bearer {},
    Basic {},
    #[serde(rename = "oauth2")]
    OAuth2(OAuth2Scheme),
    TokenExchange(TokenExchange),
    Hmac(HmacScheme),
    #[serde(rename = "aws_sigv4")]
    AwsSigV4(AwsSigV4),
}

impl From<Auth> for AuthScheme {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::None {} => Self::None,
            Auth::ApiKeyHeader { header, prefix } => Self::ApiKeyHeader { header, prefix },
            Auth::ApiKeyQuery { parameter } => Self::ApiKeyQuery { parameter },
            Auth::Bearer {} => Self::Bearer,
            Auth::Basic {} => Self::Basic,
            Auth::OAuth2(scheme) => Self::OAuth2(scheme),
            Auth::TokenExchange(scheme) => Self::TokenExchange(scheme),
            Auth::Hmac(scheme) => Self::Hmac(scheme),
            Auth::AwsSigV4(scheme) => Self::AwsSigV4(scheme),
        }
    }
}
