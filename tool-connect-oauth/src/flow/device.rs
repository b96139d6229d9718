//! Consent on another device (RFC 8628).

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tool_connect_core::{Effect, ErrorKind, Result, Retry};
use url::Url;

use super::authorize::may_open;
use super::failure::OAuthFailure;
use super::form::Form;
use super::grant::{TokenClient, Wanted};
use super::token::TokenSet;

/// `grant_type` of a device code (RFC 8628 §3.4).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long to wait where the provider does not say, and how much longer after `slow_down` (RFC 8628 §3.5).
const INTERVAL: Duration = Duration::from_secs(5);
/// However slow the provider wants it.
const LONGEST_INTERVAL: Duration = Duration::from_secs(300);
/// However long the provider lets the user take.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// Longest code that a user is shown, in bytes.
const LONGEST_USER_CODE: usize = 64;

/// What the user must do on another device, and what the client polls with. `Debug` prints no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceCode {
    /// What the client polls with.
    pub device_code: SecretString,
    /// What the user types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: Url,
    /// The same with the user's code in it, for a QR code.
    pub verification_uri_complete: Option<Url>,
    /// When both codes end.
    pub expires_at: SystemTime,
    /// How long to wait between two polls; grows where the provider says so.
    pub interval: Duration,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The resources that were named.
    pub resource: Vec<Url>,
    /// The key that the tokens will be bound to.
    pub dpop_key: Option<SecretString>,
}

/// Where a device authorization stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DevicePoll {
    /// The user has not decided; poll again after [`DeviceCode::interval`].
    Pending,
    /// Granted.
    Granted(Box<TokenSet>),
    /// The user said no; do not poll again.
    Denied,
    /// The codes have ended; begin again.
    Expired,
}

impl TokenClient<'_> {
    /// Asks for a code that the user types in on another device (RFC 8628 §3.1).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the provider has no such endpoint; [`ErrorKind::Provider`] where the address for the user
    /// is none that a browser may be sent to; else as [`refresh`](Self::refresh).
    pub async fn device_authorize(&self, wanted: Wanted<'_>) -> Result<DeviceCode> {
        let asked = self.asked("device authorization");
        let entry = &self.provider.entry;
        let endpoint = self.provider.endpoints.device.as_ref().ok_or_else(|| {
            let what = "the provider has no device authorization endpoint; use another grant";
            asked.error(ErrorKind::Unsupported, what).effect(Effect::NotExecuted)
        })?;
        let asked_at = self.clock.now();
        let form = self.wanted(Form::default(), wanted);
        let answer: Authorized = self.ask_endpoint(asked, endpoint, form).await?.json(asked)?;
        let openable = |text: &str| Url::parse(text).ok().filter(|url| may_open(url, entry.allow_loopback));
        let unfit = |what: &str| asked.error(ErrorKind::Provider, what);
        let verification_uri = openable(&answer.verification_uri)
            .ok_or_else(|| unfit("the address for the user is none that a browser may be sent to"))?;
        let printable = |code: &str| {
            !code.is_empty()
                && code.len() <= LONGEST_USER_CODE
                && code.bytes().all(|b| (0x20..0x7f).contains(&b))
        };
        if !printable(&answer.user_code) || answer.device_code.expose_secret().is_empty() {
            return Err(unfit("the answer holds no code that a user could type in"));
        }
        let lifetime = answer.expires_in.seconds().unwrap_or(LONGEST_LIFETIME).min(LONGEST_LIFETIME);
        let interval = answer.interval.and_then(|interval| interval.seconds()).unwrap_or(INTERVAL);
        Ok(DeviceCode {
            verification_uri_complete: answer.verification_uri_complete.as_deref().and_then(openable),
            expires_at: asked_at.checked_add(lifetime).unwrap_or(asked_at),
            interval: interval.clamp(Duration::from_secs(1), LONGEST_INTERVAL),
            device_code: answer.device_code,
            user_code: answer.user_code,
            verification_uri,
            scopes: wanted.scopes.to_vec(),
            resource: wanted.resource.to_vec(),
            dpop_key: wanted.dpop_key.cloned(),
        })
    }

    /// Polls once (RFC 8628 §3.4); `slow_down` makes the interval five seconds longer. A code whose time is up is not sent.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh). After [`ErrorKind::Transport`], poll again with a longer interval (§3.5).
    pub async fn device_poll(&self, device: &mut DeviceCode) -> Result<DevicePoll> {
        if self.clock.now() >= device.expires_at {
            return Ok(DevicePoll::Expired);
        }
        let form = Form::grant(DEVICE_CODE).secret("device_code", &device.device_code);
        let wanted =
            Wanted { scopes: &device.scopes, resource: &device.resource, dpop_key: device.dpop_key.as_ref() };
        let error = match self.granted("device poll", form, wanted).await {
            Ok(tokens) => return Ok(DevicePoll::Granted(Box::new(tokens))),
            Err(error) => error,
        };
        match OAuthFailure::of(&error).map(OAuthFailure::code) {
            Some("authorization_pending") => Ok(DevicePoll::Pending),
            Some("slow_down") => {
                device.slow_down();
                Ok(DevicePoll::Pending)
            }
            Some("access_denied") => Ok(DevicePoll::Denied),
            Some("expired_token") => Ok(DevicePoll::Expired),
            _ => Err(error),
        }
    }

    /// Polls until the user has decided or the code has ended. A provider that is busy or out of reach is asked less often.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] where the user said no, [`ErrorKind::NeedsReauth`] where the code ended; else as
    /// [`device_poll`](Self::device_poll).
    pub async fn device_wait(&self, mut device: DeviceCode) -> Result<TokenSet> {
        let asked = self.asked("device poll");
        loop {
            tokio::time::sleep(device.interval).await;
            match self.device_poll(&mut device).await {
                Ok(DevicePoll::Pending) => {}
                Ok(DevicePoll::Granted(tokens)) => return Ok(*tokens),
                Ok(DevicePoll::Denied) => return Err(asked.error(ErrorKind::Denied, "the user said no")),
                Ok(DevicePoll::Expired) => {
                    return Err(asked.error(ErrorKind::NeedsReauth, "the code has ended; begin again"));
                }
                Err(error) => match error.retry_advice() {
                    Retry::Never => return Err(error),
                    Retry::After(wait) => device.interval = device.interval.max(wait.min(LONGEST_INTERVAL)),
                    _ => device.interval = (device.interval * 2).min(LONGEST_INTERVAL),
                },
            }
        }
    }
}

impl DeviceCode {
    /// RFC 8628 §3.5.
    fn slow_down(&mut self) {
        self.interval = self.interval.saturating_add(INTERVAL).min(LONGEST_INTERVAL);
    }
}

/// The answer (RFC 8628 §3.2), and what others write for it.
#[derive(Deserialize)]
struct Authorized {
    device_code: SecretString,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(alias = "verification_url_complete")]
    verification_uri_complete: Option<String>,
    expires_in: Seconds,
    interval: Option<Seconds>,
}

/// A number, or text that is one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl Seconds {
    fn seconds(&self) -> Option<Duration> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        Duration::try_from_secs_f64(number).ok()
    }
}
