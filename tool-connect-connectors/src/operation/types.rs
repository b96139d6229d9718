//! The data of an operation.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use tool_connect_core::ErrorKind;

/// One HTTP operation: how the arguments of a call become a request, and its answer a result.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// Method.
    pub method: Method,
    /// Path with `{name}` placeholders, relative to the instance's base URL; absolute where the operation has a server of its own.
    pub path: String,
    /// Everything of the request but its body.
    pub parameters: Vec<Parameter>,
    /// The body; `None` where the operation takes none.
    pub body: Option<Body>,
    /// Sets of arguments of which one must be given whole, where there are any.
    pub one_of: Vec<Vec<String>>,
    /// Headers that every request carries: a version, a preview.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The header that takes a call's idempotency key, where the service knows one.
    pub idempotency_header: Option<HeaderName>,
    /// Whether a request may be sent again after bytes were sent; by the method where unset.
    pub repeatable: Option<bool>,
    /// What is made of the answer.
    pub answer: Answer,
    /// How the next page is asked for, where the answer is a page.
    pub pagination: Option<Pagination>,
    /// What error answers mean, first match first; by the status code where none fits.
    pub errors: Vec<ErrorRule>,
}

impl Operation {
    /// An operation without parameters and body whose answer is passed on.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            parameters: Vec::new(),
            body: None,
            one_of: Vec::new(),
            headers: Vec::new(),
            idempotency_header: None,
            repeatable: None,
            answer: Answer::default(),
            pagination: None,
            errors: Vec::new(),
        }
    }
}

/// A value that goes into the path, the query, a header or a cookie.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name among the tool's arguments.
    pub argument: String,
    /// Its name in the request.
    pub wire: String,
    /// Where it goes.
    pub place: Place,
    /// How arrays and objects are written.
    pub style: ParameterStyle,
    /// Whether each item or member of an array or object stands for itself.
    pub explode: bool,
    /// Whether RFC 3986 reserved characters stay as they are in a query (`allowReserved`).
    pub allow_reserved: bool,
    /// Whether an empty value is sent instead of left out.
    pub allow_empty: bool,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What is sent where the argument is missing.
    pub default: Option<Value>,
    /// Whether `default` is a constant: no argument sets it, and a page's own address keeps it. False unless it is set.
    pub fixed: bool,
}

impl Parameter {
    /// A parameter under one name, in the default style of its place.
    #[must_use]
    pub fn new(name: impl Into<String>, place: Place) -> Self {
        let name = name.into();
        let (style, explode) = match place {
            Place::Path | Place::Header => (ParameterStyle::Simple, false),
            Place::Query | Place::Cookie => (ParameterStyle::Form, true),
        };
        Self {
            argument: name.clone(),
            wire: name,
            place,
            style,
            explode,
            allow_reserved: false,
            allow_empty: false,
            required: place == Place::Path,
            default: None,
            fixed: false,
        }
    }
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Into a placeholder of the path.
    Path,
    /// Into the query string.
    Query,
    /// Into a header.
    Header,
    /// Into the `cookie` header.
    Cookie,
}

/// How a value is written (OpenAPI 3.1 §4.8.12.2, RFC 6570; `Tabs` is OpenAPI 2.0's `tsv`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterStyle {
    /// `a,b`; in paths and headers.
    Simple,
    /// `.a.b`; in paths.
    Label,
    /// `;name=a;name=b`; in paths.
    Matrix,
    /// `name=a&name=b`; in queries and cookies.
    Form,
    /// `name=a%20b`.
    SpaceDelimited,
    /// `name=a|b`.
    PipeDelimited,
    /// `name=a%09b`.
    Tabs,
    /// `name[member]=a`.
    DeepObject,
    /// The value as JSON text (a parameter with `content`).
    Json,
}

/// A request's body.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Body {
    /// Where it comes from.
    pub content: BodyContent,
    /// How it is written.
    pub encoding: Encoding,
    /// Its media type as it is sent; a boundary is added to a multipart one.
    pub media_type: String,
    /// Whether a request without it is refused.
    pub required: bool,
}

impl Body {
    /// A body of JSON from this place.
    #[must_use]
    pub fn json(content: BodyContent) -> Self {
        Self { content, encoding: Encoding::Json, media_type: "application/json".to_owned(), required: true }
    }
}

/// Where a body comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BodyContent {
    /// One argument is the whole body.
    Argument(String),
    /// These arguments are members of the body: the argument's name and the member's.
    Members(Vec<(String, String)>),
    /// These arguments stand at places of their own in a body of JSON.
    Placed(Vec<Placed>),
}

/// Where an argument stands in a body of JSON.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Placed {
    /// Its name among the tool's arguments.
    pub argument: String,
    /// JSON pointer (RFC 6901) to its place. What lies on the way is made: an array where a part is a number, else an object.
    /// Of two arguments, one may lie within the other where that is an object.
    pub at: String,
    /// What is put there instead of the bare value: in it, the text `$value` stands for the value, and an array's item
    /// `{"$lines": ..}` for one item per line of it that is not blank. `None` puts the value itself.
    pub template: Option<Value>,
}

impl Placed {
    /// An argument at this place, as it is.
    #[must_use]
    pub fn new(argument: impl Into<String>, at: impl Into<String>) -> Self {
        Self { argument: argument.into(), at: at.into(), template: None }
    }
}

