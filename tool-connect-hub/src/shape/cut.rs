//! Cuts JSON text to a room of bytes: always valid JSON, the same for the same text, and each cut says what is missing
//! and from where to read on.

use std::ops::ControlFlow;

use tool_connect_core::pointer_token;

use super::raw::{self, Kind};

/// A mark that names nothing, where there is no room for more.
const MARK: &str = "\"…\"";
/// The least room in which something can be said.
pub(super) const LEAST: usize = MARK.len();
/// Deeper values are left out, whatever room there is.
const DEEPEST: usize = 32;
/// An item, and a field's value, of this size is not cut further while others can go instead.
const SMALL_ITEM: usize = 64;
const SMALL_VALUE: usize = 24;

/// What the parts of a cut value are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CutUnit {
    /// Items of an array.
    Items,
    /// Fields of an object.
    Fields,
    /// Bytes of text.
    Bytes,
}

impl CutUnit {
    /// The unit's name: `items`, `fields`, `bytes`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Fields => "fields",
            Self::Bytes => "bytes",
        }
    }
}

/// A place where a result was cut. In the JSON text a mark that begins with `…` stands there: an array's last item,
/// an object's last field, the end of a string, or the whole value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// The cut value: a JSON pointer (RFC 6901) into the whole result.
    pub pointer: String,
    /// How much of the value there is before the mark: where to read on.
    pub next: usize,
    /// How much of it there is in all.
    pub of: usize,
    /// In which unit both count.
    pub unit: CutUnit,
}

impl Cut {
    /// Where to read on, as [`Session::read_result`](crate::Session::read_result) takes it: `pointer#next`.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.pointer, self.next)
    }

    fn mark(&self) -> String {
        let (left, of, unit) = (self.of.saturating_sub(self.next), self.of, self.unit.as_str());
        format!("… {left} more of {of} {unit}; read on from {}", self.position())
    }
}

/// What came of cutting.
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) cuts: Vec<Cut>,
}

/// Cuts a value, which stands at `pointer` of the whole, from `offset` of its parts on; `room` is at least [`LEAST`].
pub(super) fn cut(raw: &str, pointer: &str, offset: usize, room: usize) -> Piece {
    let mut cutter = Cutter { out: String::new(), cuts: Vec::new(), pointer: pointer.to_owned() };
    cutter.value(raw, offset, room, 0);
    Piece { text: cutter.out, cuts: cutter.cuts }
}

struct Cutter {
    out: String,
    cuts: Vec<Cut>,
    /// Where the value at hand stands in the whole.
    pointer: String,
}

impl Cutter {
    fn value(&mut self, raw: &str, offset: usize, room: usize, depth: usize) {
        if offset == 0 && raw.len() <= room {
            self.out.push_str(raw);
            return;
        }
        let whole = (self.out.len(), self.cuts.len());
        let written = match raw::kind(raw) {
            _ if depth == DEEPEST => None,
            Kind::Object => self.object(raw, offset, room, depth),
            Kind::Array => self.array(raw, offset, room, depth),
            Kind::Text => raw::text(raw).and_then(|text| self.text(&text, offset, room)),
            Kind::Scalar if depth == 0 => self.text(raw, offset, room),
            Kind::Scalar => None,
        };
        if written.is_none() {
            self.out.truncate(whole.0);
            self.cuts.truncate(whole.1);
            self.left_out(raw, offset, room);
        }
    }

    /// A value of which nothing is shown.
    fn left_out(&mut self, raw: &str, offset: usize, room: usize) {
        let cut = Cut { pointer: self.pointer.clone(), next: offset, of: raw.len(), unit: CutUnit::Bytes };
        let mark = quoted(&format!("… {} bytes; read on from {}", cut.of, cut.position()));
        self.out.push_str(if mark.len() <= room { &mark } else { MARK });
        self.cuts.push(cut);
    }

    /// The mark of a cut that is still to be made, at its largest; short where it would take more than half of the room.
    fn marked(&self, of: usize, unit: CutUnit, room: usize) -> bool {
        let cut = Cut { pointer: self.pointer.clone(), next: of, of, unit };
        // `next` and what is left have together no more digits than twice those of `of`.
        quoted(&cut.mark()).len() + digits(of) <= room / 2
    }

    fn mark_room(&self, of: usize, unit: CutUnit, long: bool) -> usize {
        if !long {
            return MARK.len();
        }
        let cut = Cut { pointer: self.pointer.clone(), next: of, of, unit };
        quoted(&cut.mark()).len() + digits(of)
    }

    fn text(&mut self, text: &str, offset: usize, room: usize) -> Option<()> {
        let start = floor(text, offset);
        let rest = text.get(start..)?;
        let room = room.checked_sub(2)?;
        let (all, fits) = prefix(rest, room);
        if fits {
            self.out.push_str(&quoted(all));
            return Some(());
        }
        let long = self.marked(text.len(), CutUnit::Bytes, room);
        let mark = self.mark_room(text.len(), CutUnit::Bytes, long) - 2;
        let (shown, _) = prefix(rest, room.checked_sub(mark)?);
        let next = start + shown.len();
        let cut = Cut { pointer: self.pointer.clone(), next, of: text.len(), unit: CutUnit::Bytes };
        let mark = if long { cut.mark() } else { "…".to_owned() };
        self.out.push_str(&quoted(&format!("{shown}{mark}")));
        self.cuts.push(cut);
        Some(())
    }

