//! A day's work on one issue, at a provider that remembers what it was told.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use tool_connect_connectors::linear::{
    AddIssueLabel, ArchiveIssue, AssignIssue, CreateAttachment, CreateComment, CreateIssue,
    CreateIssueRelation, GetCurrentCycle, GetIssue, GetUser, GetViewer, Linear, ListAttachments,
    ListComments, ListIssueRelations, ListIssues, ListLabels, ListTeams, ListUsers, ListWorkflowStates,
    RelationType, SearchIssues, UpdateIssue,
};
use tool_connect_core::ErrorKind;
use tool_connect_testkit::{Answer, Harness, SentRequest};

use super::{answer, refusal, root};

const ADA: &str = "0000ada0-0000-4000-8000-000000000001";
const BOB: &str = "0000b0b0-0000-4000-8000-000000000002";
const TEAM: &str = "00007ea0-0000-4000-8000-000000000003";
const BUG: &str = "0000b060-0000-4000-8000-000000000004";
const CYCLE: &str = "0000cc10-0000-4000-8000-000000000005";

/// A workspace: what its objects are, by the lists that hold them.
#[derive(Default)]
struct World {
    issues: Vec<Value>,
    comments: Vec<Value>,
    attachments: Vec<Value>,
    relations: Vec<Value>,
}

fn states() -> Value {
    json!([
        {"id": "5747e000-0000-4000-8000-000000000001", "name": "Todo", "type": "unstarted"},
        {"id": "5747e000-0000-4000-8000-000000000002", "name": "In Progress", "type": "started"},
        {"id": "5747e000-0000-4000-8000-000000000003", "name": "Done", "type": "completed"},
    ])
}

fn missing(what: &str) -> Answer {
    let words = format!("Could not find referenced {what}.");
    refusal(
        200,
        json!({"message": format!("Entity not found: {what}"), "path": ["answer"], "extensions": {
            "type": "invalid input", "code": "INPUT_ERROR", "userError": true, "userPresentableMessage": words}}),
    )
}

