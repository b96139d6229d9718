//! Text that must not be read as Markdown.

/// Where rich text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    /// On one line: a line break is `<br>`.
    pub(super) line: bool,
    /// Within a cell of a table.
    pub(super) table: bool,
}

impl Place {
    /// A paragraph.
    pub(super) const FREE: Self = Self { line: false, table: false };
    /// A heading, a summary, a caption.
    pub(super) const LINE: Self = Self { line: true, table: false };
    /// A cell.
    pub(super) const CELL: Self = Self { line: true, table: true };
}

pub(super) struct Writer {
    out: String,
    place: Place,
}

impl Writer {
    pub(super) fn new(place: Place) -> Self {
        Self { out: String::new(), place }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn ends_with(&self, any: &[char]) -> bool {
        self.out.ends_with(any)
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    /// Text within brackets, escaped.
    pub(super) fn escaped(&self, text: &str) -> String {
        let mut inner = Self::new(Place { line: true, ..self.place });
        // Never at the beginning of a line.
        inner.out.push('[');
        inner.text(text, true);
        inner.out.split_off(1)
    }

    /// Writes text of one piece; `more` where the line goes on behind it.
    pub(super) fn text(&mut self, text: &str, more: bool) {
        let chars: Vec<char> = text.chars().collect();
        let mut marker_until = 0;
        for (at, &c) in chars.iter().enumerate() {
            let prev = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
            let next = chars.get(at + 1).copied();
            let line_start = self.at_line_start();
            if line_start && c.is_ascii_digit() {
                marker_until = at + chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
            }
            match c {
                '\n' => self.line_break(next),
                ' ' if line_start || next == Some('\n') || (next.is_none() && !more) => self.entity(c),
                ' ' => self.out.push(c),
                c if c.is_control() || c.is_whitespace() => self.entity(c),
                '|' if self.place.table && prev != Some('\\') => self.out.push_str("\\|"),
                '|' if self.place.table => self.entity(c),
                '`' if prev.is_none() || next.is_none() => self.entity(c),
                '\\' | '`' | '*' | '[' | ']' | '<' | '~' | '$' => self.escape(c),
                '_' => {
                    let within = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                    if within(prev) && within(next) { self.out.push(c) } else { self.escape(c) }
                }
                '&' if next.is_none_or(|c| c == '#' || c.is_ascii_alphanumeric()) => self.escape(c),
                '!' if next.is_none() => self.escape(c),
                // Levels of headings, and what may end one.
                '#' if line_start || self.place.line => self.escape(c),
                '>' | '-' | '+' | '=' | ':' | '|' if line_start => self.escape(c),
                '.' | ')' if marker_until == at && at > 0 => self.escape(c),
                c => self.out.push(c),
            }
        }
    }

    fn line_break(&mut self, next: Option<char>) {
        if self.at_line_start() {
            self.entity('\n');
        } else if self.place.line || matches!(next, None | Some('\n')) {
            self.out.push_str("<br>");
        } else {
            self.out.push_str("\\\n");
        }
    }

    fn escape(&mut self, c: char) {
        self.out.push('\\');
        self.out.push(c);
    }

    fn entity(&mut self, c: char) {
        // A reader replaces NUL; it stands for nothing that a text can say.
        let code = if c == '\0' { 0xFFFD } else { u32::from(c) };
        self.out.push_str(&format!("&#{code};"));
    }

    /// Text between backticks, if it can stand there unchanged.
    pub(super) fn code(&self, text: &str) -> Option<String> {
        let odd = |c: char| c.is_control() || (self.place.table && (c == '|' || c == '\\'));
        // In a link at the beginning of a line it would be read as a link's definition.
        if text.contains("]:") {
            return None;
        }
        if text.is_empty()
            || text.chars().any(odd)
            || text.chars().all(|c| c == ' ')
            || self.out.ends_with('`')
        {
            return None;
        }
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest + 1);
        let pad = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
        let pad = if pad { " " } else { "" };
        Some(format!("{fence}{pad}{text}{pad}{fence}"))
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}
