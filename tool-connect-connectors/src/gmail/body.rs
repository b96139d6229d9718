//! The text of a message, out of the parts that Gmail sends.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tool_connect_core::{Error, ErrorKind, Result};

use super::message::Part;

/// Gmail writes padding in some places and not in others.
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// So much of a message's HTML is read, in bytes.
const MOST_HTML: usize = 1024 * 1024;
/// Elements may stand within each other this deep: the work grows with the square of it, and who sends a mail may send anything.
const DEEPEST: usize = 400;
/// So many tags are laid out. A browser's rules nest in more ways than are counted here, and the work is the square of the depth.
const MOST_TAGS: usize = 10_000;
/// Columns of the text that is made of HTML.
const WIDTH: usize = 100;

/// Bytes out of Gmail's Base64.
pub(super) fn decode(data: &str) -> Result<Vec<u8>> {
    ANY_PADDING
        .decode(data)
        .map_err(|_| Error::new(ErrorKind::Provider, "a body from Gmail is not Base64 (RFC 4648 §5)"))
}

/// What a message says.
#[derive(Default)]
pub(super) struct Texts {
    plain: Vec<String>,
    html: Vec<String>,
}

impl Texts {
    /// Collects the texts of a part and of those in it; attachments are none.
    pub(super) fn of(part: &Part) -> Self {
        let mut texts = Self::default();
        texts.add(part);
        texts
    }

    fn add(&mut self, part: &Part) {
        if part.is_attachment() {
            return;
        }
        let list = match part.mime_type.as_str() {
            "text/plain" => &mut self.plain,
            "text/html" => &mut self.html,
            _ => {
                part.parts.iter().for_each(|inner| self.add(inner));
                return;
            }
        };
        let data = part.body.as_ref().and_then(|body| body.data.as_deref());
        if let Some(bytes) = data.and_then(|data| decode(data).ok()) {
            list.push(text(bytes, part.header("content-type").unwrap_or_default()));
        }
    }

    /// The plain text; made of the HTML where the message has none.
    pub(super) fn text(&self) -> Option<String> {
        if !self.plain.is_empty() {
            return Some(self.plain.join("\n"));
        }
        let html = self.html()?;
        let end = (0..=html.len().min(MOST_HTML)).rev().find(|end| html.is_char_boundary(*end))?;
        let html = html.get(..end)?;
        if html.matches('<').count() > MOST_TAGS || depth(html) > DEEPEST {
            return Some(without_tags(html));
        }
        html2text::config::plain()
            .allow_width_overflow()
            .string_from_read(html.as_bytes(), WIDTH)
            .ok()
            .map(|text| text.trim().to_owned())
    }

    /// The HTML, where there is some.
    pub(super) fn html(&self) -> Option<String> {
        (!self.html.is_empty()).then(|| self.html.join("\n"))
    }
}

/// How deep elements stand within each other, at most. Those that cannot hold their own kind do not count.
fn depth(html: &str) -> usize {
    const FLAT: [&str; 19] = [
        "br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr", "p",
        "li", "td", "tr", "th", "dt", "dd",
    ];
    let mut open: Vec<&str> = Vec::new();
    let mut most = 0;
    for tag in html.split('<').skip(1) {
        let (tag, closes) = tag.strip_prefix('/').map_or((tag, false), |rest| (rest, true));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = tag.get(..end).unwrap_or_default();
        if name.is_empty() || FLAT.iter().any(|flat| name.eq_ignore_ascii_case(flat)) {
            continue;
        }
        if !closes {
            open.push(name);
            most = most.max(open.len());
        } else if open.last().is_some_and(|last| last.eq_ignore_ascii_case(name)) {
            // A tag that closes something else closes nothing: better too deep than too flat.
            open.pop();
        }
    }
    most
}

/// What stands outside of tags.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        let outside = piece.split_once('>').map_or(piece, |(_, outside)| outside).trim();
        if !outside.is_empty() {
            text.push_str(outside);
            text.push('\n');
        }
    }
    text.trim_end().to_owned()
}

/// Text in the character set that its content type names; most name UTF-8, or none.
fn text(bytes: Vec<u8>, content_type: &str) -> String {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => error.into_bytes(),
    };
    let lower = content_type.to_ascii_lowercase();
    let label = lower.split_once("charset=").map_or("", |(_, rest)| rest);
    let label = label.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252);
    encoding.decode(&bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_sets_are_read() {
        assert_eq!(text("grün".into(), "text/plain; charset=\"iso-8859-1\""), "grün");
        assert_eq!(text(vec![0x67, 0x72, 0xfc, 0x6e], "text/plain; charset=ISO-8859-1"), "grün");
        assert_eq!(text(vec![0x82, 0xa0], "text/plain; charset=shift_jis; format=flowed"), "あ");
        assert_eq!(text(vec![0xfc], ""), "ü");
    }

    #[test]
    fn html_that_is_deeply_nested_is_read_without_its_tags() {
        let read = |html: String| Texts { plain: Vec::new(), html: vec![html] }.text().unwrap();
        for tag in ["div", "b", "blockquote", "ul><li", "table><tr><td", "DIV a=1"] {
            let html = format!("{}deep", format!("<{tag}>").repeat(20_000));
            assert_eq!(depth(&html), 20_000, "{tag}");
            assert_eq!(read(html), "deep", "{tag}");
        }
        for closed in ["<div></p>", "<div></x>", "<b><div></b>"] {
            assert!(depth(&closed.repeat(500)) > DEEPEST, "{closed}");
        }
        // Neither many elements nor many that are never closed are deep.
        let flat = format!("{}flat", "<p>a<br><b>c</b>".repeat(2_000));
        assert_eq!(depth(&flat), 1);
        assert!(read(flat).ends_with("flat"));
    }

    #[test]
    fn base64_with_and_without_padding() {
        assert_eq!(decode("YQ==").unwrap(), b"a");
        assert_eq!(decode("YQ").unwrap(), b"a");
        assert_eq!(decode("__8").unwrap(), [0xff, 0xff]);
        assert!(decode("a b").is_err());
    }
}
