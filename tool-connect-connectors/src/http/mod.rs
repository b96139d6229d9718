//! The HTTP connector: one request tool, kept to the hosts and methods that the app's author names.
//! Sending is the host's: credentials, retries, limits and the address guard are in its request stack.

mod answer;
mod connector;
mod origin;
mod request;
mod rules;

pub use answer::HttpAnswer;
pub use connector::{Http, HttpBuilder};
pub use request::{ReadMethod, ReadRequest, Request, RequestMethod};
pub use rules::Rules;
