//! What the error answers of Google's APIs mean: <https://google.aip.dev/193>, and for reasons of the older form
//! <https://developers.google.com/workspace/drive/api/guides/handle-errors>.

use http::response::Parts;
use serde::Deserialize;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};

use crate::provider::advice;

#[derive(Deserialize)]
struct Answer {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
    /// A canonical code: `PERMISSION_DENIED`.
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    errors: Vec<Item>,
    #[serde(default)]
    details: Vec<Detail>,
}

/// One error in the older form.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    location: Option<String>,
}

/// One of the things that may stand among `details`; all their members in one.
#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default, rename = "fieldViolations")]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    field: String,
    #[serde(default)]
    description: String,
}

impl Refusal {
    fn has(&self, reasons: &[&str]) -> bool {
        let of_items = self.errors.iter().filter_map(|item| item.reason.as_deref());
        let of_details = self.details.iter().filter_map(|detail| detail.reason.as_deref());
        of_items.chain(of_details).any(|reason| reasons.contains(&reason))
    }

    /// Google's sentence, and which of the arguments it is about.
    fn says(&self) -> String {
        let fields: Vec<String> = self
            .details
            .iter()
            .flat_map(|detail| &detail.fields)
            .map(|field| format!("`{}`: {}", advice(&field.field), advice(&field.description)))
            .chain(self.errors.iter().filter_map(|item| {
                // Not the header that a credential stands in.
                let place = item.location.as_deref().filter(|place| *place != "Authorization")?;
                Some(format!("`{}`", advice(place)))
            }))
            .take(5)
            .collect();
        let first = advice(&self.message);
        let first = first.trim_end_matches('.');
        if fields.is_empty() { first.to_owned() } else { format!("{first} ({})", fields.join("; ")) }
    }
}

/// Limits that end by themselves soon.
const SOON: [&str; 6] = [
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "quotaExceeded",
    "concurrentLimitExceeded",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
];
/// Limits of a day.
const OF_A_DAY: [&str; 3] = ["dailyLimitExceeded", "dailyLimitExceededUnreg", "sharingRateLimitExceeded"];

/// Reasons that have advice of their own: what kind of error it is, and what to do.
const KNOWN: &[(&[&str], ErrorKind, &str)] = &[
    (
        &["accessNotConfigured", "SERVICE_DISABLED"],
        ErrorKind::Config,
        "This Google API is not switched on in the Cloud project of the app. Its developer switches it on in the Google Cloud \
         console, under APIs & Services, and waits some minutes.",
    ),
    (
        &["domainPolicy"],
        ErrorKind::Forbidden,
        "The policy of the account's Google Workspace domain does not allow that: its administrator must allow the app.",
    ),
    (
        &["appNotAuthorizedToFile"],
        ErrorKind::Forbidden,
        "The connection may use only files that were made or opened with this app: connect the account with a wider Drive \
         scope, or name such a file.",
    ),
    (
        &["insufficientFilePermissions", "insufficientParentPermissions"],
        ErrorKind::Forbidden,
        "The account may not do that with this file or folder: its owner must give it a higher role.",
    ),
    (
        &["storageQuotaExceeded", "teamDriveFileLimitExceeded", "numChildrenInNonRootLimitExceeded"],
        ErrorKind::Forbidden,
        "There is no room left: the owner of the storage must make some free, or the file must go elsewhere.",
    ),
    (
        &["cannotDownloadAbusiveFile"],
        ErrorKind::Forbidden,
        "Google takes this file for malware or spam. Its owner downloads it with `acknowledge_abuse` if that is meant.",
    ),
    (&["cannotDownloadFile"], ErrorKind::Forbidden, "The file's owner does not let its readers download it."),
    (
        &["fileNotDownloadable"],
        ErrorKind::InvalidArguments,
        "This file has no content of its own: it is a Google document, which `export_file` turns into a file, or a folder.",
    ),
    (
        &["fileNotExportable", "badRequest.exportFormat"],
        ErrorKind::InvalidArguments,
        "Only Google documents can be exported; `download_file` gets this one.",
    ),
    (
        &["exportSizeLimitExceeded"],
        ErrorKind::TooLarge,
        "The exported file would be larger than the 10 MB that Google exports: choose a format without pictures such as text, or \
         split the document.",
    ),
    (&["uploadTooLarge"], ErrorKind::TooLarge, "The file is larger than Google takes here."),
    (
        &["fullSyncRequired", "updatedMinTooLongAgo"],
        ErrorKind::Conflict,
        "The sync token has expired: begin again without one, and replace what you keep.",
    ),
    (
        &["conditionNotMet"],
        ErrorKind::Conflict,
        "It was changed meanwhile: get it again, and repeat the call with its new `etag`.",
    ),
    (&["deleted"], ErrorKind::NotFound, "It is deleted already."),
];

