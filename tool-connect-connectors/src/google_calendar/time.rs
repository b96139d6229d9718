//! When something begins or ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, Result, ToolArgs};

/// When an event begins or ends: a day for one that is all day long, else a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A day, `2026-12-24`, for an event that is all day long. As an end it is the day after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub date: Option<String>,
    /// A time, RFC 3339: `2026-12-24T18:00:00+01:00`; without an offset only together with `time_zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_time: Option<String>,
    /// IANA name of a time zone, `Europe/Berlin`. An event that recurs needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// As Google wants it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_time: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
}

impl Wire<'_> {
    /// Takes away what it is not: a change is merged with what is there, and an event of a day has no time.
    pub(super) fn alone(mut self) -> Self {
        self.date.get_or_insert(None);
        self.date_time.get_or_insert(None);
        self
    }
}

impl When {
    /// Checks it; `pointer` is where it stands.
    pub(super) fn wire(&self, pointer: &str, recurs: bool) -> Result<Wire<'_>> {
        let wrong =
            |within: &str, message: &str| Err(Error::invalid_argument(format!("{pointer}{within}"), message));
        match (&self.date, &self.date_time) {
            (Some(_), Some(_)) => return wrong("/date", "cannot be given together with `date_time`"),
            (None, None) => return wrong("", "must have a `date` or a `date_time`"),
            (None, Some(time)) if !is_time(time) => {
                return wrong("/date_time", "must be a time of RFC 3339: `2026-12-24T18:00:00+01:00`");
            }
            (None, Some(time)) if !has_offset(time) && self.time_zone.is_none() => {
                return wrong(
                    "/time_zone",
                    "is needed, for `date_time` has no offset such as `+01:00` or `Z`",
                );
            }
            (None, Some(_)) if recurs && self.time_zone.is_none() => {
                return wrong(
                    "/time_zone",
                    "is needed for an event that recurs: an offset does not say when summer time begins",
                );
            }
            _ => {}
        }
        Ok(Wire {
            date: self.date.as_deref().map(Some),
            date_time: self.date_time.as_deref().map(Some),
            time_zone: self.time_zone.as_deref(),
        })
    }

    /// Whether both are days or both are times, as the two ends of an event must be.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.date.is_some() == other.date.is_some()
    }
}

fn has_offset(time: &str) -> bool {
    time.ends_with(['Z', 'z']) || time.get(19..).is_some_and(|rest| rest.contains(['+', '-']))
}

/// Whether it has the form of a time (RFC 3339 §5.6), the offset aside.
fn is_time(time: &str) -> bool {
    let shape = b"0000-00-00T00:00:00";
    let begins = time.len() >= shape.len()
        && time.bytes().zip(shape).all(|(is, wanted)| match wanted {
            b'0' => is.is_ascii_digit(),
            b'T' => is == b'T' || is == b't',
            other => is == *other,
        });
    begins
        && time.get(shape.len()..).is_some_and(|rest| rest.bytes().all(|c| b"0123456789.:+-Zz".contains(&c)))
}

/// Refuses what is no point in time; Google wants the offset there.
pub(super) fn check_instant(pointer: &str, time: &str) -> Result<()> {
    if !is_time(time) || !has_offset(time) {
        return Err(Error::invalid_argument(
            pointer,
            "must be a time of RFC 3339 with its offset: `2026-12-24T18:00:00+01:00` or `2026-12-24T17:00:00Z`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_where_it_is() {
        let when = |date: Option<&str>, time: Option<&str>, zone: Option<&str>| When {
            date: date.map(str::to_owned),
            date_time: time.map(str::to_owned),
            time_zone: zone.map(str::to_owned),
        };
        let problem = |when: &When, recurs| {
            when.wire("/start", recurs).err().map(|e| e.problems()[0].pointer.to_string())
        };
        assert_eq!(problem(&when(Some("2026-12-24"), None, None), true), None);
        assert_eq!(problem(&when(None, Some("2026-12-24T18:00:00+01:00"), None), false), None);
        assert_eq!(problem(&when(None, Some("2026-12-24T18:00:00.5Z"), None), false), None);
        assert_eq!(problem(&when(None, Some("2026-12-24T18:00:00"), Some("Europe/Berlin")), true), None);
        assert_eq!(
            problem(&when(None, Some("2026-12-24T18:00:00"), None), false).as_deref(),
            Some("/start/time_zone")
        );
        assert_eq!(
            problem(&when(None, Some("2026-12-24T18:00:00Z"), None), true).as_deref(),
            Some("/start/time_zone")
        );
        assert_eq!(problem(&when(None, Some("tomorrow"), None), false).as_deref(), Some("/start/date_time"));
        assert_eq!(problem(&when(None, None, None), false).as_deref(), Some("/start"));
        let both = when(Some("2026-12-24"), Some("2026-12-24T18:00:00Z"), None);
        assert_eq!(problem(&both, false).as_deref(), Some("/start/date"));
        assert!(check_instant("/time_min", "2026-12-24T18:00:00").is_err());
        assert!(check_instant("/time_min", "2026-12-24T18:00:00-05:00").is_ok());
    }
}
