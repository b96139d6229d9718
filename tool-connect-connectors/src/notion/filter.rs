//! Filters of a query: <https://developers.notion.com/reference/filter-data-source-entries>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Error, Result, ToolArgs};

/// Whether all conditions must hold or any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// All of them.
    #[default]
    All,
    /// At least one.
    Any,
}

impl Match {
    fn word(self) -> &'static str {
        match self {
            Self::All => "and",
            Self::Any => "or",
        }
    }
}

/// Which rows to return: conditions, and groups of conditions, of which all or any must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Whether all must hold or any; all if left out.
    #[serde(default)]
    pub r#match: Match,
    /// Conditions.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub conditions: Vec<Condition>,
    /// Groups, each of which holds or not.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub groups: Vec<Group>,
}

/// Conditions of which all or any must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Whether all must hold or any; all if left out.
    #[serde(default)]
    pub r#match: Match,
    /// Conditions.
    #[schemars(length(min = 1, max = 100))]
    pub conditions: Vec<Condition>,
}

/// A condition on one property, or on the time when a row was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name or id of the property. Left out, with a `created_time` or `last_edited_time`, for the row's own time.
    #[serde(default)]
    pub property: Option<String>,
    /// For formulas and rollups: what of them is tested.
    #[serde(default)]
    pub through: Option<Through>,
    /// The test; its type is that of the property, or of what a formula or rollup returns.
    pub test: Test,
}

/// What of a formula or a rollup is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// What a formula returns: text (`rich_text`), `number`, `checkbox` or `date`.
    Formula,
    /// What a rollup computes: `number` or `date`.
    Rollup,
    /// At least one of the values that a rollup shows.
    RollupAny,
    /// All of the values that a rollup shows.
    RollupEvery,
    /// None of the values that a rollup shows.
    RollupNone,
}

/// A test by the type of what is tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// The title.
    Title {
        /// How it compares.
        is: TextIs,
        /// With what text.
        #[serde(default)]
        value: Option<String>,
    },
    /// Text.
    RichText {
        /// How it compares.
        is: TextIs,
        /// With what text.
        #[serde(default)]
        value: Option<String>,
    },
    /// An address.
    Url {
        /// How it compares.
        is: TextIs,
        /// With what text.
        #[serde(default)]
        value: Option<String>,
    },
    /// An e-mail address.
    Email {
        /// How it compares.
        is: TextIs,
        /// With what text.
        #[serde(default)]
        value: Option<String>,
    },
    /// A telephone number.
    PhoneNumber {
        /// How it compares.
        is: TextIs,
        /// With what text.
        #[serde(default)]
        value: Option<String>,
    },
    /// A number.
    Number {
        /// How it compares.
        is: NumberIs,
        /// With what number.
        #[serde(default)]
        value: Option<f64>,
    },
    /// A number of its own for each row.
    UniqueId {
        /// How it compares.
        is: NumberIs,
        /// With what number.
        #[serde(default)]
        value: Option<f64>,
    },
    /// A check box.
    Checkbox {
        /// Whether it is checked.
        checked: bool,
    },
    /// One option.
    Select {
        /// How it compares.
        is: ChoiceIs,
        /// With the names of these options.
        #[serde(default)]
        options: Vec<String>,
    },
    /// A status.
    Status {
        /// How it compares.
        is: ChoiceIs,
        /// With the names of these options.
        #[serde(default)]
        options: Vec<String>,
    },
    /// Several options.
    MultiSelect {
        /// How it compares.
        is: MemberIs,
        /// With the names of these options.
        #[serde(default)]
        options: Vec<String>,
    },
    /// A date.
    Date {
        /// How it compares.
        is: DateIs,
        /// With what date or time, `2026-05-01`.
        #[serde(default)]
        value: Option<String>,
    },
    /// When the row was made.
    CreatedTime {
        /// How it compares.
        is: DateIs,
        /// With what date or time, `2026-05-01`.
        #[serde(default)]
        value: Option<String>,
    },
    /// When the row was changed last.
    LastEditedTime {
        /// How it compares.
        is: DateIs,
        /// With what date or time, `2026-05-01`.
        #[serde(default)]
        value: Option<String>,
    },
    /// People.
    People {
        /// How it compares.
        is: MemberIs,
        /// With the user of this id, or `me`.
        #[serde(default)]
        value: Option<String>,
    },
    /// Who made the row.
    CreatedBy {
        /// How it compares.
        is: MemberIs,
        /// With the user of this id, or `me`.
        #[serde(default)]
        value: Option<String>,
    },
    /// Who changed the row last.
    LastEditedBy {
        /// How it compares.
        is: MemberIs,
        /// With the user of this id, or `me`.
        #[serde(default)]
        value: Option<String>,
    },
    /// Related rows.
    Relation {
        /// How it compares.
        is: MemberIs,
        /// With the page of this id.
        #[serde(default)]
        value: Option<String>,
    },
    /// Files.
    Files {
        /// Whether there are any.
        is: ExistenceIs,
    },
    /// Whether a page of a wiki is verified.
    Verification {
        /// What it is.
        status: VerificationStatus,
    },
}

