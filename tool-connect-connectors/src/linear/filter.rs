//! Filters, typed: what is left out does not restrict (<https://linear.app/developers/filtering>).

use serde::Serialize;

use super::ids::is_uuid;

#[derive(Serialize)]
pub(super) struct Is<T> {
    eq: T,
}

impl<T> Is<T> {
    pub(super) fn new(eq: T) -> Self {
        Self { eq }
    }
}

/// Text without regard to case.
#[derive(Serialize)]
pub(super) struct Like<'a> {
    #[serde(rename = "eqIgnoreCase")]
    eq: &'a str,
}

impl<'a> Like<'a> {
    pub(super) fn new(eq: &'a str) -> Self {
        Self { eq }
    }
}

/// A part of a text, without regard to case.
#[derive(Serialize)]
pub(super) struct Contains<'a> {
    #[serde(rename = "containsIgnoreCase")]
    part: &'a str,
}

impl<'a> Contains<'a> {
    pub(super) fn new(part: &'a str) -> Self {
        Self { part }
    }
}

#[derive(Serialize)]
pub(super) struct Since<'a> {
    gte: &'a str,
}

impl<'a> Since<'a> {
    pub(super) fn new(gte: &'a str) -> Self {
        Self { gte }
    }
}

#[derive(Serialize)]
pub(super) struct Holds<'a> {
    contains: &'a str,
}

impl<'a> Holds<'a> {
    pub(super) fn new(contains: &'a str) -> Self {
        Self { contains }
    }
}

/// Which one is meant.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Which<'a> {
    Id {
        id: Is<&'a str>,
    },
    Key {
        key: Like<'a>,
    },
    Name {
        name: Like<'a>,
    },
    Email {
        email: Like<'a>,
    },
    Me {
        #[serde(rename = "isMe")]
        is_me: Is<bool>,
    },
    Number {
        number: Is<u32>,
    },
    Active {
        #[serde(rename = "isActive")]
        is_active: Is<bool>,
    },
    Next {
        #[serde(rename = "isNext")]
        is_next: Is<bool>,
    },
    Previous {
        #[serde(rename = "isPrevious")]
        is_previous: Is<bool>,
    },
    Nothing {
        null: bool,
    },
}

impl<'a> Which<'a> {
    pub(super) fn id(id: &'a str) -> Self {
        Self::Id { id: Is::new(id) }
    }

    /// A team: by id, or by its key.
    pub(super) fn team(text: &'a str) -> Self {
        if is_uuid(text) { Self::id(text) } else { Self::Key { key: Like { eq: text } } }
    }

    /// By id, or by name.
    pub(super) fn named(text: &'a str) -> Self {
        if is_uuid(text) { Self::id(text) } else { Self::Name { name: Like { eq: text } } }
    }

    /// By id, by name, or `none`.
    pub(super) fn named_or_none(text: &'a str) -> Self {
        if text == "none" { Self::Nothing { null: true } } else { Self::named(text) }
    }

    /// A person: by id, e-mail address or name; `me`, or `none`.
    pub(super) fn person(text: &'a str) -> Self {
        match text {
            "me" => Self::Me { is_me: Is::new(true) },
            _ if text.contains('@') => Self::Email { email: Like { eq: text } },
            _ => Self::named_or_none(text),
        }
    }

    /// A cycle: by id or number; `active`, `next`, `previous`, or `none`.
    pub(super) fn cycle(text: &'a str) -> Self {
        match (text, text.parse()) {
            ("active", _) => Self::Active { is_active: Is::new(true) },
            ("next", _) => Self::Next { is_next: Is::new(true) },
            ("previous", _) => Self::Previous { is_previous: Is::new(true) },
            (_, Ok(number)) => Self::Number { number: Is::new(number) },
            _ => Self::named_or_none(text),
        }
    }
}
