//! The one error type: what went wrong, whether to try again, and whether anything was executed.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::TaskId;
use crate::outcome::InputRequired;
use crate::problem::Problem;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong; says who can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The arguments do not fit the tool; [`Error::problems`] names each place.
    InvalidArguments,
    /// No tool of that id is visible to this tenant.
    UnknownTool,
    /// Several instances have the tool; name one with `session.on(..)`.
    AmbiguousInstance,
    /// The tool's definition is broken; the registry's report says how.
    Quarantined,
    /// The thing that the call names does not exist.
    NotFound,
    /// The thing exists already, or changed meanwhile.
    Conflict,
    /// The policy says no.
    Denied,
    /// The provider refused the credential; the connection must be authorised again.
    NeedsReauth,
    /// The provider knows the account, which may not do this (a missing scope, say).
    Forbidden,
    /// The caller must connect, approve or answer first; see [`Error::input_required`].
    InputRequired,
    /// The call became a durable job; see [`Error::task`].
    Task,
    /// A limit or quota of ours or of the provider is used up.
    RateLimited,
    /// Too many calls run at once.
    Overloaded,
    /// The circuit breaker is open: the provider failed too often lately.
    CircuitOpen,
    /// Time ran out.
    DeadlineExceeded,
    /// The caller went away, or the host is shutting down.
    Canceled,
    /// The idempotency key was used with other arguments, is in flight, or its end is unknown.
    Idempotency,
    /// The provider answered with an error.
    Provider,
    /// The provider could not be reached.
    Transport,
    /// The guard refused the address: not an allowed host, or inside a private network.
    Blocked,
    /// Arguments, body or result are over a cap.
    TooLarge,
    /// A store failed.
    Storage,
    /// A sealed secret cannot be opened: damaged, moved, under an unknown key, or erased.
    Vault,
    /// The audit trail could not be written, so the call was not made.
    AuditUnavailable,
    /// The tool panicked.
    Panicked,
    /// The tool returned something that its definition does not allow.
    InvalidOutput,
    /// Settings or a definition are wrong; the host's author must act.
    Config,
    /// What was asked is not supported.
    Unsupported,
    /// Anything else; a defect.
    Internal,
}

