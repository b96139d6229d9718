//! The issues of a repository on GitHub: found, opened, labelled, commented, closed.
//!
//! ```sh
//! cargo run --example github_issues                                       # a stand-in for GitHub on this machine
//! GITHUB_TOKEN=.. cargo run --example github_issues -- OWNER/REPO         # your account at GitHub; reads and changes nothing
//! GITHUB_TOKEN=.. cargo run --example github_issues -- OWNER/REPO --write # also opens an issue, comments on it and closes it
//! ```
//!
//! Without a token it needs no account and no network. The stand-in holds every request against GitHub's published description where
//! `TOOL_CONNECT_GITHUB_DESCRIPTION` names its file: `generated/api.github.com.json` of the npm package `@octokit/openapi`.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod description;
mod stand_in;

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tool_connect::connectors::github::{
    AddLabels, CreateIssue, CreateIssueComment, GetAuthenticatedUser, GetIssue, GitHub, IssueState,
    ListIssues, SearchIssues, StateReason, UpdateIssue,
};
use tool_connect::transport::NetworkAccess;
use tool_connect::{
    AuthScheme, Connection, ConnectionId, Credential, Hub, InstanceId, InstanceOptions, Owner, Principal,
    Session, StaticCredentials,
};

type Outcome<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A repository, and what may be done in it.
struct Place {
    owner: String,
    repo: String,
    write: bool,
}

#[tokio::main]
async fn main() -> Outcome {
    let token = std::env::var("GITHUB_TOKEN").ok().filter(|token| !token.trim().is_empty());
    let Some(token) = token else { return with_a_stand_in().await };
    let mut given: Vec<String> = std::env::args().skip(1).collect();
    let write = given.iter().any(|argument| argument == "--write");
    given.retain(|argument| argument != "--write");
    let (owner, repo) = given.first().and_then(|name| name.split_once('/')).ok_or(
        "with a token the example needs a repository: cargo run --example github_issues -- OWNER/REPO",
    )?;
    println!("api.github.com answers, with the token of the environment.");
    // A personal token instead of OAuth, which `docs/connectors/github.md` is about.
    let options = InstanceOptions::new("github")?.auth(AuthScheme::Bearer);
    let (hub, session) = connect(options, token.trim()).await?;
    tour(&session, &Place { owner: owner.to_owned(), repo: repo.to_owned(), write }).await?;
    Ok(hub.shutdown().await?)
}

async fn with_a_stand_in() -> Outcome {
    let stand_in = stand_in::start().await?;
    println!("No GITHUB_TOKEN: a stand-in for GitHub on this machine answers, at {}.", stand_in.address());
    let options = InstanceOptions::new("github")?
        .auth(AuthScheme::Bearer)
        .base_url(stand_in.address().parse()?)
        // The address guard keeps requests out of this machine's network, unless the host opens it for an instance.
        .network(NetworkAccess::public().allow_loopback());
    let (hub, session) = connect(options, stand_in::TOKEN).await?;
    tour(&session, &Place { owner: "acme".into(), repo: "garden".into(), write: true }).await?;
    hub.shutdown().await?;
    println!("\n{}", stand_in.saw()?);
    Ok(())
}

/// A hub with one instance, and Ada's account there.
async fn connect(options: InstanceOptions, token: &str) -> Outcome<(Hub, Session)> {
    let credentials = Arc::new(StaticCredentials::new());
    let hub =
        Hub::builder().credentials(Arc::clone(&credentials) as _).instance(GitHub::new(), options).build()?;
    let ada = Principal::user("acme", "ada")?;
    let (id, owner) = (ConnectionId::new("ada_github")?, Owner::User(ada.user.clone()));
    let connection = Connection::new(id, ada.tenant.clone(), owner, InstanceId::new("github")?);
    let connection = hub.put_connection(connection).await?;
    credentials.set(ada.tenant.clone(), connection.id.clone(), Credential::token(token));
    let session = hub.session(ada);
    Ok((hub, session))
}

async fn tour(session: &Session, place: &Place) -> Outcome {
    let Place { owner, repo, write } = place;
    let account = session.run(GetAuthenticatedUser::default()).await?;
    println!("The account is {}.", account.login);

    println!("\nOpen issues of {owner}/{repo}, page after page as they are needed:");
    let list =
        ListIssues { owner: owner.clone(), repo: repo.clone(), page_size: Some(2), ..ListIssues::default() };
    let mut issues = pin!(session.items(list).take(5));
    while let Some(issue) = issues.next().await {
        let issue = issue?;
        let what = if issue.pull_request.is_some() { "pull request" } else { "issue" };
        println!("  {what} #{} \"{}\"", issue.number, issue.title);
    }

    println!("\nSearched with GitHub's own qualifiers:");
    let query = format!("repo:{owner}/{repo} is:issue is:open");
    let search = SearchIssues { query: query.clone(), page_size: Some(3), ..SearchIssues::default() };
    println!("  {query}: {} on the first page", session.run(search).await?.items.len());

    if *write {
        work(session, owner, repo).await?;
    }
    mistakes(session, owner, repo).await
}

/// An issue from its first day to its last.
async fn work(session: &Session, owner: &str, repo: &str) -> Outcome {
    let (owner, repo) = (owner.to_owned(), repo.to_owned());
    println!("\nA day's work:");
    let create = CreateIssue {
        owner: owner.clone(),
        repo: repo.clone(),
        title: "The roses need water".into(),
        body: Some("Opened by an example of tool-connect.".into()),
        ..CreateIssue::default()
    };
    let issue = session.run(create).await?;
    println!("  opened #{}: {}", issue.number, issue.html_url);
    let number = issue.number;
    let labels = AddLabels { owner: owner.clone(), repo: repo.clone(), number, labels: vec!["bug".into()] };
    let labels: Vec<String> = session.run(labels).await?.labels.into_iter().map(|label| label.name).collect();
    println!("  labels: {}", labels.join(", "));
    let comment =
        CreateIssueComment { owner: owner.clone(), repo: repo.clone(), number, body: "It rained.".into() };
    println!("  comment {}", session.run(comment).await?.id);
    let close = UpdateIssue {
        owner: owner.clone(),
        repo: repo.clone(),
        number,
        state: Some(IssueState::Closed),
        state_reason: Some(StateReason::Completed),
        ..UpdateIssue::default()
    };
    println!("  #{number} is {}", session.run(close).await?.state);
    // Twice: the second time GitHub is asked whether it changed, and what was kept is served.
    let get = GetIssue { owner, repo, number, whole: false };
    let (first, second) = (session.run(get.clone()).await?, session.run(get).await?);
    println!("  read twice, the same: {}", first == second);
    Ok(())
}

/// Errors say what to do, to a person and to a model.
async fn mistakes(session: &Session, owner: &str, repo: &str) -> Outcome {
    println!("\nMistakes:");
    let of = |rest: serde_json::Value| {
        let mut arguments = serde_json::json!({"owner": owner, "repo": repo});
        arguments
            .as_object_mut()
            .into_iter()
            .for_each(|all| all.extend(rest.as_object().cloned().unwrap_or_default()));
        arguments.to_string()
    };
    for (tool, arguments) in [
        ("get_issue", of(serde_json::json!({"number": 99_999_999}))),
        ("create_issue", of(serde_json::json!({"title": ""}))),
        ("list_issues", of(serde_json::json!({"cursor": "7"}))),
    ] {
        let error = session
            .call(&format!("github.{tool}"), arguments)
            .await
            .err()
            .ok_or("that should have failed")?;
        println!("  {tool}: {}", error.public_message().replace('\n', "\n    "));
    }
    Ok(())
}