/// Google's word on an error, where its body is one of Google's.
pub(crate) fn read(parts: &Parts, body: &[u8]) -> Option<Error> {
    let Answer { error: refusal } = serde_json::from_slice(body).ok()?;
    let status = parts.status.as_u16();
    if status == 401 || status >= 500 {
        return None;
    }
    let of = |kind: ErrorKind, message: &'static str| {
        Error::new(kind, message).status(status).effect(Effect::NotExecuted)
    };
    let error = Error::of_status(status, "Google refused the request").effect(Effect::NotExecuted);
    let says = refusal.says();
    if matches!(status, 403 | 429) {
        if refusal.has(&OF_A_DAY) {
            return Some(
                of(ErrorKind::RateLimited, "a daily limit of Google is used up").retry(Retry::Never).public(
                    format!(
                        "A daily limit of Google is used up; it is renewed within a day. Google says: {says}."
                    ),
                ),
            );
        }
        if status == 429 || refusal.has(&SOON) || refusal.status.as_deref() == Some("RESOURCE_EXHAUSTED") {
            return Some(
                of(ErrorKind::RateLimited, "Google's rate limit is used up").retry(Retry::Backoff).public(
                    format!(
                        "Google's rate limit is used up; wait before the next call. Google says: {says}."
                    ),
                ),
            );
        }
    }
    if let Some((_, kind, public)) = KNOWN.iter().find(|(reasons, ..)| refusal.has(reasons)) {
        return Some(of(*kind, "Google refused the request").public(*public));
    }
    Some(match status {
        403 if refusal.has(&["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"]) => {
            let needs = match scopes(parts) {
                Some(scopes) => format!("one of these scopes: {scopes}"),
                None => "a scope that was not granted".to_owned(),
            };
            error.public(format!(
                "The connection lacks {needs}. Connect the account again and grant what this tool asks for."
            ))
        }
        403 => error.public(format!("Google does not let this account do that: {says}.")),
        404 | 410 => {
            let file = refusal.errors.iter().any(|item| item.location.as_deref() == Some("fileId"));
            let scope = if file {
                " A connection with the scope `drive.file` alone sees only files that were made or opened with this app."
            } else {
                ""
            };
            error.public(format!(
                "Google has nothing there that this account may see: check the ids, and whether the account has access. Google \
                 says: {says}.{scope}"
            ))
        }
        409 => error.public(format!("Google says that it conflicts: {says}.")),
        412 => error.public(format!("A condition is not met, it was changed meanwhile: {says}.")),
        413 => error.public(format!("It is larger than Google takes: {says}.")),
        400 if refusal.has(&["failedPrecondition"]) => {
            error.public(format!("Google cannot do that as things are: {says}."))
        }
        400 | 422 => of(ErrorKind::InvalidArguments, "Google refused a value")
            .public(format!("Google does not accept a value: {says}.")),
        _ => error.public(format!("Google says: {says}.")),
    })
}

/// The scopes of which one is needed, as the challenge names them (RFC 6750 §3).
fn scopes(parts: &Parts) -> Option<String> {
    let challenge = parts.headers.get("www-authenticate")?.to_str().ok()?;
    let scopes = challenge.split_once("scope=\"")?.1.split_once('"')?.0;
    let scopes = advice(scopes);
    (!scopes.is_empty()).then(|| scopes.replace(' ', ", "))
}
