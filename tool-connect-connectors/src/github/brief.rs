//! Parts of objects that a reader needs one word of: an account by its login, a label by its name. GitHub sends the whole
//! object, of which only that word is kept.

use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Reads a list that may be `null`.
pub(super) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Takes the text of one member out of an object, or a text as it is; empty where the object does not have it.
struct Member(&'static str);

impl<'de> Visitor<'de> for Member {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`, or a text", self.0)
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Name(self.0))? {
            if is_it {
                found = map.next_value::<Option<String>>()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found.unwrap_or_default())
    }
}

/// Whether a member has this name. GitHub's objects have some twenty others, none of which is worth a copy.
struct Name(&'static str);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $member:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Member($member)).map(Self)
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

words! {
    /// An account by its login.
    Login: "login";
    /// A label by its name.
    LabelName: "name";
    /// A repository by its full name, `owner/name`.
    FullName: "full_name";
    /// A team or an app by its slug, the name in addresses.
    Slug: "slug";
    /// A commit by its SHA.
    Sha: "sha";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_is_kept_of_an_object() {
        let read = |text: &str| serde_json::from_str::<Login>(text).map(|login| login.0);
        let whole = r#"{"id": 1, "login": "octo\u006bat", "plan": {"login": "no"}}"#;
        assert_eq!(read(whole).unwrap(), "octokat");
        // As it was written before, and where GitHub sends an empty object for an account that is gone.
        assert_eq!(read(r#""octocat""#).unwrap(), "octocat");
        assert_eq!(read("{}").unwrap(), "");
        assert_eq!(read(r#"{"login": null}"#).unwrap(), "");
        assert!(read("7").is_err() && read(r#"{"login": 7}"#).is_err());
        assert_eq!(serde_json::to_string(&Login("octocat".into())).unwrap(), r#""octocat""#);
    }
}
