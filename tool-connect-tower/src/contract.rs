//! What a layer asks of the service around it: whose request it is, how a result counts, how to say no.

/// Finds whose limit, breaker or slot a request falls under.
///
/// A closure from the request to `Option<u64>` is a `KeyOf`; [`hash_key`](crate::hash_key) turns a name into the number.
///
/// ```
/// use http::Request;
/// use tool_connect_tower::{KeyOf, hash_key};
///
/// let by_host = |request: &Request<()>| request.uri().host().map(hash_key);
/// let request = Request::get("https://api.example.com/items").body(()).unwrap();
/// assert_eq!(KeyOf::key(&by_host, &request), Some(hash_key("api.example.com")));
/// ```
pub trait KeyOf<R: ?Sized> {
    /// The key of this request; `None` lets it pass without being counted.
    fn key(&self, request: &R) -> Option<u64>;

    /// How many permits the request takes.
    fn cost(&self, _request: &R) -> u64 {
        1
    }

    /// A clock reading (monotonic nanoseconds) that the request already carries, which saves the layer its own.
    ///
    /// It must come from the clock that the layer holds.
    fn now(&self, _request: &R) -> Option<u64> {
        None
    }
}

impl<R: ?Sized, F: Fn(&R) -> Option<u64>> KeyOf<R> for F {
    fn key(&self, request: &R) -> Option<u64> {
        self(request)
    }
}

/// The same key for every request: one limit or one breaker for the whole service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Everyone;

impl<R: ?Sized> KeyOf<R> for Everyone {
    fn key(&self, _request: &R) -> Option<u64> {
        Some(0)
    }
}

/// Turns a refusal into the service's own answer: a response, such as a 429, or an error.
///
/// The inner service's error type survives every layer, so a server with `Error = Infallible` can refuse too. A closure
/// from the reason to `Result<Res, Err>` is a `Refuse`.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Response, StatusCode};
/// use tool_connect_tower::{Refuse, limit::Refused};
///
/// let too_many = |why: Refused| {
///     let seconds = why.retry_after().map_or(0, |wait| wait.as_secs() + 1);
///     let mut response = Response::new(String::from("slow down"));
///     *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
///     response.headers_mut().insert("retry-after", seconds.into());
///     Ok::<_, Infallible>(response)
/// };
/// fn check(_: &impl Refuse<Refused, Response<String>, Infallible>) {}
/// check(&too_many);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot turn `{Why}` into an answer of this service",
    note = "implement `From<{Why}>` for the service's error `{Err}`, or give the layer a closure `|why: {Why}| -> Result<{Res}, {Err}>` with `.refuse_with(..)`"
)]
pub trait Refuse<Why, Res, Err> {
    /// The answer in place of the inner service's.
    ///
    /// # Errors
    /// Whatever the service's callers should see as an error.
    fn refuse(&self, why: Why) -> Result<Res, Err>;
}

impl<Why, Res, Err, F: Fn(Why) -> Result<Res, Err>> Refuse<Why, Res, Err> for F {
    fn refuse(&self, why: Why) -> Result<Res, Err> {
        self(why)
    }
}

/// Refuses with the inner service's error, made by `From`. The default of every layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViaFrom;

impl<Why, Res, Err: From<Why>> Refuse<Why, Res, Err> for ViaFrom {
    fn refuse(&self, why: Why) -> Result<Res, Err> {
        Err(Err::from(why))
    }
}

/// How a finished call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The other side is well.
    Success,
    /// The other side is not: a transport error, a time-out, a 5xx.
    Failure,
    /// The call says nothing about the other side: the caller went away, or the credentials were wrong.
    Ignore,
}

/// Decides how a result counts for a breaker.
///
/// A closure from `&Result<Res, Err>` to [`Verdict`] is a `Classify`.
///
/// ```
/// use tool_connect_tower::{Classify, Verdict};
///
/// let only_five_hundreds = |result: &Result<u16, ()>| match result {
///     Ok(status) if *status < 500 => Verdict::Success,
///     _ => Verdict::Failure,
/// };
/// assert_eq!(only_five_hundreds.classify(&Ok(404)), Verdict::Success);
/// assert_eq!(only_five_hundreds.classify(&Ok(503)), Verdict::Failure);
/// ```
pub trait Classify<Res, Err> {
    /// The verdict on one result.
    fn classify(&self, result: &Result<Res, Err>) -> Verdict;
}

impl<Res, Err, F: Fn(&Result<Res, Err>) -> Verdict> Classify<Res, Err> for F {
    fn classify(&self, result: &Result<Res, Err>) -> Verdict {
        self(result)
    }
}

/// `Ok` is a success, `Err` a failure. The default of the breaker layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErrIsFailure;

impl<Res, Err> Classify<Res, Err> for ErrIsFailure {
    fn classify(&self, result: &Result<Res, Err>) -> Verdict {
        match result {
            Ok(_) => Verdict::Success,
            Err(_) => Verdict::Failure,
        }
    }
}

/// A response of 500 and above, or an error, is a failure; every other response is a success.
///
/// A 401 or a 429 opens no breaker: the server that sent it is well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerErrors;

impl<B, Err> Classify<http::Response<B>, Err> for ServerErrors {
    fn classify(&self, result: &Result<http::Response<B>, Err>) -> Verdict {
        match result {
            Ok(response) if !response.status().is_server_error() => Verdict::Success,
            _ => Verdict::Failure,
        }
    }
}
