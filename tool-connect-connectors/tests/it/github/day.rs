//! A day's work as one session: find a repository, open an issue, label it, comment, branch, commit a file, open a pull request,
//! review, merge. The forge below keeps what it is told and holds each call to what it answered before.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tool_connect_connectors::github::{
    AddLabels, CreateBranch, CreateIssue, CreateIssueComment, CreatePullRequest, CreateReview, DraftComment,
    GetContents, GetIssue, GetPullRequest, GitHub, ListPullRequestFiles, MergeMethod, MergePullRequest,
    ReviewEvent, SearchRepositories, WriteFile,
};
use tool_connect_core::ErrorKind;
use tool_connect_testkit::Harness;

use super::server::{Asked, Said, Server};

/// A forge with one repository, `acme/garden`, and one file in it.
#[derive(Default)]
struct Forge {
    /// SHAs are counted; so are issues and pull requests, together.
    made: u64,
    number: u64,
    /// Last commit of each branch, and each branch's file: SHA and Base64.
    heads: BTreeMap<String, String>,
    files: BTreeMap<String, (String, String)>,
    issues: BTreeMap<u64, Value>,
    pulls: BTreeMap<u64, Value>,
}

fn refused(status: u16, message: &str) -> Said {
    Said::json(status, &json!({"message": message, "documentation_url": "https://docs.github.com/rest"}))
}

impl Forge {
    fn new() -> Self {
        let mut forge = Self { number: 40, ..Self::default() };
        let (commit, blob) = (forge.sha(), forge.sha());
        forge.heads.insert("trunk".into(), commit);
        forge.files.insert("trunk".into(), (blob, STANDARD.encode("Tulips: red\n")));
        forge
    }

    fn sha(&mut self) -> String {
        self.made += 1;
        format!("{:040x}", 0xc0ffee_u64 * 1000 + self.made)
    }

    fn pull(&self, number: u64) -> Value {
        let mut pull = self.pulls[&number].clone();
        for side in ["head", "base"] {
            let branch = pull[side]["ref"].as_str().unwrap().to_owned();
            pull[side]["sha"] = json!(self.heads[&branch]);
        }
        pull
    }