impl ErrorKind {
    /// The kind's stable name, for metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArguments => "invalid_arguments",
            Self::UnknownTool => "unknown_tool",
            Self::AmbiguousInstance => "ambiguous_instance",
            Self::Quarantined => "quarantined",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::NeedsReauth => "needs_reauth",
            Self::Forbidden => "forbidden",
            Self::InputRequired => "input_required",
            Self::Task => "task",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::CircuitOpen => "circuit_open",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Canceled => "canceled",
            Self::Idempotency => "idempotency",
            Self::Provider => "provider",
            Self::Transport => "transport",
            Self::Blocked => "blocked",
            Self::TooLarge => "too_large",
            Self::Storage => "storage",
            Self::Vault => "vault",
            Self::AuditUnavailable => "audit_unavailable",
            Self::Panicked => "panicked",
            Self::InvalidOutput => "invalid_output",
            Self::Config => "config",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
        }
    }

    /// Every kind, for dashboards and for handles made ahead of the first call.
    pub const ALL: &'static [Self] = &[
        Self::InvalidArguments,
        Self::UnknownTool,
        Self::AmbiguousInstance,
        Self::Quarantined,
        Self::NotFound,
        Self::Conflict,
        Self::Denied,
        Self::NeedsReauth,
        Self::Forbidden,
        Self::InputRequired,
        Self::Task,
        Self::RateLimited,
        Self::Overloaded,
        Self::CircuitOpen,
        Self::DeadlineExceeded,
        Self::Canceled,
        Self::Idempotency,
        Self::Provider,
        Self::Transport,
        Self::Blocked,
        Self::TooLarge,
        Self::Storage,
        Self::Vault,
        Self::AuditUnavailable,
        Self::Panicked,
        Self::InvalidOutput,
        Self::Config,
        Self::Unsupported,
        Self::Internal,
    ];

    /// One fixed sentence that is safe to show to a model or a user.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::InvalidArguments => "The arguments do not fit the tool's schema.",
            Self::UnknownTool => "There is no such tool.",
            Self::AmbiguousInstance => "Several accounts or instances offer this tool; name one.",
            Self::Quarantined => "This tool is switched off because its definition is broken.",
            Self::NotFound => "What the call names was not found.",
            Self::Conflict => "It exists already or has changed meanwhile.",
            Self::Denied => "This call is not permitted.",
            Self::NeedsReauth => "The account must be connected again.",
            Self::Forbidden => "The connected account may not do this.",
            Self::InputRequired => "A person must act before this call can go on.",
            Self::Task => "The call goes on as a background job.",
            Self::RateLimited => "A rate limit is used up; try again later.",
            Self::Overloaded => "Too many calls are running; try again shortly.",
            Self::CircuitOpen => "The service has been failing and is being left alone for a moment.",
            Self::DeadlineExceeded => "The call took too long.",
            Self::Canceled => "The call was canceled.",
            Self::Idempotency => "This idempotency key cannot be used for this call.",
            Self::Provider => "The service answered with an error.",
            Self::Transport => "The service could not be reached.",
            Self::Blocked => "That address is not allowed.",
            Self::TooLarge => "The data is too large.",
            Self::Storage => "A storage error happened.",
            Self::Vault => "A stored secret cannot be opened.",
            Self::AuditUnavailable => "The audit trail is unavailable, so the call was not made.",
            Self::Panicked => "The tool failed unexpectedly.",
            Self::InvalidOutput => "The tool returned an invalid result.",
            Self::Config => "The host is not configured correctly for this call.",
            Self::Unsupported => "This is not supported.",
            Self::Internal => "An internal error happened.",
        }
    }

    const fn default_retry(self) -> Retry {
        match self {
            Self::RateLimited
            | Self::Overloaded
            | Self::CircuitOpen
            | Self::DeadlineExceeded
            | Self::Transport
            | Self::Storage
            | Self::AuditUnavailable => Retry::Backoff,
            _ => Retry::Never,
        }
    }

    const fn default_effect(self) -> Effect {
        match self {
            Self::InvalidArguments
            | Self::UnknownTool
            | Self::AmbiguousInstance
            | Self::Quarantined
            | Self::Denied
            | Self::InputRequired
            | Self::RateLimited
            | Self::Overloaded
            | Self::CircuitOpen
            | Self::Blocked
            | Self::AuditUnavailable
            | Self::Config
            | Self::Unsupported
            | Self::NeedsReauth => Effect::NotExecuted,
            _ => Effect::Unknown,
        }
    }
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Not without a change.
    Never,
    /// Perhaps; back off with jitter.
    Backoff,
    /// Not before this time has passed.
    After(Duration),
}

/// What may have happened at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The call was one that changes nothing.
    None,
    /// It is proven that nothing was executed.
    NotExecuted,
    /// It may have been executed.
    Unknown,
}

