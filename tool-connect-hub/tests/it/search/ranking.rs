//! What is found for what people say.

use tool_connect_core::{ErrorKind, SchemaSource, ToolDefinition};
use tool_connect_hub::SearchRequest;

use super::house::{asked, chatter, definition, hub, ids};
use crate::calls::support::{Kit, ada, hub_of};

#[tokio::test]
async fn what_people_say_finds_the_tool_that_does_it() {
    let hub = hub();
    for (query, expected) in [
        ("write to everybody in our room", "chatter.send_message"),
        ("send a message to the channel", "chatter.send_message"),
        ("who is in this room?", "chatter.list_members"),
        ("make a new room", "chatter.create_room"),
        ("file a bug on forge", "forge.create_issue"),
        ("comment on an issue", "forge.create_issue_comment"),
        ("open a PR", "forge.create_pull_request"),
        ("who approved this pull request", "forge.list_reviews"),
        ("list the branches of a repo", "forge.list_branches"),
        ("what's on my calendar today", "diary.list_events"),
        ("cancel tomorrow's meeting", "diary.delete_event"),
        ("reschedule a meeting", "diary.update_event"),
        ("when is Bob free", "diary.query_free_busy"),
        ("refund a customer's last payment", "purse.create_refund"),
        ("how much money do we have", "purse.get_balance"),
        ("bill a client", "purse.create_invoice"),
        ("mail somebody", "post_office.send_email"),
        ("check my inbox", "post_office.list_messages"),
    ] {
        let found = asked(&hub, query).await;
        assert!(found.iter().take(3).any(|id| id == expected), "{query:?} found {found:?}");
    }
}

#[tokio::test]
async fn the_verb_tells_what_shall_be_done() {
    let hub = hub();
    for (query, expected) in [
        ("delete a branch", "forge.delete_branch"),
        ("list branches", "forge.list_branches"),
        ("create an issue", "forge.create_issue"),
        ("show me the issues", "forge.list_issues"),
        ("close an issue", "forge.update_issue"),
        ("remove a chat message", "chatter.delete_message"),
    ] {
        assert_eq!(asked(&hub, query).await[0], expected, "{query:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_named_comes_first() {
    let hub = hub();
    assert!(asked(&hub, "list messages in the post office").await[0].starts_with("post_office."));
    assert!(asked(&hub, "search messages on chatter").await[0].starts_with("chatter."));
}

#[tokio::test]
async fn slips_of_the_pen_compounds_and_case_are_forgiven() {
    let hub = hub();
    for (query, expected) in [
        ("list branchs of a repositry", "forge.list_branches"),
        ("freebusy", "diary.query_free_busy"),
        ("CREATE_INVOICE", "purse.create_invoice"),
        ("createRefund", "purse.create_refund"),
        ("merging pull-requests", "forge.merge_pull_request"),
    ] {
        let found = asked(&hub, query).await;
        assert_eq!(found.first().map(String::as_str), Some(expected), "{query:?} found {found:?}");
    }
}

#[tokio::test]
async fn names_of_arguments_and_values_are_found() {
    let schema = r##"{"type":"object","properties":{"paper":{"$ref":"#/$defs/Paper"},"copies":{"type":"integer"}},
        "$defs":{"Paper":{"type":"object","properties":{"format":{"enum":["tabloid","letterhead"]}}}}}"##;
    let printing = ToolDefinition::new("run_job", "Starts it.", SchemaSource::Json(schema.into()));
    let hub = hub_of(Kit::new("printer").dynamic(definition(printing)));
    for query in ["tabloid", "how many copies", "paper format"] {
        assert_eq!(asked(&hub, query).await, ["printer.run_job"], "{query:?}");
    }
}

#[tokio::test]
async fn a_deprecated_tool_stands_behind_its_like_and_is_found_all_the_same() {
    let of = |name, old| {
        let schema = SchemaSource::Json(r#"{"type":"object"}"#.into());
        let tool = ToolDefinition::new(name, "Paints a wall.", schema).title("Paint wall");
        definition(if old { tool.deprecated("use the other") } else { tool })
    };
    let hub = hub_of(Kit::new("house").dynamic(of("paint_wall", true)).dynamic(of("paint_walls", false)));
    assert_eq!(asked(&hub, "paint a wall").await, ["house.paint_walls", "house.paint_wall"]);
}

#[tokio::test]
async fn nothing_is_found_where_nothing_fits() {
    let hub = hub();
    for query in ["xylophone zzzzqqq", "the of and", "?!", "\u{0}", "🦀"] {
        assert_eq!(asked(&hub, query).await, Vec::<String>::new(), "{query:?}");
    }
}

#[tokio::test]
async fn bad_requests_are_refused_by_place_and_not_by_value() {
    let hub = hub_of(chatter());
    let session = hub.session(ada());
    for (request, place) in [
        (SearchRequest::new(""), "/query"),
        (SearchRequest::new(" \n"), "/query"),
        (SearchRequest::new("q".repeat(401)), "/query"),
        (SearchRequest::new("ä".repeat(1_000_000)), "/query"),
        (SearchRequest::new("room").limit(0), "/limit"),
        (SearchRequest::new("room").limit(51), "/limit"),
    ] {
        let error = session.search(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        assert_eq!(error.problems()[0].pointer, place);
        assert!(!error.to_string().contains("qqq"));
    }
    // As long as a query may be.
    session.search(&SearchRequest::new("ä".repeat(400))).await.unwrap();
    assert_eq!(ids(&session, SearchRequest::new("room message").limit(2)).await.len(), 2);
}

#[tokio::test]
async fn the_same_search_finds_the_same() {
    let first = asked(&hub(), "list messages of a room").await;
    for _ in 0..5 {
        assert_eq!(asked(&hub(), "list messages of a room").await, first);
    }
}