/// How a body is written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Encoding {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`; fields without an entry are written as `form`, exploded.
    Form(Vec<FormField>),
    /// `multipart/form-data` (RFC 7578); parts without an entry are text, objects JSON.
    Multipart(Vec<Part>),
    /// `multipart/related` (RFC 2387) of two parts: the content as JSON, and the file that is in this argument.
    Related(String),
    /// As [`Related`](Self::Related) for a file of up to 5 MB; a larger one goes in pieces that are resumed where the connection
    /// breaks, by [Google's protocol](https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable). The
    /// `uploadType=multipart` in the operation's path is `uploadType=resumable` then.
    Resumable(String),
    /// Text as it is.
    Text,
    /// Bytes: a handle of the result store (`{"handle": ..}`), or text in Base64 (`{"base64": ..}`).
    Binary,
}

/// How a field of a form is written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FormField {
    /// The member's name.
    pub name: String,
    /// How arrays and objects are written.
    pub style: ParameterStyle,
    /// Whether each item or member stands for itself.
    pub explode: bool,
}

impl FormField {
    /// A field in this style.
    #[must_use]
    pub fn new(name: impl Into<String>, style: ParameterStyle, explode: bool) -> Self {
        Self { name: name.into(), style, explode }
    }
}

/// How a part of a multipart body is written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// The member's name.
    pub name: String,
    /// The part's media type; by its value where unset.
    pub media_type: Option<String>,
    /// Whether it is a file: a handle or Base64, as in [`Encoding::Binary`].
    pub file: bool,
}

impl Part {
    /// A part of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, file: bool) -> Self {
        Self { name: name.into(), media_type: None, file }
    }
}

/// What is made of a good answer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// Media types that are asked for, best first; JSON where empty.
    pub accept: Vec<String>,
    /// JSON pointer (RFC 6901) to the part that is the result; the whole where unset.
    pub pointer: Option<String>,
    /// Members that are kept of the result, or of each item where it is an array; all where empty. A dotted path reaches deeper.
    pub fields: Vec<String>,
    /// The schema that the answer promises to fit; one that does not is delivered and marked.
    pub schema: Option<std::sync::Arc<str>>,
    /// Dotted paths to rich text, a tree of nodes with `content` and `text` at its leaves, that is given as plain text.
    pub texts: Vec<String>,
    /// The boolean argument that asks for the whole, without `fields` and `texts`.
    pub full: Option<String>,
}

/// How the next page is asked for. The result then is `{"items": .., "next": ..}`, and the tool's argument `page` takes what `next` said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pagination {
    /// What tells of the next page.
    pub next: PageValue,
    /// The parameter (its name in the request) that carries it back; `None` where `next` is a whole URL.
    pub parameter: Option<String>,
    /// JSON pointer to the items; the whole answer where unset.
    pub items: Option<String>,
    /// JSON pointer to a boolean that says whether there is more, where the service has one.
    pub has_more: Option<String>,
}

impl Pagination {
    /// Pages whose next one is told by this and asked for with this parameter.
    #[must_use]
    pub fn new(next: PageValue, parameter: Option<String>) -> Self {
        Self { next, parameter, items: None, has_more: None }
    }
}

/// What tells of the next page.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PageValue {
    /// JSON pointer to a cursor or token in the answer.
    Cursor(String),
    /// JSON pointer to the URL of the next page; it must have the origin of the request.
    Url(String),
    /// The `link` header's `rel="next"` (RFC 8288).
    LinkHeader,
    /// A header that holds a cursor.
    Header(HeaderName),
    /// The number of the page, counted up while pages are full; the first page's number.
    Page(u64),
    /// How many items were read so far, counted up by those that came.
    Offset,
    /// A member of the last item (JSON pointer within the item), for `starting_after`.
    LastItem(String),
    /// A member of the item where it is least (JSON pointer within the item), for `before`: services whose ids grow, and whose
    /// pages are in another order. Ids are compared by length, then as text.
    LeastItem(String),
}

/// What an error answer means. A rule about the body holds for good answers, too.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorRule {
    /// The status code; any where unset.
    pub status: Option<u16>,
    /// JSON pointer into the body, and the value that must stand there.
    pub body: Option<(String, Value)>,
    /// The kind of error that it is.
    pub kind: ErrorKind,
    /// JSON pointer into the body, and something that is not null must stand there.
    pub present: Option<String>,
    /// JSON pointer into the body, and nothing but null may stand there: for services that say `200` of what is not there.
    pub missing: Option<String>,
    /// What is told to the caller; the kind's own sentence where unset. Nothing of the body is added but what `tell` names.
    pub message: Option<String>,
    /// JSON pointers to codes and names of fields in the body that are told: words without spaces, the names of an object's
    /// members, or an array of words. Whatever else stands there is not told.
    pub tell: Vec<String>,
    /// How long to wait where the answer does not say.
    pub wait: Option<Duration>,
    /// Whether such an answer proves that nothing was done, so that a write may be sent again.
    pub not_executed: bool,
}

impl ErrorRule {
    /// An answer with this status is an error of this kind.
    #[must_use]
    pub fn status(status: u16, kind: ErrorKind) -> Self {
        Self {
            status: Some(status),
            body: None,
            present: None,
            missing: None,
            kind,
            message: None,
            tell: Vec::new(),
            wait: None,
            not_executed: false,
        }
    }
}
