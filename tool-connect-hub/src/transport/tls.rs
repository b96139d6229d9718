//! Whose certificates are trusted: one TLS configuration, shared by all clients of a transport.

use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::settings::Roots;

/// TLS as the settings want it.
#[derive(Clone)]
pub(super) struct Tls {
    /// Without ALPN protocols: each client adds those that it speaks.
    pub(super) config: ClientConfig,
    /// Why the machine's root certificates cannot be used.
    rootless: Option<Arc<str>>,
}

impl Tls {
    /// # Errors
    /// [`ErrorKind::Config`] that says what is wrong with `roots`.
    pub(super) fn new(roots: &Roots) -> Result<Self> {
        // A provider that the host has installed for the process is used; none is installed here.
        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
        let certificates = certificates(roots)?;
        let verifier = match roots {
            Roots::Platform => Verifier::new(Arc::clone(&provider)).map(Some),
            Roots::PlatformAnd(_) => and_platform(certificates.clone(), Arc::clone(&provider)).map(Some),
            Roots::Pem(_) | Roots::File(_) => Ok(None),
        };
        let (verifier, rootless) = match verifier {
            Ok(verifier) => (verifier, None),
            // A host that speaks https to nobody must be able to start on a bare image.
            Err(why) if *roots == Roots::Platform => (None, Some(why.to_string().into())),
            Err(why) => return Err(invalid("cannot be used").with("cause", &why).caused_by(why)),
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|why| {
            Error::new(ErrorKind::Config, "the installed TLS provider cannot be used").caused_by(why)
        })?;
        let builder = match verifier {
            Some(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
            None => {
                let mut store = RootCertStore::empty();
                for certificate in certificates {
                    let added = store.add(certificate);
                    added.map_err(|why| invalid("holds a certificate that is no root").caused_by(why))?;
                }
                builder.with_root_certificates(store)
            }
        };
        Ok(Self { config: builder.with_no_client_auth(), rootless })
    }

    /// Says before connecting why no TLS handshake could succeed.
    pub(super) fn check_roots(&self, url: &Url) -> Result<()> {
        match &self.rootless {
            Some(why) if url.scheme() == "https" => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "this machine has no usable root certificates ({why}), so no service can be trusted; install them (the package is often called ca-certificates), or set `roots`"
                ),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(any(all(unix, not(target_os = "android")), target_os = "windows"))]
fn and_platform(
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(certificates, provider)
}

#[cfg(not(any(all(unix, not(target_os = "android")), target_os = "windows")))]
fn and_platform(_: Vec<CertificateDer<'static>>, _: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Err(rustls::Error::General("this platform's roots cannot be added to".to_owned()))
}

fn certificates(roots: &Roots) -> Result<Vec<CertificateDer<'static>>> {
    let pem = match roots {
        Roots::Platform => return Ok(Vec::new()),
        Roots::PlatformAnd(pem) | Roots::Pem(pem) => pem.clone().into_bytes(),
        Roots::File(path) => std::fs::read(path).map_err(|error| {
            invalid("names a file that cannot be read").with("file", path.display()).caused_by(error)
        })?,
    };
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| invalid("holds something that is not a PEM certificate").caused_by(error))?;
    if found.is_empty() {
        return Err(invalid("holds no PEM certificate"));
    }
    Ok(found)
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("`roots` {why}"))
}
