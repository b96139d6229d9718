//! One call of an operation.

use std::collections::HashSet;

use http::header;
use serde_json::Value;
use tool_connect_core::http::{Classify, RequestBuilder, Response};
use tool_connect_core::{Error, ErrorKind, Result, ToolContext, ToolOutput};
use url::Url;

use super::page::{self, Asked};
use super::{ErrorRule, Operation, answer, body, request};
use crate::provider::Content;
use crate::resumable::Resumable;

impl Operation {
    /// The argument that says which page, where the operation has pages: what an earlier result had as its `next`.
    pub const PAGE: &'static str = page::ARGUMENT;

    /// Sends the request that the arguments make and returns what the service answered.
    ///
    /// The arguments are a JSON object, validated against the tool's schema by the Hub; those that the operation does not
    /// know are not sent. JSON comes as the structured value, text as a content block, everything else by handle
    /// (`{"file": {"handle": ..}}`). A page is `{"items": .., "next": ..}`; `next` is null at the end, and goes back as the
    /// argument [`PAGE`](Self::PAGE) beside the same arguments.
    ///
    /// What differs from what the service promises is delivered and said in a content block: a value that does not fit the
    /// schema of the answer, a pointer that leads nowhere, text for JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] that names the argument, where one is missing or cannot be written without changing
    /// what the request means; nothing is sent then. [`ErrorKind::Config`] where the operation itself is broken. What the
    /// request stack and the operation's [`ErrorRule`]s make of an error answer. [`ErrorKind::Provider`] where an answer is
    /// cut short or a web page instead of JSON, [`ErrorKind::Blocked`] where a next page is at another origin.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http::Method;
    /// use tool_connect_connectors::operation::{Operation, Parameter, Place};
    /// use tool_connect_core::{DynamicTool, SchemaSource, ToolDefinition};
    ///
    /// let mut operation = Operation::new(Method::GET, "/repos/{owner}/issues");
    /// operation.parameters.push(Parameter::new("owner", Place::Path));
    /// operation.parameters.push(Parameter::new("labels", Place::Query));
    /// let operation = Arc::new(operation);
    ///
    /// let schema = r#"{"type":"object","required":["owner"],"properties":{
    ///     "owner":{"type":"string"},"labels":{"type":"array","items":{"type":"string"}}}}"#;
    /// let tool = DynamicTool::new(
    ///     ToolDefinition::new("list_issues", "Lists a repository's issues.", SchemaSource::Json(schema.into())),
    ///     move |arguments, cx| {
    ///         let operation = Arc::clone(&operation);
    ///         async move { operation.run(arguments, &cx).await }
    ///     },
    /// );
    /// # drop(tool);
    /// ```
    pub async fn run(&self, arguments: Value, cx: &ToolContext) -> Result<ToolOutput> {
        let Value::Object(mut arguments) = arguments else {
            return Err(Error::invalid_argument("", "must be an object"));
        };
        // A null is given, too: many services take it for "none".
        let is_given = |name: &String| arguments.contains_key(name);
        if !self.one_of.is_empty() && !self.one_of.iter().any(|set| set.iter().all(is_given)) {
            return Err(Error::invalid_argument(
                "",
                format!("must hold {}", request::alternatives(&self.one_of)),
            ));
        }
        let asked = Asked::of(self, &mut arguments, cx)?;
        let target = match &asked.target {
            Some(target) => target.clone(),
            None => request::target(self, &arguments, &asked.query)?,
        };
        let headers = request::headers(self, &arguments)?;
        let large = body::large(self, &arguments, cx).await?;
        let written = if large.is_some() { None } else { body::write(self, &arguments, cx).await? };
        let target = match &large {
            Some(_) => target.replace("uploadType=multipart", "uploadType=resumable"),
            None => target,
        };

        // The target holds the caller's values, which are not for metrics.
        let mut request: RequestBuilder<'_> =
            cx.http().request(self.method.clone(), &target).template(self.path.clone());
        for (name, value) in &headers {
            let value =
                value.to_str().map_err(|_| request::broken(self, "has a header that cannot be sent"))?;
            request = request.header(name, value);
        }
        if let Some(written) = written {
            request = request.header(header::CONTENT_TYPE.as_str(), &written.media_type);
            request = match written.content {
                Content::Bytes(bytes) => request.body(bytes),
                Content::Stream(stream, size) => request.stream(stream, Some(size)),
            };
        }
        if let Some(repeatable) = self.repeatable {
            request = request.repeatable(repeatable);
        }
        if let Some(name) = self.idempotency_header.as_ref().filter(|_| !self.method.is_safe()) {
            request = request.idempotency_header(name.as_str());
        }
        if !answer::wants_json(self) {
            request = request.max_bytes(answer::FILE);
        }
        if !self.errors.is_empty() {
            let rules = self.errors.clone();
            request =
                request.classify(Classify::new(move |parts, body| ErrorRule::first(&rules, parts, body)));
        }
        let response = match large {
            Some(large) => self.in_pieces(large, request, &target, cx).await?,
            None => request.send().await?,
        };
        answer::read(self, &asked, &arguments, response, cx).await
    }

