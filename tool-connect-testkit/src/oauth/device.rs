//! Device authorization (RFC 8628).

use std::time::Duration;

use serde_json::json;

use super::answer::{Asked, Refusal, Reply};
use super::issuer::Inner;
use super::state::{Device, Grant, State};

impl Inner {
    pub(super) fn device(&self, asked: &Asked) -> Result<Reply, Refusal> {
        let form = asked.form()?;
        let mut state = self.state();
        let client = self.client(&mut state, asked, &form)?;
        let (scopes, resources) = (self.scopes(&form)?, self.resources(&form)?);
        let code = state.secret("device");
        // Eight letters of a code that was made for it: easy to type.
        let letters = state.secret("user").into_bytes().into_iter().skip(5).filter(u8::is_ascii_alphabetic);
        let letters: Vec<char> = letters.map(|b| char::from(b.to_ascii_uppercase())).take(8).collect();
        let (first, second) = letters.split_at(letters.len() / 2);
        let user_code = format!("{}-{}", first.iter().collect::<String>(), second.iter().collect::<String>());
        let settings = &self.settings;
        let device = Device {
            grant: Grant {
                client: client.id,
                user: settings.user.clone(),
                scopes,
                resources,
                key: None,
                revoked: false,
            },
            user_code: user_code.clone(),
            expires: self.now() + settings.device_lifetime,
            decision: None,
            interval: settings.device_interval,
            asked: None,
        };
        state.devices.insert(code.clone(), device);
        Ok(Reply::json(
            200,
            &json!({
                "device_code": code, "user_code": user_code,
                "verification_uri": self.at("activate"),
                "verification_uri_complete": format!("{}?user_code={user_code}", self.at("activate")),
                "expires_in": settings.device_lifetime.as_secs(),
                "interval": settings.device_interval.as_secs(),
            }),
        ))
    }

    /// A device asks whether the user has decided. Who asks too often must slow down, for good (RFC 8628 §3.5).
    pub(super) fn polled(&self, state: &mut State, code: &str, client: &str) -> Result<Grant, Refusal> {
        let now = self.now();
        let device = state.devices.get_mut(code).filter(|device| device.grant.client == client);
        let device = device.ok_or(Refusal::new("invalid_grant", "the device code is not known"))?;
        if device.expires <= now {
            return Err(Refusal::new("expired_token", "the device code has expired"));
        }
        let early =
            device.asked.is_some_and(|last| now.duration_since(last).unwrap_or_default() < device.interval);
        device.asked = Some(now);
        if early {
            device.interval += Duration::from_secs(5);
            return Err(Refusal::new("slow_down", "ask less often"));
        }
        let Some(decision) = device.decision.clone() else {
            return Err(Refusal::new("authorization_pending", "the user has not decided yet"));
        };
        let mut grant = device.grant.clone();
        // Decided one way or the other, the code is used up.
        state.devices.remove(code);
        let (user, scopes) = self.consent(decision, grant.scopes)?;
        (grant.user, grant.scopes) = (user, scopes);
        Ok(grant)
    }
}