    fn answer(&mut self, asked: &Asked) -> Said {
        assert!(asked.header("authorization").starts_with("Bearer "));
        let path = asked.url.path().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body = asked.json();
        let query = |name: &str| {
            asked.url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
        };
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["search", "repositories"]) => {
                assert_eq!(query("q").as_deref(), Some("garden org:acme"));
                let repository = json!({"id": 1, "name": "garden", "full_name": "acme/garden", "owner": {"login": "acme", "id": 2},
                    "private": false, "fork": false, "html_url": "https://github.com/acme/garden", "default_branch": "trunk"});
                Said::json(
                    200,
                    &json!({"total_count": 1, "incomplete_results": false, "items": [repository]}),
                )
            }
            (method, ["repos", "acme", "garden", rest @ ..]) => {
                self.of_repository(method, rest, &body, query)
            }
            _ => refused(404, "Not Found"),
        }
    }

    fn of_repository(
        &mut self,
        method: &str,
        rest: &[&str],
        body: &Value,
        query: impl Fn(&str) -> Option<String>,
    ) -> Said {
        match (method, rest) {
            ("POST", ["issues"]) => {
                self.number += 1;
                let issue = json!({"number": self.number, "title": body["title"], "body": body["body"], "state": "open", "labels": [],
                    "html_url": format!("https://github.com/acme/garden/issues/{}", self.number)});
                self.issues.insert(self.number, issue.clone());
                Said::json(201, &issue)
            }
            ("GET", ["issues", number]) => {
                match number.parse().ok().and_then(|number: u64| self.issues.get(&number)) {
                    Some(issue) => Said::json(200, issue),
                    None => refused(404, "Not Found"),
                }
            }
            ("POST", ["issues", number, "labels"]) => {
                let issue = self.issues.get_mut(&number.parse().unwrap()).unwrap();
                let labels = body["labels"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| json!({"id": 1, "name": name, "color": "ededed"}));
                issue["labels"] = labels.collect();
                Said::json(200, &issue["labels"])
            }
            ("POST", ["issues", number, "comments"]) => {
                assert!(self.issues.contains_key(&number.parse().unwrap()));
                Said::json(
                    201,
                    &json!({"id": 900, "body": body["body"], "html_url": "https://github.com/acme/garden/issues/41#c"}),
                )
            }
            ("GET", ["commits", "HEAD"]) => Said::text(&self.heads["trunk"]),
            ("POST", ["git", "refs"]) => {
                let (name, sha) = (body["ref"].as_str().unwrap(), body["sha"].as_str().unwrap().to_owned());
                let branch = name.strip_prefix("refs/heads/").unwrap().to_owned();
                assert_eq!(sha, self.heads["trunk"]);
                if self.heads.contains_key(&branch) {
                    return refused(422, "Reference already exists");
                }
                let file = self.files["trunk"].clone();
                self.files.insert(branch.clone(), file);
                self.heads.insert(branch, sha.clone());
                Said::json(201, &json!({"ref": name, "object": {"type": "commit", "sha": sha}}))
            }
            ("GET", ["contents", "beds%2Ftulips.txt"]) => {
                let (sha, content) = &self.files[&query("ref").unwrap_or_else(|| "trunk".into())];
                Said::json(
                    200,
                    &json!({"type": "file", "encoding": "base64", "size": 12, "name": "tulips.txt", "path": "beds/tulips.txt",
                    "sha": sha, "content": content}),
                )
            }
            ("PUT", ["contents", "beds%2Ftulips.txt"]) => {
                let branch = body["branch"].as_str().unwrap().to_owned();
                let (known, next, commit) = (self.files[&branch].0.clone(), self.sha(), self.sha());
                match body["sha"].as_str() {
                    None => return refused(422, "Invalid request.\n\n\"sha\" wasn't supplied."),
                    Some(sha) if sha != known => {
                        return refused(409, &format!("beds/tulips.txt does not match {sha}"));
                    }
                    Some(_) => {}
                }
                self.files
                    .insert(branch.clone(), (next.clone(), body["content"].as_str().unwrap().to_owned()));
                self.heads.insert(branch, commit.clone());
                Said::json(
                    200,
                    &json!({"content": {"path": "beds/tulips.txt", "sha": next, "size": 13}, "commit": {"sha": commit}}),
                )
            }
            ("POST", ["pulls"]) => {
                let (head, base) = (body["head"].as_str().unwrap(), body["base"].as_str().unwrap());
                if !self.heads.contains_key(head) || self.heads[head] == self.heads[base] {
                    return refused(422, "Validation Failed");
                }
                self.number += 1;
                let pull = json!({"number": self.number, "title": body["title"], "body": body["body"], "state": "open", "merged": false,
                    "mergeable": true, "head": {"ref": head, "sha": ""}, "base": {"ref": base, "sha": ""},
                    "html_url": format!("https://github.com/acme/garden/pull/{}", self.number)});
                self.pulls.insert(self.number, pull);
                Said::json(201, &self.pull(self.number))
            }
            ("GET", ["pulls", number]) => Said::json(200, &self.pull(number.parse().unwrap())),
            ("GET", ["pulls", _, "files"]) => Said::json(
                200,
                &json!([{"sha": "1", "filename": "beds/tulips.txt", "status": "modified",
                "additions": 1, "deletions": 1, "changes": 2, "patch": "@@ -1 +1 @@\n-Tulips: red\n+Tulips: blue"}]),
            ),
            ("POST", ["pulls", number, "reviews"]) => {
                let pull = self.pull(number.parse().unwrap());
                assert_eq!(body["commit_id"], pull["head"]["sha"]);
                assert_eq!(body["event"], "APPROVE");
                assert_eq!(body["comments"][0]["side"], "RIGHT");
                Said::json(
                    200,
                    &json!({"id": 80, "state": "APPROVED", "html_url": "https://github.com/acme/garden/pull/42#r", "commit_id": body["commit_id"]}),
                )
            }
            ("PUT", ["pulls", number, "merge"]) => {
                let pull = self.pull(number.parse().unwrap());
                if body["sha"] != pull["head"]["sha"] {
                    return refused(409, "Head branch was modified. Review and try the merge again.");
                }
                assert_eq!(body["merge_method"], "squash");
                let (head, commit) = (pull["head"]["ref"].as_str().unwrap().to_owned(), self.sha());
                let file = self.files[&head].clone();
                self.files.insert("trunk".into(), file);
                self.heads.insert("trunk".into(), commit.clone());
                // `Closes #41`
                let closes = pull["body"].as_str().unwrap().split_once('#').unwrap().1;
                self.issues.get_mut(&closes.parse().unwrap()).unwrap()["state"] = json!("closed");
                Said::json(
                    200,
                    &json!({"merged": true, "sha": commit, "message": "Pull Request successfully merged"}),
                )
            }
            _ => refused(404, "Not Found"),
        }
    }
}