fn page(items: &[Value], variables: &Value) -> Value {
    let size = usize::try_from(variables["page_size"].as_u64().unwrap_or(50)).unwrap();
    let from: usize = variables["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
    let to = items.len().min(from + size);
    json!({"nodes": items[from..to], "pageInfo": {"hasNextPage": to < items.len(), "endCursor": to.to_string()}})
}

impl World {
    fn find(&mut self, id: &Value) -> Option<&mut Value> {
        self.issues.iter_mut().find(|issue| issue["id"] == *id || issue["identifier"] == *id)
    }

    fn short(&mut self, id: &Value) -> Option<Value> {
        let issue = self.find(id)?;
        Some(json!({"id": issue["id"], "identifier": issue["identifier"], "title": issue["title"]}))
    }

    fn made(what: Value) -> Answer {
        answer(json!({"success": true, "entity": what}))
    }

    fn create_issue(&mut self, v: &Value) -> Answer {
        let number = self.issues.len() + 1;
        let issue = json!({
            "id": format!("155e0000-0000-4000-8000-{number:012}"), "identifier": format!("ENG-{number}"), "title": v["title"],
            "url": format!("https://linear.app/acme/issue/ENG-{number}"), "priority": v["priority"].as_u64().unwrap_or(0),
            "state": states()[0], "team": {"id": TEAM, "key": "ENG", "name": "Engineering"}, "assignee": null, "cycle": null,
            "labels": {"nodes": []}, "description": v["description"], "archived_at": null,
        });
        self.issues.push(issue.clone());
        Self::made(issue)
    }

    fn update_issue(&mut self, v: &Value) -> Answer {
        let assignee = match v.get("assignee_id").and_then(Value::as_str) {
            Some(ADA) => json!({"id": ADA, "name": "Ada"}),
            Some(_) => {
                return refusal(
                    200,
                    json!({"message": "Assignee is not active", "extensions": {"code": "INPUT_ERROR", "userError": true,
                        "userPresentableMessage": "Cannot assign an issue to a deactivated user."}}),
                );
            }
            None => Value::Null,
        };
        let Some(issue) = self.find(&v["id"]) else { return missing("Issue") };
        if let Some(state) = v.get("state_id") {
            let Some(state) =
                states().as_array().unwrap().iter().find(|known| known["id"] == *state).cloned()
            else {
                return missing("WorkflowState");
            };
            if state["type"] == "completed" {
                issue["completed_at"] = json!("2026-05-31T17:00:00.000Z");
            }
            issue["state"] = state;
        }
        if v.get("assignee_id").is_some() {
            issue["assignee"] = assignee;
        }
        if v["cycle_id"] == CYCLE {
            issue["cycle"] = json!({"id": CYCLE, "number": 12, "name": null});
        }
        Self::made(issue.clone())
    }

    /// What the filters of this day ask for.
    fn list_issues(&self, v: &Value) -> Answer {
        let mine = v["filter"]["assignee"]["isMe"]["eq"] == true;
        let kind = &v["filter"]["state"]["type"]["eq"];
        let archived = v["include_archived"] == true;
        let fits = |issue: &&Value| {
            (archived || issue["archived_at"].is_null())
                && (!mine || issue["assignee"]["id"] == ADA)
                && (kind.is_null() || issue["state"]["type"] == *kind)
        };
        let found: Vec<Value> = self.issues.iter().filter(fits).cloned().collect();
        answer(page(&found, v))
    }

    fn within(&mut self, request: &SentRequest, v: &Value) -> Answer {
        let id = v.get("issue_id").unwrap_or(&v["id"]).clone();
        let Some(issue) = self.find(&id).cloned() else { return missing("Issue") };
        let query = request.json()["query"].as_str().unwrap().to_owned();
        let of = |all: &[Value], side: &str| -> Vec<Value> {
            all.iter().filter(|one| one[side]["id"] == issue["id"]).cloned().collect()
        };
        let data = if query.contains("page: comments(") {
            json!({"page": page(&of(&self.comments, "issue"), v)})
        } else if query.contains("page: attachments(") {
            json!({"page": page(&of(&self.attachments, "issue"), v)})
        } else if query.contains("outgoing: relations(") {
            let incoming = v["incoming"] == true;
            let side = if incoming { "related_issue" } else { "issue" };
            json!({if incoming { "incoming" } else { "outgoing" }: page(&of(&self.relations, side), v)})
        } else {
            issue
        };
        answer(data)
    }

    fn answer(&mut self, request: &SentRequest) -> Answer {
        let v = request.json()["variables"].clone();
        match root(request).as_str() {
            "viewer" => answer(
                json!({"id": ADA, "name": "Ada", "organization": {"id": "o", "name": "Acme", "url_key": "acme"}}),
            ),
            "users" => answer(page(
                &[
                    json!({"id": ADA, "name": "Ada", "active": true}),
                    json!({"id": BOB, "name": "Bob", "active": false}),
                ],
                &v,
            )),
            "user" => answer(json!({"id": BOB, "name": "Bob", "active": false})),
            "teams" => answer(page(&[json!({"id": TEAM, "key": "ENG", "name": "Engineering"})], &v)),
            "workflowStates" => answer(page(states().as_array().unwrap(), &v)),
            "issueLabels" => answer(page(&[json!({"id": BUG, "name": "Bug"})], &v)),
            "team" => answer(
                json!({"cycle": {"id": CYCLE, "number": 12, "starts_at": "2026-05-25T00:00:00.000Z", "ends_at": "2026-06-08T00:00:00.000Z"}}),
            ),
            "issueCreate" => self.create_issue(&v),
            "issueUpdate" => self.update_issue(&v),
            "issueAddLabel" => match self.find(&v["id"]) {
                Some(issue) if v["label_id"] == BUG => {
                    issue["labels"] = json!({"nodes": [{"id": BUG, "name": "Bug"}]});
                    Self::made(issue.clone())
                }
                _ => missing("IssueLabel"),
            },
            "issueArchive" => match self.find(&v["id"]) {
                Some(issue) => {
                    issue["archived_at"] = json!("2026-05-31T18:00:00.000Z");
                    Self::made(issue.clone())
                }
                None => missing("Issue"),
            },
            "commentCreate" => match self.short(&v["issue_id"]) {
                Some(issue) => {
                    let comment = json!({"id": "c0", "body": v["body"], "user": {"id": ADA, "name": "Ada"}, "issue": issue});
                    self.comments.push(comment.clone());
                    Self::made(comment)
                }
                None => missing("Issue"),
            },
            "issueRelationCreate" => match (self.short(&v["issue_id"]), self.short(&v["related_issue_id"])) {
                (Some(issue), Some(other)) => {
                    let relation =
                        json!({"id": "r0", "type": v["type"], "issue": issue, "related_issue": other});
                    self.relations.push(relation.clone());
                    Self::made(relation)
                }
                _ => missing("Issue"),
            },
            "attachmentCreate" => match self.short(&v["issue_id"]) {
                Some(issue) => {
                    let attachment =
                        json!({"id": "a0", "title": v["title"], "url": v["url"], "issue": issue});
                    self.attachments.push(attachment.clone());
                    Self::made(attachment)
                }
                None => missing("Issue"),
            },
            "issues" => self.list_issues(&v),
            "searchIssues" => {
                let text = v["text"].as_str().unwrap().to_lowercase();
                let fits = |issue: &&Value| issue["title"].as_str().unwrap().to_lowercase().contains(&text);
                let found: Vec<Value> = self.issues.iter().filter(fits).cloned().collect();
                answer(page(&found, &v))
            }
            "issue" => self.within(request, &v),
            other => panic!("nobody does that on this day: {other}"),
        }
    }
}

#[tokio::test]
async fn an_issue_from_its_report_to_its_end() {
    let world = Arc::new(Mutex::new(World::default()));
    for title in ["Dark mode", "Faster start"] {
        world.lock().unwrap().create_issue(&json!({"title": title}));
    }
    let there = Arc::clone(&world);
    let harness = Harness::builder(Linear::new())
        .answer_with("POST", "/graphql", move |request| there.lock().unwrap().answer(request))
        .build()
        .await
        .unwrap();

    // Who am I, which team, which states?
    let me = harness.run(GetViewer::default()).await.unwrap();
    let team = harness.run(ListTeams::default()).await.unwrap().items.remove(0);
    let list = ListWorkflowStates { team: Some(team.key.clone()), ..ListWorkflowStates::default() };
    let states = harness.run(list).await.unwrap().items;
    let state = |name: &str| states.iter().find(|state| state.name == name).unwrap().id.clone();

    let new = CreateIssue {
        team_id: team.id.clone(),
        title: "Login fails with a passkey".into(),
        description: Some("Since **2.1**.".into()),
        priority: Some(1),
        ..CreateIssue::default()
    };
    let issue = harness.run(new).await.unwrap();
    assert_eq!((issue.identifier.as_str(), issue.priority), ("ENG-3", Some(1)));

    let labels = harness.run(ListLabels { name: Some("bug".into()), ..ListLabels::default() }).await.unwrap();
    let label = AddIssueLabel { id: issue.identifier.clone(), label_id: labels.items[0].id.clone() };
    assert_eq!(harness.run(label).await.unwrap().labels[0].name.as_deref(), Some("Bug"));

    // Bob was deactivated; so it is mine.
    let users =
        harness.run(ListUsers { include_disabled: Some(true), ..ListUsers::default() }).await.unwrap();
    let bob = users.items.into_iter().find(|user| user.name == "Bob").unwrap();
    assert_eq!(harness.run(GetUser { id: bob.id.clone(), whole: false }).await.unwrap().active, Some(false));
    let assign = |user: &str| AssignIssue { id: issue.id.clone(), assignee_id: Some(user.to_owned()) };
    let error = harness.run(assign(&bob.id)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    assert!(error.public_message().contains("deactivated user"), "{}", error.public_message());
    let mine = harness.run(assign(&me.id)).await.unwrap();
    assert_eq!(mine.assignee.unwrap().name.as_deref(), Some("Ada"));

    let comment = CreateComment { issue_id: "ENG-3".into(), body: "I look at it.".into(), parent_id: None };
    harness.run(comment).await.unwrap();
    let relation = CreateIssueRelation {
        issue_id: issue.id.clone(),
        related_issue_id: "ENG-2".into(),
        kind: RelationType::Blocks,
    };
    assert_eq!(harness.run(relation).await.unwrap().kind, "blocks");
    let attach = CreateAttachment {
        issue_id: "ENG-3".into(),
        title: "Trace".into(),
        url: "https://traces.example/7".into(),
        subtitle: None,
    };
    harness.run(attach).await.unwrap();

    // An identifier that does not exist says so, and changes nothing.
    let wrong = CreateComment { issue_id: "ENG-999".into(), body: "?".into(), parent_id: None };
    let error = harness.run(wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.public_message().contains("id or identifier"), "{}", error.public_message());

    let current = harness.run(GetCurrentCycle { team_id: team.id.clone() }).await.unwrap().cycle.unwrap();
    let start = UpdateIssue {
        id: "ENG-3".into(),
        state_id: Some(state("In Progress")),
        cycle_id: Some(current.id),
        ..UpdateIssue::default()
    };
    let started = harness.run(start).await.unwrap();
    assert_eq!((started.state.kind.as_str(), started.cycle.unwrap().number), ("started", 12));

    harness.run(AssignIssue { id: "ENG-1".into(), assignee_id: Some(me.id.clone()) }).await.unwrap();
    let list = ListIssues { assignee: Some("me".into()), page_size: Some(1), ..ListIssues::default() };
    let all: Vec<String> =
        harness.session().items(list).map_ok(|issue| issue.identifier).try_collect().await.unwrap();
    assert_eq!(all, ["ENG-1", "ENG-3"]);
    let search = SearchIssues { text: "passkey".into(), ..SearchIssues::default() };
    assert_eq!(harness.run(search).await.unwrap().items[0].identifier, "ENG-3");

    let done = UpdateIssue { id: "ENG-3".into(), state_id: Some(state("Done")), ..UpdateIssue::default() };
    assert!(harness.run(done).await.unwrap().completed_at.is_some());
    harness.run(ArchiveIssue { id: "ENG-3".into() }).await.unwrap();

    // What is left to read of it.
    let found = harness.run(GetIssue { id: "ENG-3".into(), whole: false }).await.unwrap();
    assert_eq!((found.description.as_deref(), found.archived_at.is_some()), (Some("Since **2.1**."), true));
    let comments = ListComments { issue_id: "ENG-3".into(), ..ListComments::default() };
    assert_eq!(harness.run(comments).await.unwrap().items[0].body, "I look at it.");
    let attachments = ListAttachments { issue_id: "ENG-3".into(), ..ListAttachments::default() };
    assert_eq!(harness.run(attachments).await.unwrap().items[0].title, "Trace");
    let arguments = json!({"id": "ENG-2", "direction": "incoming"});
    let blocked: Value = harness.call("list_issue_relations", arguments).await.unwrap().parse().unwrap();
    assert_eq!(blocked["items"][0]["issue"]["identifier"], "ENG-3");
    let outgoing = ListIssueRelations { id: "ENG-3".into(), ..ListIssueRelations::default() };
    assert_eq!(harness.run(outgoing).await.unwrap().items[0].related_issue.identifier, "ENG-2");
    let done = ListIssues {
        state_type: Some(tool_connect_connectors::linear::StateType::Completed),
        ..ListIssues::default()
    };
    assert!(harness.run(done.clone()).await.unwrap().items.is_empty());
    let archived = harness.run(ListIssues { include_archived: Some(true), ..done }).await.unwrap();
    assert_eq!(archived.items[0].identifier, "ENG-3");
    let left = {
        let world = world.lock().unwrap();
        (world.issues.len(), world.comments.len(), world.attachments.len())
    };
    assert_eq!(left, (3, 1, 1));
    harness.finish().await.unwrap();
}
