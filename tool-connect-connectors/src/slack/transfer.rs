//! Bytes of files, on their way in and out: <https://docs.slack.dev/messaging/working-with-files>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::http::RedirectGuard;
use tool_connect_core::{Effect, Error, ErrorKind, FileRef, Result, Run, Tool, ToolContext};
use url::Url;

use super::File;
use super::call::{get, post, post_form, unexpected};
use crate::provider::{Content, FileInput};
use crate::spill::download;

/// The largest file that Slack takes: <https://docs.slack.dev/reference/methods/files.getUploadURLExternal>.
const LARGEST: u64 = 1 << 30;

/// Uploads a file and shares it in a conversation or thread, or keeps it private where none is given. Returns the file with its
/// id. Nobody sees anything of it before all of it is there.
///
/// <https://docs.slack.dev/messaging/working-with-files#upload>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("files:write"), timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct UploadFile {
    /// The file, at most 1 GB: by handle of an earlier result, or in Base64 with a name.
    pub file: FileInput,
    /// Id of the conversation to share it in, such as `C012AB3CD`; the account must be in it.
    #[serde(default)]
    pub channel: Option<String>,
    /// `ts` of the message to share it in reply to: the first of a thread.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{1,12}\.[0-9]{1,9}$"))]
    pub thread_ts: Option<String>,
    /// What the message with it says, in Slack's mrkdwn.
    #[serde(default)]
    pub initial_comment: Option<String>,
    /// Title; the file name if left out.
    #[serde(default)]
    pub title: Option<String>,
    /// What an image shows, for those who do not see it.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub alt_text: Option<String>,
}

impl Run for UploadFile {
    type Output = File;

    async fn run(self, cx: &ToolContext) -> Result<File> {
        if self.channel.is_none() && (self.thread_ts.is_some() || self.initial_comment.is_some()) {
            return Err(Error::invalid_argument(
                "/channel",
                "must be given with `thread_ts` or `initial_comment`",
            ));
        }
        let file = self.file.open("/file", cx).await?;
        check_size(file.size)?;
        let name = file.name.clone().unwrap_or_else(|| "file".to_owned());
        let media_type = file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        let length = file.size.to_string();
        let mut ticket = vec![("filename", name.as_str()), ("length", &length)];
        ticket.extend(self.alt_text.as_deref().map(|text| ("alt_txt", text)));

        // Until the upload is completed there is nothing in the workspace.
        let begun = post_form(cx, "files.getUploadURLExternal", &ticket).await;
        let begun = begun.map_err(|error| error.effect(Effect::NotExecuted))?;
        let (id, address): (String, Url) = (begun.member("file_id")?, begun.member("upload_url")?);
        if !of_slack(cx, &address) {
            return Err(unexpected("upload_url").effect(Effect::NotExecuted));
        }
        let request = cx
            .http()
            .post(address.as_str())
            .template("/files.upload")
            // The address is the permission.
            .anonymous()
            .redirect_guard(only_slack(cx))
            .header("content-type", media_type);
        let request = match file.content(cx).await? {
            Content::Bytes(bytes) => request.body(bytes),
            Content::Stream(stream, length) => request.stream(stream, Some(length)),
        };
        request.bytes().await.map_err(|error| error.effect(Effect::NotExecuted))?;

        let arguments = json!({
            "files": [{"id": id, "title": self.title.as_ref().unwrap_or(&name)}], "channel_id": self.channel,
            "thread_ts": self.thread_ts, "initial_comment": self.initial_comment,
        });
        let files: Vec<File> = post(cx, "files.completeUploadExternal", &arguments).await?.member("files")?;
        files.into_iter().next().ok_or_else(|| unexpected("files"))
    }
}

/// Downloads a file and keeps it as a result, for an hour. Returns its handle, name, media type and size.
///
/// <https://docs.slack.dev/reference/objects/file-object#urls>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("files:read"), timeout = "30m")]
#[serde(deny_unknown_fields)]
pub struct DownloadFile {
    /// Id of the file, such as `F012AB3CD`.
    pub file: String,
}

