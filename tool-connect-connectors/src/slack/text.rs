//! Text of messages: mrkdwn, in which three characters have a meaning of their own.

use serde_json::{Map, Value};
use tool_connect_core::{Error, Result};

/// Writes text so that it stays what it is within mrkdwn: `&`, `<` and `>` become entities, and nothing in it can become a
/// mention, a link or a call to everybody in the channel.
///
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>
///
/// ```
/// use tool_connect_connectors::slack::escape;
/// assert_eq!(escape("R&D to <!channel>"), "R&amp;D to &lt;!channel&gt;");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

/// What a message says, as the tools take it.
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) plain_text: bool,
    pub(super) markdown_text: Option<String>,
    pub(super) blocks: Option<Vec<Map<String, Value>>>,
}

impl Content {
    /// Adds it to a method's arguments.
    pub(super) fn put_into(self, arguments: &mut Value) -> Result<()> {
        if self.markdown_text.is_some() && (self.text.is_some() || self.blocks.is_some()) {
            return Err(Error::invalid_argument(
                "/markdown_text",
                "cannot be given together with `text` or `blocks`",
            ));
        }
        if self.text.is_none() && self.markdown_text.is_none() && self.blocks.is_none() {
            return Err(Error::invalid_argument("/text", "must be given, or `markdown_text`, or `blocks`"));
        }
        let text = match self.text {
            Some(text) if self.plain_text => Some(escape(&text)),
            text => text,
        };
        arguments["text"] = text.into();
        arguments["markdown_text"] = self.markdown_text.into();
        arguments["blocks"] = self.blocks.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content(text: Option<&str>, markdown: Option<&str>) -> Content {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Content { text: owned(text), plain_text: false, markdown_text: owned(markdown), blocks: None }
    }

    #[test]
    fn a_message_says_something_in_one_way() {
        let mut arguments = json!({});
        for wrong in [content(None, None), content(Some("a"), Some("b"))] {
            assert!(wrong.put_into(&mut arguments).is_err());
        }
        content(Some("<!here> & *all*"), None).put_into(&mut arguments).unwrap();
        assert_eq!(arguments["text"], "<!here> & *all*");
        let plain = Content { plain_text: true, ..content(Some("<!here> & *all*"), None) };
        plain.put_into(&mut arguments).unwrap();
        assert_eq!(arguments["text"], "&lt;!here&gt; &amp; *all*");
    }
}