macro_rules! comparisons {
    ($(#[doc = $doc:literal] $name:ident { $(#[doc = $each:literal] $variant:ident = $word:literal,)+ })+) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(#[doc = $each] $variant,)+
        }

        impl $name {
            /// Notion's word for it.
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    )+};
}

comparisons! {
    #[doc = "How texts compare; without a value for the last two."]
    TextIs {
        #[doc = "The same."] Equals = "equals",
        #[doc = "Another."] DoesNotEqual = "does_not_equal",
        #[doc = "Holds it."] Contains = "contains",
        #[doc = "Does not hold it."] DoesNotContain = "does_not_contain",
        #[doc = "Begins with it."] StartsWith = "starts_with",
        #[doc = "Ends with it."] EndsWith = "ends_with",
        #[doc = "Empty."] IsEmpty = "is_empty",
        #[doc = "Not empty."] IsNotEmpty = "is_not_empty",
    }
    #[doc = "How numbers compare; without a value for the last two."]
    NumberIs {
        #[doc = "The same."] Equals = "equals",
        #[doc = "Another."] DoesNotEqual = "does_not_equal",
        #[doc = "Above."] GreaterThan = "greater_than",
        #[doc = "Below."] LessThan = "less_than",
        #[doc = "Not below."] GreaterThanOrEqualTo = "greater_than_or_equal_to",
        #[doc = "Not above."] LessThanOrEqualTo = "less_than_or_equal_to",
        #[doc = "Empty."] IsEmpty = "is_empty",
        #[doc = "Not empty."] IsNotEmpty = "is_not_empty",
    }
    #[doc = "How an option compares; without options for the last two."]
    ChoiceIs {
        #[doc = "One of these."] Equals = "equals",
        #[doc = "None of these."] DoesNotEqual = "does_not_equal",
        #[doc = "Empty."] IsEmpty = "is_empty",
        #[doc = "Not empty."] IsNotEmpty = "is_not_empty",
    }
    #[doc = "Whether something is among several; without a value for the last two."]
    MemberIs {
        #[doc = "It is among them."] Contains = "contains",
        #[doc = "It is not among them."] DoesNotContain = "does_not_contain",
        #[doc = "There is nothing."] IsEmpty = "is_empty",
        #[doc = "There is something."] IsNotEmpty = "is_not_empty",
    }
    #[doc = "How dates compare; with a value for the first five."]
    DateIs {
        #[doc = "On that day or at that time."] Equals = "equals",
        #[doc = "Before."] Before = "before",
        #[doc = "After."] After = "after",
        #[doc = "Not after."] OnOrBefore = "on_or_before",
        #[doc = "Not before."] OnOrAfter = "on_or_after",
        #[doc = "In this week."] ThisWeek = "this_week",
        #[doc = "In the week before now."] PastWeek = "past_week",
        #[doc = "In the month before now."] PastMonth = "past_month",
        #[doc = "In the year before now."] PastYear = "past_year",
        #[doc = "In the week from now."] NextWeek = "next_week",
        #[doc = "In the month from now."] NextMonth = "next_month",
        #[doc = "In the year from now."] NextYear = "next_year",
        #[doc = "Empty."] IsEmpty = "is_empty",
        #[doc = "Not empty."] IsNotEmpty = "is_not_empty",
    }
    #[doc = "Whether there is anything."]
    ExistenceIs {
        #[doc = "There is nothing."] IsEmpty = "is_empty",
        #[doc = "There is something."] IsNotEmpty = "is_not_empty",
    }
    #[doc = "Whether a page of a wiki is verified."]
    VerificationStatus {
        #[doc = "It is."] Verified = "verified",
        #[doc = "It was."] Expired = "expired",
        #[doc = "It is not."] None = "none",
    }
}