/// What of a file leads to its bytes.
#[derive(Deserialize)]
struct Source {
    #[serde(flatten)]
    file: File,
    #[serde(default)]
    url_private: Option<Url>,
    #[serde(default)]
    url_private_download: Option<Url>,
}

impl Run for DownloadFile {
    type Output = FileRef;

    async fn run(self, cx: &ToolContext) -> Result<FileRef> {
        let source: Source = get(cx, "files.info", &self).await?.member("file")?;
        let Some(address) = source.url_private_download.or(source.url_private) else {
            return Err(Error::new(ErrorKind::NotFound, "the file has no address").public(
                "The file cannot be downloaded: it was deleted, or is of a kind that has no bytes.",
            ));
        };
        if !of_slack(cx, &address) {
            return Err(Error::new(ErrorKind::Unsupported, "the file lies at another service").public(
                "The file lies at another service, which Slack only links to; get_file with `whole` tells where.",
            ));
        }
        let request = cx.http().get(address.as_str()).template("/files.download");
        let response = request.redirect_guard(only_slack(cx)).max_bytes(LARGEST).send().await?;
        let page = response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let expected = source.file.mimetype.as_deref().is_some_and(|kind| kind.starts_with("text/html"));
        // Who may not have a file is shown the sign-in page, with status 200.
        if page && !expected {
            return Err(Error::new(ErrorKind::Forbidden, "Slack sent its sign-in page instead of the file")
                .public("Slack does not give this file to the account: it needs the scope `files:read`, and access to a \
                         conversation that the file was shared in."));
        }
        download(cx, response, source.file.name).await
    }
}

fn check_size(size: u64) -> Result<()> {
    match size {
        0 => Err(Error::invalid_argument("/file", "is empty, and Slack takes no empty file")),
        1..=LARGEST => Ok(()),
        _ => Err(Error::new(ErrorKind::TooLarge, "the file is larger than Slack takes")
            .effect(Effect::NotExecuted)
            .public("Slack takes files of at most 1 GB.")),
    }
}

/// Whether an address is Slack's: below the host of the API, or below `slack.com`. What it is told goes nowhere else.
fn of_slack(cx: &ToolContext, address: &Url) -> bool {
    is_below(address, cx.base_url())
}

fn only_slack(cx: &ToolContext) -> RedirectGuard {
    let base = cx.base_url().cloned();
    RedirectGuard::new(move |address| {
        if is_below(address, base.as_ref()) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Blocked, "Slack redirects a file to a host that is not its own"))
        }
    })
}

fn is_below(address: &Url, base: Option<&Url>) -> bool {
    if base.is_some_and(|base| base.origin() == address.origin()) {
        return true;
    }
    let slack = |host: &str| {
        ["slack.com", "slack-gov.com"].iter().any(|own| {
            host.strip_suffix(own).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    };
    address.scheme() == "https" && address.port().is_none() && address.host_str().is_some_and(slack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_neither_empty_nor_larger_than_slack_takes() {
        assert_eq!(check_size(0).unwrap_err().kind(), ErrorKind::InvalidArguments);
        assert!(check_size(1).is_ok() && check_size(LARGEST).is_ok());
        let error = check_size(LARGEST + 1).unwrap_err();
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::TooLarge, Effect::NotExecuted));
        assert!(error.public_message().contains("1 GB"));
    }

    #[test]
    fn files_stay_with_slack() {
        let base: Url = "http://localhost:8080/api/".parse().unwrap();
        for (address, own) in [
            ("https://files.slack.com/upload/v1/x", true),
            ("https://slack.com/x", true),
            ("https://files.slack-gov.com/x", true),
            ("http://localhost:8080/upload", true),
            ("http://localhost:8081/upload", false),
            ("http://files.slack.com/x", false),
            ("https://files.slack.com:8443/x", false),
            ("https://evilslack.com/x", false),
            ("https://slack.com.evil.example/x", false),
            ("https://docs.google.com/x", false),
        ] {
            assert_eq!(is_below(&address.parse().unwrap(), Some(&base)), own, "{address}");
        }
    }
}