/// What went wrong, for the one who can act on it.
///
/// [`Display`](fmt::Display) is for developers and operators. It holds no argument values, no
/// bodies and no secrets, and neither does `Debug`. What a model or an end user may see is
/// [`Error::public_message`].
///
/// ```
/// use std::time::Duration;
/// use tool_connect_core::{Effect, Error, ErrorKind, Retry};
///
/// let error = Error::new(ErrorKind::RateLimited, "limit `user` is used up")
///     .retry(Retry::After(Duration::from_secs(3)));
/// assert_eq!(error.effect_on_provider(), Effect::NotExecuted);
/// assert_eq!(error.public_message(), "A rate limit is used up; try again later.");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    public: Option<Cow<'static, str>>,
    retry: Retry,
    effect: Effect,
    status: Option<u16>,
    problems: Vec<Problem>,
    context: Vec<(&'static str, String)>,
    carried: Carried,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

enum Carried {
    Nothing,
    InputRequired(Box<InputRequired>),
    Task(TaskId),
    Scopes(Vec<String>),
}

impl Error {
    /// A new error. The message is for developers and operators; it must hold no secret.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            public: None,
            retry: kind.default_retry(),
            effect: kind.default_effect(),
            status: None,
            problems: Vec::new(),
            context: Vec::new(),
            carried: Carried::Nothing,
            source: None,
        }))
    }

    /// What an error answer of this HTTP status means as far as the status tells: its kind, whether the same request may
    /// succeed later, and whether it proves that nothing was executed (RFC 9110 §15.5.20, RFC 8470 §5.2). The beginning of
    /// what a [`Connector::classify`](crate::Connector::classify) returns that knows more.
    ///
    /// ```
    /// use tool_connect_core::{Error, ErrorKind, Retry};
    /// let error = Error::of_status(404, "no such issue").public("There is no issue of that number.");
    /// assert_eq!((error.kind(), error.http_status()), (ErrorKind::NotFound, Some(404)));
    /// assert_eq!(Error::of_status(503, "down").retry_advice(), Retry::Backoff);
    /// ```
    #[must_use]
    pub fn of_status(status: u16, message: impl Into<Cow<'static, str>>) -> Self {
        let kind = match status {
            401 => ErrorKind::NeedsReauth,
            403 => ErrorKind::Forbidden,
            404 | 410 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            413 => ErrorKind::TooLarge,
            408 | 425 | 429 => ErrorKind::RateLimited,
            _ => ErrorKind::Provider,
        };
        let retry = match status {
            408 | 425 | 429 => Retry::Backoff,
            // The server does not know how to, and will not by itself.
            501 | 505 => Retry::Never,
            500..=599 => Retry::Backoff,
            _ => Retry::Never,
        };
        let effect = if matches!(status, 401 | 421 | 425) { Effect::NotExecuted } else { Effect::Unknown };
        Self::new(kind, message).status(status).retry(retry).effect(effect)
    }

    /// Arguments that do not fit, with each problem named.
    #[must_use]
    pub fn invalid_arguments(problems: Vec<Problem>) -> Self {
        let mut error = Self::new(ErrorKind::InvalidArguments, "the arguments do not fit the tool's schema");
        error.0.problems = problems;
        error
    }

    /// One argument that does not fit, named by a JSON pointer.
    #[must_use]
    pub fn invalid_argument(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid_arguments(vec![Problem::new(pointer, "invalid", message)])
    }

    /// The call cannot go on before somebody acts.
    #[must_use]
    pub fn needs_input(required: InputRequired) -> Self {
        let mut error = Self::new(ErrorKind::InputRequired, "input is required before the call can go on");
        error.0.carried = Carried::InputRequired(Box::new(required));
        error
    }

    /// The call went on as a durable job.
    #[must_use]
    pub fn became_task(task: TaskId) -> Self {
        let mut error = Self::new(ErrorKind::Task, "the call became a task");
        error.0.carried = Carried::Task(task);
        error
    }

    /// Says that the provider refused for want of these scopes, all of them. Where a call ends with such an error and nothing was
    /// executed, the Hub asks the user to grant them ([`ErrorKind::InputRequired`]); elsewhere the error stays what it is. For a
    /// [`Connector::classify`](crate::Connector::classify), and only where the provider's answer proves it. The answer to a write
    /// must say [`Effect::NotExecuted`] too, which [`of_status`](Self::of_status) does not; after a write of the same call that
    /// succeeded the Hub asks for nothing.
    ///
    /// ```
    /// use tool_connect_core::{Effect, Error};
    /// let error = Error::of_status(403, "no scope").effect(Effect::NotExecuted).lacks_scopes(["repo"]);
    /// assert_eq!(error.lacking_scopes(), ["repo"]);
    /// ```
    #[must_use]
    pub fn lacks_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.0.carried = Carried::Scopes(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the message that a model or an end user may see.
    #[must_use]
    pub fn public(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.public = Some(message.into());
        self
    }

    /// Sets the retry advice.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says what may have been executed.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// Sets the provider's HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds a fact for developers and operators; never a secret, never an argument's value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Replaces the list of problems.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.0.problems = problems;
        self
    }

    /// Keeps the cause, for `source()`; it is not printed by `Display`.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry_advice(&self) -> Retry {
        self.0.retry
    }

    /// What may have been executed.
    #[must_use]
    pub fn effect_on_provider(&self) -> Effect {
        self.0.effect
    }

    /// The provider's HTTP status, where there was an answer.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.status
    }

    /// Each argument that does not fit.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// The developer's message, without kind and context.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What a model or an end user may see: the message that the author marked public, what somebody must do first
    /// ([`InputRequired::message`]), or one fixed sentence for the kind; problems of the arguments are listed after it, by place and
    /// rule, without their values.
    #[must_use]
    pub fn public_message(&self) -> Cow<'_, str> {
        let head = match (&self.0.public, &self.0.carried) {
            (Some(public), _) => Cow::Borrowed(&**public),
            (None, Carried::InputRequired(required)) => required.message(),
            (None, _) => Cow::Borrowed(self.0.kind.sentence()),
        };
        if self.0.problems.is_empty() {
            return head;
        }
        let mut text = head.into_owned();
        for problem in &self.0.problems {
            text.push_str("\n- ");
            text.push_str(&problem.to_string());
        }
        Cow::Owned(text)
    }

    /// The scopes for want of which the provider refused, where its answer says so.
    #[must_use]
    pub fn lacking_scopes(&self) -> &[String] {
        match &self.0.carried {
            Carried::Scopes(scopes) => scopes,
            _ => &[],
        }
    }

    /// What somebody must do first, if that is why the call did not complete.
    #[must_use]
    pub fn input_required(&self) -> Option<&InputRequired> {
        match &self.0.carried {
            Carried::InputRequired(required) => Some(required),
            _ => None,
        }
    }

    /// Takes what somebody must do first out of the error, or gives the error back.
    ///
    /// # Errors
    /// The error itself where it carries no such thing.
    pub fn into_input_required(self) -> Result<InputRequired, Self> {
        match self.0.carried {
            Carried::InputRequired(required) => Ok(*required),
            _ => Err(self),
        }
    }

    /// The job that the call became, if it did.
    #[must_use]
    pub fn task(&self) -> Option<&TaskId> {
        match &self.0.carried {
            Carried::Task(task) => Some(task),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.as_str(), self.0.message)?;
        if let Some(status) = self.0.status {
            write!(f, " (HTTP {status})")?;
        }
        for (key, value) in &self.0.context {
            write!(f, "; {key}: {value}")?;
        }
        for problem in &self.0.problems {
            write!(f, "; {problem}")?;
        }
        if let Retry::After(wait) = self.0.retry {
            write!(f, "; try again in {:.1} s", wait.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("retry", &self.0.retry)
            .field("effect", &self.0.effect)
            .field("status", &self.0.status)
            .field("context", &self.0.context)
            .field("problems", &self.0.problems)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn the_model_sees_only_what_is_public() {
        let error = Error::new(ErrorKind::Provider, "upstream host db-7 said no").caused_by("inner");
        assert!(!error.public_message().contains("db-7"));
        assert!(!error.to_string().contains("inner"));
        assert_eq!(error.public("Ask an owner.").public_message(), "Ask an owner.");
    }

    #[test]
    fn kinds_are_listed_once_each() {
        let names: std::collections::BTreeSet<_> = ErrorKind::ALL.iter().map(|k| k.as_str()).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
        assert_eq!(*ErrorKind::ALL.last().unwrap() as usize + 1, ErrorKind::ALL.len());
    }
}
