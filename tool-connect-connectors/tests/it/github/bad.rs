//! Bad input and bad luck: each ends in an error that its reader can act on, and nothing is written twice.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::json;
use tool_connect_connectors::github::{GitHub, UpdateGist};
use tool_connect_core::http::ByteStream;
use tool_connect_core::store::{NewResult, ResultMeta, ResultStore};
use tool_connect_core::{Effect, ErrorKind, Result, ResultHandle, Retry, TenantId, UserId};
use tool_connect_testkit::{Answer, Harness};

use super::{issue, list};

#[tokio::test]
async fn a_write_is_never_made_twice() {
    let sha = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
    let writes = [
        ("create_issue", "POST", "/repos/acme/site/issues", json!({"title": "A title"})),
        (
            "create_issue_comment",
            "POST",
            "/repos/acme/site/issues/7/comments",
            json!({"number": 7, "body": "Hm"}),
        ),
        ("update_issue", "PATCH", "/repos/acme/site/issues/7", json!({"number": 7, "state": "closed"})),
        ("merge_pull_request", "PUT", "/repos/acme/site/pulls/8/merge", json!({"number": 8})),
        (
            "write_file",
            "PUT",
            "/repos/acme/site/contents/a.txt",
            json!({"path": "a.txt", "message": "Add", "text": "a"}),
        ),
        (
            "delete_file",
            "DELETE",
            "/repos/acme/site/contents/a.txt",
            json!({"path": "a.txt", "message": "Remove", "sha": sha}),
        ),
        (
            "dispatch_workflow",
            "POST",
            "/repos/acme/site/actions/workflows/1/dispatches",
            json!({"workflow": "1", "revision": "main"}),
        ),
    ];
    for (tool, method, path, mut arguments) in writes {
        arguments["owner"] = json!("acme");
        arguments["repo"] = json!("site");
        // The connection breaks after the request was sent, and once more the server fails.
        for answer in [Answer::broken(), Answer::status(502)] {
            let harness = Harness::builder(GitHub::new()).answer(method, path, answer).build().await.unwrap();
            let error = harness.call(tool, arguments.clone()).await.unwrap_err();
            assert_eq!(harness.requests().len(), 1, "{tool}");
            assert_eq!(error.effect_on_provider(), Effect::Unknown, "{tool}: {error}");
            harness.finish().await.unwrap();
        }
        // What GitHub refuses was not done.
        let refusal = Answer::json(403, json!({"message": "Repository was archived so is read-only."}));
        let harness = Harness::builder(GitHub::new()).answer(method, path, refusal).build().await.unwrap();
        let error = harness.call(tool, arguments).await.unwrap_err();
        assert_eq!(error.effect_on_provider(), Effect::NotExecuted, "{tool}");
        assert!(error.public_message().contains("archived so is read-only"), "{}", error.public_message());
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_walk_goes_on_where_a_limit_stopped_it() {
    let next = r#"<https://api.github.com/repositories/1/issues?page=2>; rel="next""#;
    let limited = Answer::json(403, json!({"message": "API rate limit exceeded for user ID 1."}))
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", "90");
    let harness = Harness::builder(GitHub::new())
        .answer("GET", "/repos/acme/site/issues", Answer::json(200, [issue(1)]).header("link", next))
        .answer("GET", "/repos/acme/site/issues", limited)
        .answer("GET", "/repos/acme/site/issues", Answer::json(200, [issue(2)]))
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .build()
        .await
        .unwrap();
    let mut walk = harness.session().items(list());
    assert_eq!(walk.next().await.unwrap().unwrap().number, 1);
    let error = walk.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), walk.cursor()), (ErrorKind::RateLimited, Some("page=2")));
    let Retry::After(wait) = error.retry_advice() else { panic!("{:?}", error.retry_advice()) };
    assert_eq!(wait, Duration::from_secs(90));
    harness.clock().advance(wait);
    assert_eq!(walk.next().await.unwrap().unwrap().number, 2);
    assert!(walk.next().await.is_none());
    drop(walk);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_without_its_sha_is_told_where_the_sha_is() {
    let path = "/repos/acme/site/contents/a.txt";
    let missing = json!({"message": "Invalid request.\n\n\"sha\" wasn't supplied.", "documentation_url": "https://docs.github.com/rest"});
    let stale = json!({"message": "a.txt does not match 3d21ec53a331a6f037a91c368710b99387d012c1"});
    let harness = Harness::builder(GitHub::new())
        .answer("PUT", path, Answer::json(422, missing))
        .answer("PUT", path, Answer::json(409, stale))
        .build()
        .await
        .unwrap();
    let write = json!({"owner": "acme", "repo": "site", "path": "a.txt", "message": "Change", "text": "b"});
    let error = harness.call("write_file", write.clone()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_on_provider()),
        (ErrorKind::InvalidArguments, Effect::NotExecuted)
    );
    assert!(error.public_message().contains("/sha"), "{}", error.public_message());
    assert!(error.public_message().contains("get_contents"), "{}", error.public_message());
    let error = harness.call("write_file", write).await.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Conflict, Effect::NotExecuted));
    assert!(error.public_message().contains("Read the file again"), "{}", error.public_message());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn arguments_are_held_to_githubs_bounds_before_anything_is_sent() {
    let harness = Harness::builder(GitHub::new()).build().await.unwrap();
    let of = |mut arguments: serde_json::Value| {
        arguments["owner"] = json!("acme");
        arguments["repo"] = json!("site");
        arguments
    };
    for (tool, arguments, place) in [
        ("create_issue", of(json!({"title": ""})), "/title"),
        ("create_issue", of(json!({"title": "x".repeat(257)})), "/title"),
        ("create_issue", of(json!({"title": "x", "colour": "red"})), "/colour"),
        ("list_issues", of(json!({"page_size": 101})), "/page_size"),
        ("list_issues", of(json!({"state": "half_open"})), "/state"),
        ("get_issue", of(json!({"number": -1})), "/number"),
        ("get_contents", json!({"owner": "..", "repo": "site", "path": "a"}), "/owner"),
        ("replace_topics", of(json!({"names": ["No Spaces"]})), "/names/0"),
        ("create_label", of(json!({"name": "bug", "color": "#f29513"})), "/color"),
        ("merge_pull_request", of(json!({"number": 8, "sha": "main"})), "/sha"),
        (
            "create_review",
            of(json!({"number": 8, "comments": [{"path": "a", "line": 0, "body": "x"}]})),
            "/comments/0/line",
        ),
        (
            "write_file",
            of(json!({"path": "a", "message": "m", "text": "a", "file": {"base64": "YQ=="}})),
            "`text` or `file`",
        ),
        ("write_file", of(json!({"path": "a", "message": "m"})), "`text` or `file`"),
        ("write_file", of(json!({"path": "a", "message": "m", "file": {"base64": "%"}})), "/file/base64"),
        ("upload_release_asset", of(json!({"release_id": 1, "file": {"base64": ""}})), "/file"),
        ("upload_release_asset", of(json!({"release_id": 1, "file": {"base64": "YQ=="}})), "/file/name"),
        ("search_code", json!({"query": ""}), "/query"),
        ("mark_notifications_read", json!({"repository": "site"}), "/repository"),
    ] {
        let error = harness.call(tool, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool}: {error}");
        assert!(error.public_message().contains(place), "{tool}: {}", error.public_message());
    }
    let nothing = UpdateGist { gist_id: "1".into(), ..UpdateGist::default() };
    assert_eq!(harness.run(nothing).await.unwrap_err().kind(), ErrorKind::InvalidArguments);
    assert!(harness.requests().is_empty());
    harness.finish().await.unwrap();
}

