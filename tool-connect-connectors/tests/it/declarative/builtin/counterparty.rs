//! Every tool's request, held against what its provider publishes: descriptions, schemas, and clients that others wrote.
#![allow(clippy::print_stdout, reason = "how many requests were held against what is worth reading")]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tool_connect_connectors::declarative::builtin;

use super::calls;

/// The verdicts on requests: null where one is as the provider has it.
fn judged(requests: &[Value]) -> Vec<Value> {
    const VARIABLE: &str = "TOOL_CONNECT_COUNTERPARTY_DECLARATIVE";
    let line = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask counterparty`, which brings the counterparties")
    });
    let line: Vec<String> = serde_json::from_str(&line).expect("a command line");
    let (program, arguments) = line.split_first().expect("a program");
    let mut judge = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the judge starts");
    let text = serde_json::to_vec(requests).unwrap();
    judge.stdin.take().unwrap().write_all(&text).unwrap();
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success(), "the judge failed");
    let verdicts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), requests.len());
    verdicts
}

/// What the tools send; that it is so is tested beside this (`sends`).
fn requests() -> Vec<Value> {
    let each = builtin::ALL.iter().flat_map(|file| {
        calls(file.id).into_iter().map(|(tool, call)| {
            let mut request = call["sends"].clone();
            (request["service"], request["tool"]) = (file.id.into(), tool.into());
            request
        })
    });
    each.collect()
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_what_is_published_takes_the_request_of_every_tool() {
    let requests = requests();
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    let mut unlike = Vec::new();
    for (request, verdict) in requests.iter().zip(judged(&requests)) {
        let (service, tool) = (request["service"].as_str().unwrap(), request["tool"].as_str().unwrap());
        match verdict.as_str() {
            None => *held.entry(service.to_owned()).or_default() += 1,
            Some(why) => unlike.push((service, tool, why.to_owned())),
        }
    }
    println!("held: {held:?} of {}", requests.len());
    assert!(unlike.is_empty(), "{unlike:#?}");
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_what_is_published_refuses_requests_that_are_not_so() {
    let mut wrong = Vec::new();
    let mut last = String::new();
    for request in requests() {
        let service = request["service"].as_str().unwrap().to_owned();
        // One of each is enough: the address of another thing, and where there are some, an argument of another name.
        if service == last {
            continue;
        }
        last = service;
        let mut elsewhere = request.clone();
        elsewhere["path"] = format!("{}/no/such", request["path"].as_str().unwrap()).into();
        wrong.push(elsewhere);
    }
    for (service, tool, place) in [
        ("asana", "create_task", "/body/data/naem"),
        ("discord", "send_message", "/body/contnet"),
        ("hubspot", "search_contacts", "/body/filters"),
        ("jira", "search_issues", "/query/startAt"),
        ("salesforce", "query", "/query/soql"),
        ("shopify", "create_product", "/body/variables/product/naem"),
        ("stripe", "create_customer", "/form/mail"),
        ("trello", "create_card", "/body/idLst"),
        ("vercel", "list_projects", "/query/until"),
        ("zendesk", "create_ticket", "/body/tickt"),
        ("zendesk", "add_ticket_tags", "/body/tag"),
        ("zendesk", "remove_ticket_tags", "/body/tag"),
        ("airtable", "create_records", "/body/record"),
    ] {
        let mut request = calls(service)[tool]["sends"].clone();
        (request["service"], request["tool"]) = (service.into(), tool.into());
        let (parent, name) = place.rsplit_once('/').unwrap();
        request.pointer_mut(parent).unwrap()[name] = json!("x");
        wrong.push(request);
    }
    for (request, verdict) in wrong.iter().zip(judged(&wrong)) {
        assert!(verdict.is_string(), "{request:#}");
    }
}

/// Where a second client knows what the first does not, it says no as well.
#[test]
#[ignore = "needs a counterparty"]
fn counterparty_what_only_a_second_client_knows_is_judged_by_it() {
    let mut wrong = Vec::new();
    let mut says = Vec::new();
    for (service, tool, member, value, why) in [
        // pyairtable
        ("airtable", "whoami", "path", json!("/v0/meta/who"), "the client sends GET /v0/meta/whoami"),
        ("airtable", "list_bases", "method", json!("POST"), "the client sends GET /v0/meta/bases"),
        ("airtable", "list_bases", "query", json!({"cursor": "itr1"}), "the client does not send cursor"),
        ("airtable", "list_bases", "query", json!({"offset": "1"}), "the client does not send offset"),
        (
            "airtable",
            "get_base_schema",
            "path",
            json!("/v0/meta/bases/app1"),
            "the client sends GET /v0/meta/bases/app1/tables",
        ),
        ("airtable", "get_base_schema", "body", json!({}), "the client sends no body"),
        // @hubspot/mcp-server
        (
            "hubspot",
            "whoami",
            "path",
            json!("/account-info/v3"),
            "unheld: the client has no GET /account-info/v3",
        ),
        (
            "hubspot",
            "whoami",
            "method",
            json!("PUT"),
            "unheld: the client has no PUT /account-info/v3/details",
        ),
        ("hubspot", "whoami", "query", json!({"full": "true"}), "no such query parameter: full"),
        // grant
        (
            "salesforce",
            "whoami",
            "path",
            json!("/services/oauth2/user"),
            "grant asks GET /services/oauth2/userinfo and no more",
        ),
        (
            "salesforce",
            "whoami",
            "method",
            json!("POST"),
            "grant asks GET /services/oauth2/userinfo and no more",
        ),
        (
            "salesforce",
            "whoami",
            "query",
            json!({"v": "2"}),
            "grant asks GET /services/oauth2/userinfo and no more",
        ),
        // trello.js
        (
            "trello",
            "update_card",
            "body",
            json!({"dueComplete": true, "dueDone": true}),
            "no such member: dueDone",
        ),
        (
            "trello",
            "add_comment",
            "body",
            json!({"text": "t", "dueComplete": true}),
            "no such member: dueComplete",
        ),
    ] {
        let mut request = calls(service)[tool]["sends"].clone();
        (request["service"], request["tool"], request[member]) = (service.into(), tool.into(), value);
        wrong.push(request);
        says.push(why);
    }
    for ((request, verdict), why) in wrong.iter().zip(judged(&wrong)).zip(says) {
        assert_eq!(verdict, why, "{request:#}");
    }
}
