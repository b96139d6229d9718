//! Blocks as both sides know them.

use serde_json::{Map, Value};

/// A block: what it says, what Notion knows of it beyond that, and what stands within it.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What it says.
    pub content: Content,
    /// Members of Notion's object that `content` does not say: colour, icon, a caption with links.
    pub attributes: Map<String, Value>,
    /// Blocks within it.
    pub children: Vec<Block>,
}

impl Block {
    /// A block without attributes and children.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { content, attributes: Map::new(), children: Vec::new() }
    }

    /// A paragraph of plain text.
    #[must_use]
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self::new(Content::Paragraph(vec![Span::text(text)]))
    }

    /// Sets what stands within it.
    #[must_use]
    pub fn with(mut self, children: Vec<Self>) -> Self {
        self.children = children;
        self
    }
}

/// What a block says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A paragraph.
    Paragraph(Vec<Span>),
    /// A heading of level 1 to 4; a toggle hides its children.
    Heading {
        /// Level.
        level: u8,
        /// Text.
        text: Vec<Span>,
        /// Whether its children can be folded away.
        toggle: bool,
    },
    /// An item of a bulleted list.
    Bulleted(Vec<Span>),
    /// An item of a numbered list.
    Numbered(Vec<Span>),
    /// An item with a check box.
    ToDo {
        /// Text.
        text: Vec<Span>,
        /// Whether it is checked.
        checked: bool,
    },
    /// A quotation.
    Quote(Vec<Span>),
    /// A callout; its icon and colour are an alert's, unless the attributes say others.
    Callout {
        /// Which of the five kinds that GitHub's alerts have.
        alert: Alert,
        /// Text.
        text: Vec<Span>,
    },
    /// A line whose children can be folded away.
    Toggle(Vec<Span>),
    /// Code.
    Code {
        /// One of Notion's languages.
        language: String,
        /// The code.
        text: String,
    },
    /// A formula in TeX.
    Equation(String),
    /// A line across the page.
    Divider,
    /// A table; all rows are equally long.
    Table {
        /// Whether the first row is a header.
        header: bool,
        /// Rows of cells.
        rows: Vec<Vec<Vec<Span>>>,
    },
    /// An image: an address, `notion://upload/ID` of a file upload, or `notion://file/ID` of the block whose file Notion keeps.
    Image {
        /// Where it is.
        url: String,
        /// Caption.
        caption: Vec<Span>,
    },
    /// A block that is a link with a kind.
    Linked {
        /// Which kind.
        kind: LinkKind,
        /// Where to; `notion://` for what Notion keeps.
        url: String,
        /// Caption or title; the address where there is none.
        caption: Vec<Span>,
    },
    /// Any other type of block; the attributes are its object.
    Other {
        /// Notion's type.
        kind: String,
    },
}

macro_rules! link_kinds {
    ($($variant:ident = $name:literal, $doc:literal;)+) => {
        /// What kind of block a link of its own is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum LinkKind {
            $(#[doc = $doc] $variant,)+
        }

        impl LinkKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Notion's type, which is the link's title in Markdown.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub(super) fn of(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

link_kinds! {
    Bookmark = "bookmark", "A bookmark.";
    Embed = "embed", "Another site, shown in the page.";
    LinkPreview = "link_preview", "A preview of a page elsewhere.";
    Video = "video", "A video.";
    Audio = "audio", "Sound.";
    Pdf = "pdf", "A PDF.";
    File = "file", "A file.";
    ChildPage = "child_page", "A page below this one.";
    ChildDatabase = "child_database", "A database on this page.";
    LinkToPage = "link_to_page", "A link to a page elsewhere.";
    LinkToDatabase = "link_to_database", "A link to a database elsewhere.";
}

/// The kinds of GitHub's alerts, each with an icon and a colour of Notion's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// ℹ️ on blue.
    Note,
    /// 💡 on green.
    Tip,
    /// ❗ on purple.
    Important,
    /// ⚠️ on yellow.
    Warning,
    /// 🛑 on red.
    Caution,
}

impl Alert {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Note, Self::Tip, Self::Important, Self::Warning, Self::Caution];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Note => "NOTE",
            Self::Tip => "TIP",
            Self::Important => "IMPORTANT",
            Self::Warning => "WARNING",
            Self::Caution => "CAUTION",
        }
    }

    pub(super) fn looks(self) -> (&'static str, &'static str) {
        match self {
            Self::Note => ("ℹ️", "blue_background"),
            Self::Tip => ("💡", "green_background"),
            Self::Important => ("❗", "purple_background"),
            Self::Warning => ("⚠️", "yellow_background"),
            Self::Caution => ("🛑", "red_background"),
        }
    }
}

/// A piece of rich text.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What it is.
    pub inline: Inline,
    /// How it looks.
    pub marks: Marks,
    /// Where a text leads.
    pub link: Option<String>,
}

impl Span {
    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { inline: Inline::Text(text.into()), marks: Marks::default(), link: None }
    }
}

/// What a piece of rich text is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Inline {
    /// Text; a line feed is a line break.
    Text(String),
    /// A formula in TeX.
    Equation(String),
    /// Somebody or something that Notion knows, by its `notion://` address.
    Mention {
        /// `notion://user/ID`, `notion://page/ID`, `notion://database/ID`, `notion://date/START/END?ZONE`, or
        /// `notion://mention/JSON` for the others.
        target: String,
        /// What is shown for it. Notion makes it; it is not sent.
        label: String,
    },
}

/// How rich text looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Struck through.
    pub strike: bool,
    /// Underlined.
    pub underline: bool,
    /// Code.
    pub code: bool,
    /// Notion's colour, where it is not the default.
    pub color: Option<String>,
}

/// Whether a name is one that Notion's colours have.
pub(super) fn is_color(name: &str) -> bool {
    let plain = name.strip_suffix("_background").unwrap_or(name);
    matches!(plain, "gray" | "brown" | "orange" | "yellow" | "green" | "blue" | "purple" | "pink" | "red")
        || name == "default_background"
}

/// Drops empty text and puts together what looks the same.
pub(super) fn tidy(spans: Vec<Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for mut span in spans {
        if !matches!(span.inline, Inline::Text(_)) {
            span.link = None;
        }
        if matches!(&span.inline, Inline::Text(text) if text.is_empty()) {
            continue;
        }
        if let (Some(last), Inline::Text(more)) = (out.last_mut(), &span.inline)
            && last.marks == span.marks
            && last.link == span.link
            && let Inline::Text(text) = &mut last.inline
        {
            text.push_str(more);
            continue;
        }
        out.push(span);
    }
    out
}

/// What is shown of rich text, without marks.
pub(in super::super) fn plain(spans: &[Span]) -> String {
    spans
        .iter()
        .map(|span| match &span.inline {
            Inline::Text(text) | Inline::Equation(text) => text.as_str(),
            Inline::Mention { label, .. } => label.as_str(),
        })
        .collect()
}