/// A store whose one file has a size that no test wants to write.
struct Huge(u64);

#[async_trait]
impl ResultStore for Huge {
    async fn put(&self, _: NewResult, _: ByteStream) -> Result<ResultMeta> {
        unreachable!("nothing is stored")
    }

    async fn meta(&self, _: &TenantId, user: &UserId, handle: &ResultHandle) -> Result<Option<ResultMeta>> {
        Ok(Some(ResultMeta {
            handle: handle.clone(),
            user: user.clone(),
            media_type: "application/zip".into(),
            name: Some("all.zip".into()),
            size: self.0,
            expires: SystemTime::UNIX_EPOCH,
        }))
    }

    async fn read(
        &self,
        _: &TenantId,
        _: &UserId,
        _: &ResultHandle,
        _: std::ops::Range<u64>,
    ) -> Result<Option<Bytes>> {
        unreachable!("nothing is read")
    }

    async fn delete(&self, _: &TenantId, _: &UserId, _: &ResultHandle) -> Result<bool> {
        Ok(false)
    }

    async fn purge(&self) -> Result<u64> {
        Ok(0)
    }
}

#[tokio::test]
async fn a_file_that_github_would_not_take_is_not_sent() {
    let handle = "h".repeat(32);
    for (tool, size, arguments, says) in [
        ("write_file", (100 << 20) + 1, json!({"path": "a.zip", "message": "Add"}), "100 MiB"),
        ("upload_release_asset", 2 << 30, json!({"release_id": 1}), "2 GiB"),
    ] {
        let mut stores = tool_connect_core::store::Stores::in_memory();
        stores.results = Arc::new(Huge(size));
        let harness =
            Harness::builder(GitHub::new()).hub(move |hub| hub.stores(stores)).build().await.unwrap();
        let mut arguments = arguments;
        arguments["owner"] = json!("acme");
        arguments["repo"] = json!("site");
        arguments["file"] = json!({"handle": handle});
        let error = harness.call(tool, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool}: {error}");
        assert!(error.public_message().contains(says), "{tool}: {}", error.public_message());
        assert!(harness.requests().is_empty());
        harness.finish().await.unwrap();
    }
}

/// Where GitHub wants `null`, which its description says in words and not in its schema.
#[tokio::test]
async fn what_is_taken_away_is_sent_as_null() {
    let gist = json!({"id": "1", "public": false, "html_url": "https://gist.github.com/1", "files": {}});
    let harness = Harness::builder(GitHub::new())
        .answer("PATCH", "/gists/1", Answer::json(200, gist))
        .answer("PATCH", "/repos/acme/site/issues/7", Answer::json(200, issue(7)))
        .build()
        .await
        .unwrap();
    let gist = json!({"gist_id": "1", "files": {"a.txt": "A"}, "remove_files": ["b.txt"]});
    harness.call("update_gist", gist).await.unwrap();
    let out = json!({"owner": "acme", "repo": "site", "number": 7, "milestone": 0, "labels": []});
    harness.call("update_issue", out).await.unwrap();
    let sent = harness.requests();
    assert_eq!(sent[0].json(), json!({"files": {"a.txt": {"content": "A"}, "b.txt": null}}));
    assert_eq!(sent[1].json(), json!({"milestone": null, "labels": []}));
    harness.finish().await.unwrap();
}
