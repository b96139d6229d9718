//! Scopes: a larger one includes the smaller, and nobody is asked for more than is needed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde_json::json;
use tool_connect_connectors::github::{CreateIssue, GitHub};
use tool_connect_core::{
    AuthScheme, Connect, ConnectRequest, ConnectTicket, ConnectionId, InputRequest, Principal, Result,
    TenantId,
};
use tool_connect_hub::InstanceOptions;
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
