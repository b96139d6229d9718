//! What Slack's error answers mean. A refusal comes with status 200 and `ok: false`; its code says why:
//! <https://docs.slack.dev/apis/web-api/#responses>. Codes that are common to all methods stand at the end of each method's page.

use http::response::Parts;
use serde::Deserialize;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};

use crate::provider::advice;

#[derive(Deserialize)]
struct Refusal {
    ok: bool,
    #[serde(default)]
    error: Option<String>,
    /// Scopes that would do, and those that the token has.
    #[serde(default)]
    needed: Option<String>,
    #[serde(default)]
    provided: Option<String>,
    #[serde(default)]
    response_metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    messages: Vec<String>,
}

/// Slack's word on an answer, of any status; `None` where it is a good one or not Slack's.
pub(super) fn read(_: &Parts, body: &[u8]) -> Option<Error> {
    // Good answers begin like this and may be long.
    if body.starts_with(b"{\"ok\":true") {
        return None;
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    if refusal.ok {
        return None;
    }
    let code = refusal.error.as_deref().map_or_else(|| "an unnamed error".to_owned(), named);
    let says = refusal.says();
    let with =
        |text: &str| if says.is_empty() { text.to_owned() } else { format!("{text} Slack says: {says}.") };
    let refused = |kind, text: &str| {
        let error = Error::new(kind, format!("Slack answered `{code}`"));
        Some(error.effect(Effect::NotExecuted).public(format!("{} (`{code}`)", with(text))))
    };
    match &*code {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => refused(
            ErrorKind::NeedsReauth,
            match &*code {
                "account_inactive" => {
                    "The account or its workspace was deactivated, or the app removed: connect an account that is active."
                }
                "token_revoked" => "The app's access was taken back: connect the account again.",
                _ => "Slack does not accept the account's token: connect the account again.",
            },
        ),
        "missing_scope" => {
            let needed = refusal.needed.as_deref().map(named).filter(|scopes| !scopes.is_empty());
            let needed = needed.map_or_else(|| "a further scope".to_owned(), |scopes| format!("`{scopes}`"));
            let granted = refusal.provided.as_deref().map(named).unwrap_or_default();
            let error = refused(
                ErrorKind::Forbidden,
                &format!(
                    "The account must grant {needed} (granted: `{granted}`): connect it again with that."
                ),
            )?;
            // Of several it is not said whether all or one of them would do.
            let only = refusal
                .needed
                .as_deref()
                .map(named)
                .filter(|scope| !scope.is_empty() && !scope.contains(','));
            Some(match only {
                Some(scope) => error.lacks_scopes([scope]),
                None => error,
            })
        }
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            let error = Error::new(ErrorKind::RateLimited, format!("Slack answered `{code}`"));
            Some(error.retry(Retry::Backoff).effect(Effect::NotExecuted).public(format!(
                "Slack's rate limit for this is used up; wait before the next call. (`{code}`)"
            )))
        }
        // It may have happened all the same.
        "fatal_error"
        | "internal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org" => {
            let error = Error::new(ErrorKind::Provider, format!("Slack answered `{code}`"));
            Some(error.retry(Retry::Backoff).effect(Effect::Unknown).public(format!(
                "Slack is not well at the moment (`{code}`). What was asked may have been done: look before you repeat it."
            )))
        }
        _ => match meaning(&code) {
            Some((kind, text)) => refused(kind, text),
            None => {
                let error = Error::new(ErrorKind::Provider, format!("Slack answered `{code}`"));
                Some(error.effect(Effect::Unknown).public(with(&format!("Slack refused it: `{code}`."))))
            }
        },
    }
}

/// A code or a list of scopes, nothing else that could stand there.
fn named(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.:,".contains(*c)).take(200).collect()
}

impl Refusal {
    /// What is wrong with which argument, where Slack says.
    fn says(&self) -> String {
        let messages = self.response_metadata.iter().flat_map(|metadata| &metadata.messages);
        let words: Vec<String> = messages
            .map(|message| advice(message.trim_start_matches("[ERROR]").trim_start_matches("[WARN]")))
            .filter(|message| !message.is_empty())
            .take(3)
            .collect();
        words.join("; ")
    }
}

