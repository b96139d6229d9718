//! Scopes: a larger one includes the smaller, and nobody is asked for more than is needed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde_json::json;
use tool_connect_connectors::github::{CreateIssue, GitHub};
use tool_connect_core::{
    AuthScheme, Connect, ConnectRequest, ConnectTicket, ConnectionId, ErrorKind, InputRequest, Principal,
    Result, TenantId,
};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::cassette::Replayer;
use tool_connect_testkit::{Answer, Harness};

use super::issue;

#[tokio::test]
async fn a_larger_scope_includes_the_smaller_one() {
    let create = || CreateIssue {
        owner: "acme".into(),
        repo: "site".into(),
        title: "A title".into(),
        ..CreateIssue::default()
    };
    for (granted, may) in [("repo", true), ("public_repo", true), ("read:org", false)] {
        let harness = Harness::builder(GitHub::new())
            .scopes([granted])
            .answer("POST", "/repos/acme/site/issues", Answer::json(201, issue(1)))
            .build()
            .await
            .unwrap();
        match harness.run(create()).await {
            Ok(issue) => assert!(may && issue.number == 1, "{granted}"),
            Err(error) => {
                assert!(!may, "{granted}: {error}");
                // The least that does is what the user is asked for, before anything is sent.
                let asked = &error.input_required().expect("a connection is asked for").request;
                let InputRequest::Connect { scopes, .. } = asked else { panic!("{asked:?}") };
                assert_eq!(scopes, &["public_repo"]);
                assert!(harness.requests().is_empty());
            }
        }
        harness.finish().await.unwrap();
    }
}

/// Makes tickets and remembers what they were asked for.
#[derive(Default)]
struct Consent(Mutex<Vec<Vec<String>>>);

#[async_trait]
impl Connect for Consent {
    async fn ticket(&self, _: &Principal, request: ConnectRequest) -> Result<ConnectTicket> {
        self.0.lock().unwrap().push(request.scopes);
        let expires = SystemTime::now() + Duration::from_secs(600);
        Ok(ConnectTicket::new("https://app.example/connect/start".parse().unwrap(), expires))
    }

    async fn disconnect(&self, _: &Principal, _: &ConnectionId) -> Result<()> {
        Ok(())
    }

    fn on_change(&self, _: Arc<dyn Fn(&TenantId) + Send + Sync>) {}
}

#[tokio::test]
async fn a_first_consent_asks_for_no_part_of_what_is_asked_for_anyway() {
    // What the instance's scheme asks for, and what the tool adds to it.
    for (anyway, added) in
        [(&[][..], &["public_repo"][..]), (&["repo"], &[]), (&["read:org"], &["public_repo"])]
    {
        let consent = Arc::new(Consent::default());
        let connect = Arc::clone(&consent);
        let scheme = AuthScheme::oauth2("github", anyway.iter().copied());
        let harness = Harness::builder(GitHub::new())
            .unconnected()
            .instance(InstanceOptions::new("github").unwrap().auth(scheme))
            .hub(move |hub| hub.connect(connect))
            .build()
            .await
            .unwrap();
        let create = json!({"owner": "acme", "repo": "site", "title": "A title"});
        let error = harness.call("create_issue", create).await.unwrap_err();
        assert!(error.input_required().is_some(), "{error}");
        assert_eq!(*consent.0.lock().unwrap(), [added], "{anyway:?}");
        harness.finish().await.unwrap();
    }
}

/// GitHub answers 404 to a token that lacks the scope for what is private. Where its headers prove that, the user is offered the
/// consent, with the least scope that does, whatever is recorded of the connection.
#[tokio::test]
async fn a_scope_that_the_headers_prove_lacking_is_asked_for() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/github/scopes.json");
    let answers = Arc::new(Replayer::open(path).unwrap());
    for scope in ["repo", "read:org", "write:org"] {
        let consent = Arc::new(Consent::default());
        let connect = Arc::clone(&consent);
        let harness = Harness::builder(GitHub::new())
            .transport(Arc::clone(&answers) as _)
            .hub(move |hub| hub.connect(connect))
            .build()
            .await
            .unwrap();
        let get = json!({"owner": "acme", "repo": "site", "number": 7});
        let error = harness.call("get_issue", get).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InputRequired, "{error}");
        let required = error.input_required().unwrap();
        let InputRequest::Connect { scopes, url, .. } = &required.request else { panic!("{required:?}") };
        assert_eq!(scopes, &[scope]);
        assert_eq!(url.as_deref(), Some("https://app.example/connect/start"));
        assert_eq!(*consent.0.lock().unwrap(), [[scope]]);
        // What the call was stays with it, to be resumed.
        assert!(required.call.is_some());
        assert!(required.message().contains(scope), "{}", required.message());
        harness.finish().await.unwrap();
    }
    assert!(answers.unused().is_empty());
}