    /// Sends a file in pieces; the request begins it.
    async fn in_pieces(
        &self,
        large: body::Large,
        begin: RequestBuilder<'_>,
        target: &str,
        cx: &ToolContext,
    ) -> Result<Response> {
        let origin = Url::parse(target).ok().or_else(|| cx.base_url().cloned()).map(|url| url.origin());
        let pieces = Resumable {
            cx,
            template: &self.path,
            origin: origin.ok_or_else(|| request::broken(self, "has no base URL"))?,
            file: &large.file,
            classify: &|parts, body| ErrorRule::first(&self.errors, parts, body),
        };
        pieces.send(begin, &large.media_type, Some(&large.metadata)).await
    }

    /// Walks the pages of an operation that has them; of one that has none there is one.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use tool_connect_connectors::operation::Operation;
    /// # use tool_connect_core::{Result, ToolContext};
    /// # async fn all(operation: &Operation, cx: &ToolContext) -> Result<()> {
    /// let mut pages = operation.pages(json!({"owner": "ada"}), cx);
    /// while let Some(page) = pages.next().await? {
    ///     println!("{}", page.to_json()?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn pages<'a>(&'a self, arguments: Value, cx: &'a ToolContext) -> Pages<'a> {
        Pages { operation: self, cx, arguments, ended: false, seen: HashSet::new() }
    }
}

/// The pages of an operation, one after the other; see [`Operation::pages`].
///
/// After an error the walk stands where it stood: [`cursor`](Self::cursor) is the page that failed, and
/// [`next`](Self::next) tries it again.
#[derive(Debug)]
pub struct Pages<'a> {
    operation: &'a Operation,
    cx: &'a ToolContext,
    arguments: Value,
    ended: bool,
    seen: HashSet<String>,
}

impl Pages<'_> {
    /// The next page; `None` at the end.
    ///
    /// # Errors
    /// As [`Operation::run`]; [`ErrorKind::Provider`] where the service leads back to a page that was read already.
    pub async fn next(&mut self) -> Result<Option<ToolOutput>> {
        if self.ended {
            return Ok(None);
        }
        let output = self.operation.run(self.arguments.clone(), self.cx).await?;
        let next = match &self.operation.pagination {
            Some(_) => output.parse::<Value>()?.get("next").and_then(Value::as_str).map(str::to_owned),
            None => None,
        };
        match (next, self.arguments.as_object_mut()) {
            (Some(next), Some(arguments)) => {
                if !self.seen.insert(next.clone()) {
                    self.ended = true;
                    return Err(Error::new(ErrorKind::Provider, "the service's pages lead in a circle")
                        .effect(answer::effect(self.operation)));
                }
                arguments.insert(Operation::PAGE.to_owned(), Value::String(next));
            }
            _ => self.ended = true,
        }
        Ok(Some(output))
    }

    /// The page that comes next, to be given as the argument `page`: to resume a walk that an error ended. `None` before the
    /// first page and at the end.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        if self.ended { None } else { self.arguments.get(Operation::PAGE)?.as_str() }
    }
}