    fn array(&mut self, raw: &str, offset: usize, room: usize, depth: usize) -> Option<()> {
        let room = room.checked_sub(2)?;
        let at_most = (room / 4).max(SMALL_ITEM);
        let (mut items, mut whole, mut shaped) = (Vec::new(), 0_usize, 0_usize);
        let of = raw::items(raw, offset, |_, item| {
            items.push(item);
            whole = whole.saturating_add(item.len() + 1);
            shaped += item.len().min(at_most) + 1;
            if shaped > room + 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let of = of.ok()?;
        self.out.push('[');
        let all_here = offset.saturating_add(items.len()) >= of;
        if all_here && whole <= room + 1 {
            self.list(&items);
            self.out.push(']');
            return Some(());
        }
        let long = self.marked(of, CutUnit::Items, room);
        let room = room.checked_sub(self.mark_room(of, CutUnit::Items, long) + 1)?;
        let at_most = (room / 4).max(SMALL_ITEM);
        let begin = self.out.len();
        let mut shown = 0;
        for item in &items {
            let left = room - (self.out.len() - begin).min(room);
            let left = left.saturating_sub(usize::from(shown > 0));
            let most = at_most.min(left);
            let cut_too = most == at_most || shown == 0;
            if item.len() > most && !(cut_too && most >= LEAST) {
                break;
            }
            if shown > 0 {
                self.out.push(',');
            }
            self.inside(&(offset + shown).to_string(), item, most, depth);
            shown += 1;
        }
        let next = offset.saturating_add(shown);
        if next < of {
            let cut = Cut { pointer: self.pointer.clone(), next, of, unit: CutUnit::Items };
            if shown > 0 {
                self.out.push(',');
            }
            self.out.push_str(&if long { quoted(&cut.mark()) } else { MARK.to_owned() });
            self.cuts.push(cut);
        }
        self.out.push(']');
        Some(())
    }

    fn object(&mut self, raw: &str, offset: usize, room: usize, depth: usize) -> Option<()> {
        let room = room.checked_sub(2)?;
        let (mut fields, mut whole, mut least) = (Vec::new(), 0_usize, 0_usize);
        let of = raw::fields(raw, offset, |_, name, value| {
            fields.push((name, value));
            whole = whole.saturating_add(name.len() + value.len() + 2);
            least += name.len() + value.len().min(LEAST) + 2;
            if least > room + 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let of = of.ok()?;
        self.out.push('{');
        let all_here = offset.saturating_add(fields.len()) >= of;
        if all_here && whole <= room + 1 {
            for (n, (name, value)) in fields.iter().enumerate() {
                let comma = if n > 0 { "," } else { "" };
                self.out.extend([comma, *name, ":", *value]);
            }
            self.out.push('}');
            return Some(());
        }
        // All fields with their values cut, or else the first fields and a mark.
        let (mut room, mut long, mut shown) = (room, false, fields.len());
        if !all_here || how_many(&fields, SMALL_VALUE, room) < fields.len() {
            long = self.marked(of, CutUnit::Fields, room);
            // The mark, its name, the colon between them and the comma before.
            room = room.checked_sub(self.mark_room(of, CutUnit::Fields, long) + MARK.len() + 2)?;
            shown = match how_many(&fields, SMALL_VALUE, room) {
                0 => how_many(&fields, LEAST, room),
                some => some,
            };
        }
        let fields = fields.get(..shown)?;
        let names: usize = fields.iter().map(|(name, _)| name.len() + 2).sum();
        let rooms = share(fields, (room + 1).saturating_sub(names));
        for (n, ((name, value), most)) in fields.iter().zip(rooms).enumerate() {
            let comma = if n > 0 { "," } else { "" };
            self.out.extend([comma, *name, ":"]);
            let name = raw::text(name)?;
            self.inside(&name, value, most, depth);
        }
        let next = offset.saturating_add(shown);
        if next < of {
            let cut = Cut { pointer: self.pointer.clone(), next, of, unit: CutUnit::Fields };
            let mark = if long { quoted(&cut.mark()) } else { MARK.to_owned() };
            self.out.extend([if shown > 0 { "," } else { "" }, MARK, ":", &mark]);
            self.cuts.push(cut);
        }
        self.out.push('}');
        Some(())
    }

    fn list(&mut self, items: &[&str]) {
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            self.out.push_str(item);
        }
    }

    fn inside(&mut self, name: &str, value: &str, room: usize, depth: usize) {
        let here = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&pointer_token(name));
        self.value(value, 0, room, depth + 1);
        self.pointer.truncate(here);
    }
}

/// How many of the fields fit if each value takes no more than `most`.
fn how_many(fields: &[(&str, &str)], most: usize, room: usize) -> usize {
    let mut used = 0;
    fields
        .iter()
        .take_while(|(name, value)| {
            used += name.len() + value.len().min(most) + 2;
            used <= room + 1
        })
        .count()
}

/// Small values whole; what they leave is shared by the large ones.
fn share(fields: &[(&str, &str)], room: usize) -> Vec<usize> {
    let mut by_size: Vec<usize> = (0..fields.len()).collect();
    let size = |n: usize| fields.get(n).map_or(0, |(_, value)| value.len());
    by_size.sort_by_key(|&n| size(n));
    let mut rooms = vec![0; fields.len()];
    let (mut left, mut sharing) = (room, fields.len());
    for n in by_size {
        let most = size(n).min(left / sharing.max(1));
        if let Some(room) = rooms.get_mut(n) {
            *room = most;
        }
        left -= most;
        sharing -= 1;
    }
    rooms
}

/// As much of a text as takes no more than `room` bytes in a JSON string, and whether that is all.
fn prefix(text: &str, room: usize) -> (&str, bool) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            c if c < ' ' => 6,
            c => c.len_utf8(),
        };
        if used > room {
            return (text.get(..at).unwrap_or_default(), false);
        }
    }
    (text, true)
}

/// The last boundary between characters at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn digits(n: usize) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