impl Test {
    /// Notion's type, and its condition.
    fn wire(&self, at: &str) -> Result<(&'static str, Value)> {
        Ok(match self {
            Self::Title { is, value } => ("title", compared(is.word(), value.as_ref(), at)?),
            Self::RichText { is, value } => ("rich_text", compared(is.word(), value.as_ref(), at)?),
            Self::Url { is, value } => ("url", compared(is.word(), value.as_ref(), at)?),
            Self::Email { is, value } => ("email", compared(is.word(), value.as_ref(), at)?),
            Self::PhoneNumber { is, value } => ("phone_number", compared(is.word(), value.as_ref(), at)?),
            Self::Number { is, value } => ("number", compared(is.word(), value.as_ref(), at)?),
            Self::UniqueId { is, value } => ("unique_id", compared(is.word(), value.as_ref(), at)?),
            Self::Checkbox { checked } => ("checkbox", json!({"equals": checked})),
            Self::Select { is, options } => ("select", among(is.word(), options, at)?),
            Self::Status { is, options } => ("status", among(is.word(), options, at)?),
            Self::MultiSelect { is, options } => ("multi_select", among(is.word(), options, at)?),
            Self::Date { is, value } => ("date", compared(is.word(), value.as_ref(), at)?),
            Self::CreatedTime { is, value } => ("created_time", compared(is.word(), value.as_ref(), at)?),
            Self::LastEditedTime { is, value } => {
                ("last_edited_time", compared(is.word(), value.as_ref(), at)?)
            }
            Self::People { is, value } => ("people", compared(is.word(), value.as_ref(), at)?),
            Self::CreatedBy { is, value } => ("created_by", compared(is.word(), value.as_ref(), at)?),
            Self::LastEditedBy { is, value } => ("last_edited_by", compared(is.word(), value.as_ref(), at)?),
            Self::Relation { is, value } => ("relation", compared(is.word(), value.as_ref(), at)?),
            Self::Files { is } => ("files", compared::<String>(is.word(), None, at)?),
            Self::Verification { status } => ("verification", json!({"status": status.word()})),
        })
    }
}

/// A comparison with a value, where it needs one and only there.
fn compared<T: Serialize>(word: &'static str, value: Option<&T>, at: &str) -> Result<Value> {
    let alone = match word {
        "is_empty" | "is_not_empty" => Some(json!(true)),
        word if ["this_", "past_", "next_"].iter().any(|begin| word.starts_with(begin)) => Some(json!({})),
        _ => None,
    };
    match (alone, value) {
        (Some(alone), None) => Ok(json!({word: alone})),
        (None, Some(value)) => Ok(json!({word: value})),
        (Some(_), Some(_)) => {
            Err(Error::invalid_argument(format!("{at}/value"), format!("cannot be given for `{word}`")))
        }
        (None, None) => Err(Error::invalid_argument(
            format!("{at}/value"),
            format!("is missing; `{word}` compares with it"),
        )),
    }
}

fn among(word: &'static str, options: &[String], at: &str) -> Result<Value> {
    let many = json!(options);
    let value = match options {
        [] => None,
        [one] => Some(json!(one)),
        _ => Some(many),
    };
    compared(word, value.as_ref(), at)
}

impl Condition {
    fn wire(&self, at: &str) -> Result<Value> {
        let (kind, test) = self.test.wire(&format!("{at}/test"))?;
        let Some(property) = &self.property else {
            return match (kind, self.through) {
                ("created_time" | "last_edited_time", None) => Ok(json!({"timestamp": kind, kind: test})),
                _ => Err(Error::invalid_argument(
                    format!("{at}/property"),
                    "is missing; only the times of a row have none",
                )),
            };
        };
        let wrong = |message: &str| Err(Error::invalid_argument(format!("{at}/through"), message));
        match self.through {
            None => Ok(json!({"property": property, kind: test})),
            Some(Through::Formula) => {
                let kind = match kind {
                    "rich_text" => "string",
                    "number" | "checkbox" | "date" => kind,
                    _ => return wrong("a formula is tested as `rich_text`, `number`, `checkbox` or `date`"),
                };
                Ok(json!({"property": property, "formula": {kind: test}}))
            }
            Some(Through::Rollup) => match kind {
                "number" | "date" => Ok(json!({"property": property, "rollup": {kind: test}})),
                _ => wrong("what a rollup computes is tested as `number` or `date`"),
            },
            Some(through) => {
                let word = match through {
                    Through::RollupEvery => "every",
                    Through::RollupNone => "none",
                    _ => "any",
                };
                let kinds = [
                    "rich_text",
                    "number",
                    "checkbox",
                    "select",
                    "multi_select",
                    "relation",
                    "date",
                    "people",
                    "files",
                    "status",
                ];
                match kinds.contains(&kind) {
                    true => Ok(json!({"property": property, "rollup": {word: {kind: test}}})),
                    false => wrong("the values of a rollup cannot be tested as this type"),
                }
            }
        }
    }
}