/// What a code of one method or another means, and what to do.
fn meaning(code: &str) -> Option<(ErrorKind, &'static str)> {
    use ErrorKind::{Conflict, Forbidden, InvalidArguments, NotFound, TooLarge};
    Some(match code {
        "channel_not_found" => (
            NotFound,
            "There is no such channel, or the account may not see it: check `channel`; a private one shows itself only to its members.",
        ),
        "message_not_found" | "thread_not_found" | "bad_timestamp" => (
            NotFound,
            "There is no such message in that channel: check `channel` and `ts`; list_messages tells them.",
        ),
        "user_not_found" | "users_not_found" | "user_not_visible" => {
            (NotFound, "There is no such user in this workspace, or the account may not see them.")
        }
        "file_deleted" => (NotFound, "The file was deleted."),
        "no_reaction" => (NotFound, "The account has not reacted with that emoji."),
        "no_pin" | "not_pinned" => (NotFound, "The message is not pinned."),
        "invalid_scheduled_message_id" => (
            NotFound,
            "There is no such scheduled message; it may have been sent. One that is due within a minute cannot be taken back.",
        ),
        "is_archived" => (Conflict, "The channel is archived: unarchive_conversation makes it usable again."),
        "already_archived" => (Conflict, "The channel is archived already."),
        "not_archived" => (Conflict, "The channel is not archived."),
        "already_reacted" => (Conflict, "The account has reacted with that emoji already."),
        "already_pinned" => (Conflict, "The message is pinned already."),
        "name_taken" => {
            (Conflict, "A channel of that name exists already, perhaps an archived or private one.")
        }
        "already_in_channel" => (Conflict, "They are in the channel already."),
        "hash_conflict" => (Conflict, "The view changed meanwhile: get its current hash and try again."),
        "duplicate_external_id" => (Conflict, "A view with that external_id exists already."),
        "too_many_reactions" | "too_many_emoji" | "too_many_pins" | "too_many_members" => {
            (Conflict, "Slack's limit for the number of these is reached.")
        }
        "not_in_channel" => (
            Forbidden,
            "The account is not in that channel: join_conversation lets it join a public one; into a private one a member must \
             invite it.",
        ),
        "not_allowed_token_type" | "method_not_supported_for_channel_type" => (
            Forbidden,
            "Slack does not allow this with this kind of token or channel; search, status and profile need a user's own account, \
             the connector `slack_user`.",
        ),
        "cant_update_message" | "cant_delete_message" => {
            (Forbidden, "Only the message's own author may change or delete it, and this account is not.")
        }
        "edit_window_closed" => (Forbidden, "The workspace does not allow messages to be changed so late."),
        "expired_trigger_id"
        | "exchanged_trigger_id"
        | "invalid_trigger_id"
        | "trigger_expired"
        | "trigger_exchanged" => (
            InvalidArguments,
            "A trigger_id is good for three seconds and one view: use the one of a new interaction.",
        ),
        "no_text" => {
            (InvalidArguments, "The message says nothing: give `text`, `markdown_text` or `blocks`.")
        }
        "msg_too_long" | "msg_blocks_too_long" => {
            (InvalidArguments, "The message is too long: split it, or upload it as a file.")
        }
        "invalid_blocks" | "invalid_blocks_format" => (InvalidArguments, "Slack does not accept `blocks`."),
        "invalid_cursor" => (InvalidArguments, "`cursor` must be the `next_cursor` of the page before."),
        "time_in_past" | "time_too_far" => {
            (InvalidArguments, "`post_at` must be in the future, and at most 120 days from now.")
        }
        "invalid_emoji" => {
            (InvalidArguments, "There is no such emoji; list_emoji tells the workspace's own.")
        }
        "file_upload_size_restricted" | "file_too_large" => {
            (TooLarge, "The workspace does not take files of that size.")
        }
        "access_denied"
        | "accesslimited"
        | "no_permission"
        | "permission_denied"
        | "user_disabled"
        | "not_allowed"
        | "ekm_access_denied"
        | "file_uploads_disabled"
        | "file_uploads_except_images_disabled"
        | "org_login_required"
        | "paid_teams_only"
        | "paid_only"
        | "team_access_not_granted"
        | "two_factor_setup_required"
        | "user_is_bot"
        | "user_is_restricted"
        | "user_is_ultra_restricted"
        | "last_member"
        | "last_ra_channel"
        | "posting_to_general_channel_denied"
        | "not_admin"
        | "messages_tab_disabled"
        | "enterprise_is_restricted" => (Forbidden, "Slack does not let this account do that here."),
        // Families of codes: <thing>_not_found, invalid_<argument>, cant_<do>, restricted_action_<why>.
        _ if code.ends_with("_not_found") => {
            (NotFound, "Slack has nothing there that the account may see: check the ids.")
        }
        "missing_argument"
        | "too_long"
        | "json_not_object"
        | "no_item_specified"
        | "no_users"
        | "no_user"
        | "no_channel"
        | "no_query"
        | "not_enough_users"
        | "too_many_users"
        | "users_list_not_supplied"
        | "user_not_in_channel"
        | "too_many_attachments"
        | "not_in_thread" => (InvalidArguments, "Slack does not accept an argument."),
        _ if code.starts_with("invalid_") || code.starts_with("missing_") => {
            (InvalidArguments, "Slack does not accept an argument.")
        }
        _ if code.starts_with("cant_") || code.starts_with("restricted_action") => {
            (Forbidden, "Slack does not let this account do that here.")
        }
        _ => return None,
    })
}