#[tokio::test]
async fn a_days_work() {
    let mut forge = Forge::new();
    let server = Server::new(move |asked| forge.answer(asked));
    let harness = Harness::builder(GitHub::new()).transport(Arc::new(server)).build().await.unwrap();

    let search = SearchRepositories { query: "garden org:acme".into(), ..SearchRepositories::default() };
    let found = harness.run(search).await.unwrap();
    let repository = &found.items[0];
    let (owner, repo) = (repository.owner.0.clone(), repository.name.clone());
    let trunk = repository.default_branch.clone().unwrap();
    assert_eq!((repository.full_name.as_str(), found.next_cursor), ("acme/garden", None));

    let issue = harness
        .run(CreateIssue {
            owner: owner.clone(),
            repo: repo.clone(),
            title: "Tulips are blue".into(),
            body: Some("And the file says red.".into()),
            ..CreateIssue::default()
        })
        .await
        .unwrap();
    let labels = AddLabels {
        owner: owner.clone(),
        repo: repo.clone(),
        number: issue.number,
        labels: vec!["bug".into()],
    };
    assert_eq!(harness.run(labels).await.unwrap().labels[0].name, "bug");
    let comment = CreateIssueComment {
        owner: owner.clone(),
        repo: repo.clone(),
        number: issue.number,
        body: "I shall paint them in the file.".into(),
    };
    assert_eq!(harness.run(comment).await.unwrap().id, 900);

    let branch = format!("fix-{}", issue.number);
    let new = CreateBranch { owner: owner.clone(), repo: repo.clone(), branch: branch.clone(), from: None };
    let begun = harness.run(new.clone()).await.unwrap();
    let twice = harness.run(new).await.unwrap_err();
    assert!(twice.public_message().contains("already exists"), "{}", twice.public_message());

    let file = GetContents {
        owner: owner.clone(),
        repo: repo.clone(),
        path: Some("beds/tulips.txt".into()),
        revision: Some(branch.clone()),
    };
    let file = harness.run(file).await.unwrap();
    let write = WriteFile {
        owner: owner.clone(),
        repo: repo.clone(),
        path: file.path.clone(),
        message: "Paint the tulips".into(),
        text: Some(file.text.unwrap().replace("red", "blue")),
        sha: Some(file.sha),
        branch: Some(branch.clone()),
        ..WriteFile::default()
    };
    let committed = harness.run(write.clone()).await.unwrap();
    assert_ne!(committed.commit.sha, begun.sha);
    // Written from what is no longer there.
    assert_eq!(harness.run(write).await.unwrap_err().kind(), ErrorKind::Conflict);

    let open = CreatePullRequest {
        owner: owner.clone(),
        repo: repo.clone(),
        title: "Paint the tulips".into(),
        head: branch,
        base: trunk,
        body: Some(format!("Closes #{}", issue.number)),
        ..CreatePullRequest::default()
    };
    let pull = harness.run(open).await.unwrap();
    assert_eq!((pull.number, pull.head.sha.as_str()), (issue.number + 1, committed.commit.sha.as_str()));

    let files = ListPullRequestFiles {
        owner: owner.clone(),
        repo: repo.clone(),
        number: pull.number,
        ..Default::default()
    };
    let changed = &harness.run(files).await.unwrap().items[0];
    let review = CreateReview {
        owner: owner.clone(),
        repo: repo.clone(),
        number: pull.number,
        event: Some(ReviewEvent::Approve),
        body: None,
        comments: vec![DraftComment {
            path: changed.filename.clone(),
            line: 1,
            side: Some(tool_connect_connectors::github::DiffSide::Right),
            body: "Lovely.".into(),
            ..DraftComment::default()
        }],
        commit_id: Some(pull.head.sha.clone()),
    };
    assert_eq!(harness.run(review).await.unwrap().state, "APPROVED");

    let merge = |sha: &str| MergePullRequest {
        owner: owner.clone(),
        repo: repo.clone(),
        number: pull.number,
        method: Some(MergeMethod::Squash),
        sha: Some(sha.to_owned()),
        ..MergePullRequest::default()
    };
    let moved = harness.run(merge(&begun.sha)).await.unwrap_err();
    assert!(moved.public_message().contains("Head branch was modified"), "{}", moved.public_message());
    let look = GetPullRequest { owner: owner.clone(), repo: repo.clone(), number: pull.number, whole: false };
    let look = harness.run(look).await.unwrap();
    assert_eq!(look.mergeable, Some(true));
    assert!(harness.run(merge(&look.head.sha)).await.unwrap().merged);

    let closed = GetIssue { owner, repo, number: issue.number, whole: false };
    let closed = harness.run(closed).await.unwrap();
    assert_eq!((closed.state.as_str(), closed.labels[0].0.as_str()), ("closed", "bug"));
    harness.finish().await.unwrap();
}