fn conditions(all: &[Condition], at: &str) -> Result<Vec<Value>> {
    all.iter().enumerate().map(|(n, condition)| condition.wire(&format!("{at}/conditions/{n}"))).collect()
}

impl Filter {
    /// Notion's `filter`; `None` where there is no condition.
    pub(super) fn wire(&self, at: &str) -> Result<Option<Value>> {
        let mut all = conditions(&self.conditions, at)?;
        for (n, group) in self.groups.iter().enumerate() {
            let inner = conditions(&group.conditions, &format!("{at}/groups/{n}"))?;
            all.push(json!({group.r#match.word(): inner}));
        }
        Ok(match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(json!({self.r#match.word(): all})),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(filter: Value) -> Result<Option<Value>> {
        serde_json::from_value::<Filter>(filter).unwrap().wire("/filter")
    }

    #[test]
    fn a_filter_becomes_notions() {
        let open = json!({"property": "Status", "test": {"type": "status", "is": "does_not_equal", "options": ["Done"]}});
        assert_eq!(
            wire(json!({"conditions": [open]})).unwrap().unwrap(),
            json!({"property": "Status", "status": {"does_not_equal": "Done"}})
        );
        let two = json!({"match": "any", "conditions": [
            {"property": "Due", "test": {"type": "date", "is": "next_week"}},
            {"test": {"type": "created_time", "is": "after", "value": "2026-05-01"}},
        ], "groups": [{"conditions": [
            {"property": "Score", "through": "formula", "test": {"type": "rich_text", "is": "is_not_empty"}},
            {"property": "Tasks", "through": "rollup_every", "test": {"type": "checkbox", "checked": true}},
            {"property": "Sum", "through": "rollup", "test": {"type": "number", "is": "greater_than", "value": 3.0}},
            {"property": "Tags", "test": {"type": "multi_select", "is": "contains", "options": ["a", "b"]}},
        ]}]});
        assert_eq!(
            wire(two).unwrap().unwrap(),
            json!({"or": [
                {"property": "Due", "date": {"next_week": {}}},
                {"timestamp": "created_time", "created_time": {"after": "2026-05-01"}},
                {"and": [
                    {"property": "Score", "formula": {"string": {"is_not_empty": true}}},
                    {"property": "Tasks", "rollup": {"every": {"checkbox": {"equals": true}}}},
                    {"property": "Sum", "rollup": {"number": {"greater_than": 3.0}}},
                    {"property": "Tags", "multi_select": {"contains": ["a", "b"]}},
                ]},
            ]})
        );
        assert_eq!(wire(json!({})).unwrap(), None);
    }

    #[test]
    fn a_condition_that_cannot_hold_is_named() {
        for (condition, place) in [
            (json!({"property": "A", "test": {"type": "title", "is": "contains"}}), "test/value"),
            (
                json!({"property": "A", "test": {"type": "title", "is": "is_empty", "value": "x"}}),
                "test/value",
            ),
            (json!({"test": {"type": "title", "is": "is_empty"}}), "property"),
            (
                json!({"property": "A", "through": "formula", "test": {"type": "people", "is": "is_empty"}}),
                "through",
            ),
            (
                json!({"property": "A", "through": "rollup", "test": {"type": "checkbox", "checked": true}}),
                "through",
            ),
            (
                json!({"property": "A", "through": "rollup_any", "test": {"type": "title", "is": "is_empty"}}),
                "through",
            ),
        ] {
            let error = wire(json!({"conditions": [condition]})).unwrap_err();
            assert_eq!(error.problems()[0].pointer, format!("/filter/conditions/0/{place}"));
        }
    }
}
