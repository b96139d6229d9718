//! A provider as one connection sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::entry::{Endpoints, Probe, ProviderEntry, RefreshTokenBy};
use super::quirks::Revocation;
use super::template::{Filler, checked};

/// An entry with its parameters filled in for one connection; every address is checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provider {
    /// The entry, for everything that holds no parameters.
    pub entry: Arc<ProviderEntry>,
    /// The authorization server's issuer, where it has one.
    pub issuer: Option<String>,
    /// Where requests go.
    pub endpoints: Endpoints<Url>,
    /// The root of the provider's API, where the entry knows it.
    pub api: Option<Url>,
    /// The entry's probe, its address filled in.
    pub probe: Option<Probe>,
    /// The entry's revocation, its address filled in but for `{client_id}`: see [`revocation_url`](Self::revocation_url).
    pub revocation: Option<Revocation>,
}

impl ProviderEntry {
    /// Fills in the parameters from a connection's configuration and checks every address.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the parameter (with what it should be like) or the key of the entry. It never repeats
    /// the connection's value.
    pub fn resolve(&self, config: &BTreeMap<String, String>) -> Result<Provider> {
        Provider::resolve(Arc::new(self.clone()), config)
    }
}

impl Provider {
    /// [`ProviderEntry::resolve`] of a shared entry.
    ///
    /// # Errors
    /// As there.
    pub fn resolve(entry: Arc<ProviderEntry>, config: &BTreeMap<String, String>) -> Result<Self> {
        let filler = Filler::new(&entry, config)?;
        let url = |key: &str, template: &Option<String>| {
            template.as_deref().map(|template| filler.url(key, template)).transpose()
        };
        let from = &entry.endpoints;
        let mut endpoints = Endpoints::new(filler.url("endpoints.token", &from.token)?);
        endpoints.authorize = url("endpoints.authorize", &from.authorize)?;
        endpoints.refresh = url("endpoints.refresh", &from.refresh)?;
        endpoints.device = url("endpoints.device", &from.device)?;
        endpoints.revoke = url("endpoints.revoke", &from.revoke)?;
        endpoints.par = url("endpoints.par", &from.par)?;
        endpoints.introspect = url("endpoints.introspect", &from.introspect)?;
        endpoints.userinfo = url("endpoints.userinfo", &from.userinfo)?;
        endpoints.registration = url("endpoints.registration", &from.registration)?;
        // An issuer is compared as text (RFC 9207 §2.4): checked as an address, kept as it is written.
        let issuer = entry.issuer.as_deref().map(|issuer| filler.text("issuer", issuer)).transpose()?;
        if let Some(issuer) = &issuer {
            filler.url("issuer", issuer)?;
        }
        let api = url("api", &entry.api)?;
        let mut probe = entry.probe.clone();
        if let Some(request) = probe.as_mut().and_then(|probe| probe.request.as_mut()) {
            request.url = filler.url("probe.request.url", &request.url)?.into();
        }
        let mut revocation = entry.revocation.clone();
        if let Some(revocation) = &mut revocation {
            // `{client_id}` stays, to be filled with the client's.
            let held = revocation.url.replace(CLIENT_ID, CLIENT_ID_HELD);
            let checked = filler.url("revocation.url", &held)?;
            revocation.url = String::from(checked).replace(CLIENT_ID_HELD, CLIENT_ID);
        }
        Ok(Self { issuer, endpoints, api, probe, revocation, entry })
    }

    /// The provider's id in the catalog.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.entry.id
    }

    /// The authorization endpoint.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the provider has none.
    pub fn authorize_endpoint(&self) -> Result<&Url> {
        self.endpoints.authorize.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "provider `{0}` has no authorization endpoint: nobody can consent there; use another grant, or add \
                     `endpoints.authorize` to its entry",
                    self.entry.id
                ),
            )
        })
    }

    /// The scopes to ask for so that these are granted, the account can be recognised and a refresh token comes: the entry's
    /// own first, each once.
    #[must_use]
    pub fn scopes_to_request<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let entry = &self.entry;
        let own = entry.scopes.always.iter().map(String::as_str);
        let refresh = match &entry.refresh.granted_by {
            RefreshTokenBy::Scope(scope) => Some(scope.as_str()),
            _ => None,
        };
        let probe = entry.probe.iter().flat_map(|probe| &probe.scopes).map(String::as_str);
        let mut scopes: Vec<String> = Vec::new();
        let mut add = |scope: &str| {
            if !scopes.iter().any(|have| have == scope) {
                scopes.push(scope.to_owned());
            }
        };
        own.chain(probe).chain(refresh).for_each(&mut add);
        wanted.into_iter().for_each(&mut add);
        scopes
    }

    /// Where a revocation that is not RFC 7009's goes.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the entry has none, [`ErrorKind::Config`] where the client's id does not fit into an
    /// address.
    pub fn revocation_url(&self, client_id: &str) -> Result<Url> {
        let Some(revocation) = &self.revocation else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("provider `{}` has no revocation of its own", self.entry.id),
            ));
        };
        let id = utf8_percent_encode(client_id, UNRESERVED);
        checked(&revocation.url.replace(CLIENT_ID, &id.to_string()), self.entry.allow_loopback).map_err(
            |why| {
                Error::new(ErrorKind::Config, format!("provider `{}`: `revocation.url` {why}", self.entry.id))
            },
        )
    }
}

/// All but RFC 3986 §2.3's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const CLIENT_ID: &str = "{client_id}";
/// Stands for it while the rest is checked: plain in a path, refused in a host (by its upper case).
const CLIENT_ID_HELD: &str = "CLIENT_ID_HELD";
