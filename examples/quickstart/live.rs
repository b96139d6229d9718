//! The same calls, to a service that others run: GitHub, with a token of yours.

use std::error::Error;
use std::pin::pin;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tool_connect::connectors::github::{GetAuthenticatedUser, GetRepository, GitHub, ListMyIssues};
use tool_connect::{AuthScheme, InstanceOptions};

use crate::calls::call;
use crate::house::House;
use crate::show::{self, count, say, section, step, timed};

/// The token of the environment.
pub(crate) fn token() -> Option<String> {
    let names = ["TOOL_CONNECT_GITHUB_TOKEN", "GITHUB_TOKEN"];
    let token =
        names.iter().find_map(|name| std::env::var(name).ok().filter(|token| !token.trim().is_empty()));
    token.map(|token| token.trim().to_owned())
}

/// Reads with the account that the token is of, and changes nothing.
pub(crate) async fn github(house: &House, token: &str) -> Result<(), Box<dyn Error>> {
    section("GitHub, live");
    say("The token is sealed like every other secret. These calls only read.");
    house.hub.add_instance(GitHub::new(), InstanceOptions::new("github")?.auth(AuthScheme::Bearer))?;
    house.connect("github", token, "the token of the environment").await?;
    let session = house.session();

    let (account, took) = timed(session.run(GetAuthenticatedUser::default())).await;
    step("github: GetAuthenticatedUser", account?.login.clone(), took);

    let arguments = json!({ "page_size": 5, "sort": "pushed" });
    let (page, took) = timed(call::<Value>(&session, "github.list_repositories", arguments)).await;
    let page = page?;
    let repositories = page["items"].as_array().map_or(0, Vec::len) as u64;
    let more = if page["next_cursor"].is_null() { "that is all" } else { "there are more" };
    let said = format!(
        "{} on a page, {more}",
        if repositories == 1 { "1 repository".to_owned() } else { format!("{repositories} repositories") }
    );
    step("github.list_repositories", said, took);

    // A stream over all pages; the next page is asked for when it is needed.
    let mine = ListMyIssues { page_size: Some(5), ..ListMyIssues::default() };
    let (issues, took) = timed(async {
        let mut all = pin!(session.items(mine).take(12));
        let mut issues = 0_u64;
        while let Some(issue) = all.next().await {
            issue?;
            issues += 1;
        }
        Ok::<_, tool_connect::Error>(issues)
    })
    .await;
    step("github: items(ListMyIssues)", count(issues?, "open issue"), took);

    say("Read again, GitHub is asked whether it changed; a 304 costs nothing of its limit.");
    let get = GetRepository { owner: "rust-lang".into(), repo: "rust".into(), whole: false };
    for _ in 0..2 {
        let (repository, took) = timed(session.run(get.clone())).await;
        let stars = repository?.stargazers_count.unwrap_or_default();
        step("github: GetRepository rust-lang/rust", format!("{stars} stars"), took);
    }

    let arguments = json!({ "owner": "rust-lang", "repo": "no-such-repository" });
    let (nothing, took) = timed(call::<Value>(&session, "github.get_repository", arguments)).await;
    if let Err(error) = nothing {
        step("github.get_repository, mistyped", format!("refused: {}", error.kind().as_str()), took);
        show::quote(&error.public_message());
    }
    Ok(())
}
