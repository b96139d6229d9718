//! What error answers mean: the operation's rules.

use http::StatusCode;
use http::response::Parts;
use serde_json::Value;
use tool_connect_core::{Effect, Error, ErrorKind};

use super::ErrorRule;

impl ErrorRule {
    /// The error that the first fitting rule makes of an answer; `None` where none fits.
    ///
    /// For a connector's [`classify`](tool_connect_core::Connector::classify), where rules hold for all of its operations.
    /// [`Operation::run`](super::Operation::run) asks its own rules by itself.
    ///
    /// ```
    /// use tool_connect_connectors::operation::ErrorRule;
    /// use tool_connect_core::ErrorKind;
    ///
    /// let rules = [ErrorRule::status(422, ErrorKind::Conflict)];
    /// let (parts, ()) = http::Response::builder().status(422).body(()).unwrap().into_parts();
    /// assert_eq!(ErrorRule::first(&rules, &parts, b"{}").unwrap().kind(), ErrorKind::Conflict);
    /// ```
    #[must_use]
    pub fn first(rules: &[Self], parts: &Parts, body: &[u8]) -> Option<Error> {
        if rules.is_empty() {
            return None;
        }
        let body: Option<Value> = serde_json::from_slice(body).ok();
        rules.iter().find(|rule| rule.fits(parts.status, body.as_ref())).map(|rule| rule.error(parts.status))
    }

    /// Whether the rule is about such an answer. A good status is an error only where the rule names it, or the body.
    pub(super) fn fits(&self, status: StatusCode, body: Option<&Value>) -> bool {
        let by_status = match self.status {
            Some(wanted) => wanted == status.as_u16(),
            None => !status.is_success() || self.body.is_some(),
        };
        by_status
            && self.body.as_ref().is_none_or(|(pointer, wanted)| {
                body.and_then(|body| body.pointer(pointer)).is_some_and(|found| found == wanted)
            })
    }

    pub(super) fn error(&self, status: StatusCode) -> Error {
        let error =
            Error::new(self.kind, "the service answered with an error that a rule of the operation names")
                .status(status.as_u16());
        // Only where the credential was refused is it certain that nothing was done.
        let error = match self.kind {
            ErrorKind::NeedsReauth => error.effect(Effect::NotExecuted),
            _ => error.effect(Effect::Unknown),
        };
        match &self.message {
            Some(message) => error.public(message.clone()),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_good_status_is_an_error_only_where_a_rule_names_it_or_the_body() {
        let mut rule = ErrorRule::status(409, ErrorKind::Conflict);
        assert!(rule.fits(StatusCode::CONFLICT, None) && !rule.fits(StatusCode::OK, None));
        rule.status = None;
        assert!(rule.fits(StatusCode::BAD_REQUEST, None) && !rule.fits(StatusCode::OK, None));
        rule.body = Some(("/ok".to_owned(), json!(false)));
        assert!(rule.fits(StatusCode::OK, Some(&json!({"ok": false}))));
        for body in [json!({"ok": true}), json!({}), json!(null)] {
            assert!(!rule.fits(StatusCode::OK, Some(&body)), "{body}");
            assert!(!rule.fits(StatusCode::BAD_REQUEST, Some(&body)), "{body}");
        }
    }
}
