//! A workspace that answers as Notion does, on a free port of this machine.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// The page that everything stands below.
pub(crate) const HOME: &str = "00000000-0000-4000-8000-000000000001";
const GUIDE: &str = "00000000-0000-4000-8000-000000000002";
const TASKS: &str = "00000000-0000-4000-8000-000000000003";
const ROWS: &str = "00000000-0000-4000-8000-000000000004";
const WRITE: &str = "00000000-0000-4000-8000-000000000005";
const TEST: &str = "00000000-0000-4000-8000-000000000006";
const LIST: &str = "00000000-0000-4000-8000-000000000007";

pub(crate) async fn start() -> crate::Outcome<url::Url> {
    let routes = Router::new()
        .route("/v1/users/me", get(|| async { Json(json!({"object": "user", "id": HOME, "type": "bot", "name": "Exporter"})) }))
        .route("/v1/pages/{id}", get(page))
        .route("/v1/databases/{id}", get(|| async {
            Json(json!({"object": "database", "id": TASKS, "title": text("Tasks"), "data_sources": [{"id": ROWS, "name": "Tasks"}]}))
        }))
        .route("/v1/data_sources/{id}/query", post(rows))
        .route("/v1/blocks/{id}/children", get(children));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/v1/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address.parse()?)
}

fn text(content: &str) -> Value {
    json!([{"type": "text", "text": {"content": content}, "plain_text": content}])
}

fn object(id: &str) -> Option<Value> {
    let (title, more) = match id {
        HOME => ("Team home", json!({})),
        GUIDE => ("Style guide", json!({})),
        WRITE => {
            ("Write the report", json!({"Stage": {"id": "a", "type": "select", "select": {"name": "Open"}}}))
        }
        TEST => ("Test it", json!({"Stage": {"id": "a", "type": "select", "select": {"name": "Done"}}})),
        _ => return None,
    };
    let mut properties = json!({"Name": {"id": "title", "type": "title", "title": text(title)}});
    for (name, value) in more.as_object().into_iter().flatten() {
        properties[name.as_str()] = value.clone();
    }
    Some(json!({"object": "page", "id": id, "properties": properties}))
}

async fn page(Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    object(&id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// One row a page.
async fn rows(body: Json<Value>) -> Json<Value> {
    let (row, next) = if body["start_cursor"] == TEST { (TEST, Value::Null) } else { (WRITE, json!(TEST)) };
    Json(json!({"object": "list", "results": [object(row)], "next_cursor": next}))
}

fn block(id: u32, kind: &str, payload: Value) -> Value {
    json!({"object": "block", "id": format!("10000000-0000-4000-8000-{id:012}"), "type": kind, kind: payload, "has_children": false})
}

async fn children(Path(id): Path<String>) -> Json<Value> {
    let results = match id.as_str() {
        HOME => {
            let mut list = block(3, "bulleted_list_item", json!({"rich_text": text("Every week")}));
            list["id"] = json!(LIST);
            list["has_children"] = json!(true);
            let mut guide = block(6, "child_page", json!({"title": "Style guide"}));
            guide["id"] = json!(GUIDE);
            let mut tasks = block(7, "child_database", json!({"title": "Tasks"}));
            tasks["id"] = json!(TASKS);
            vec![
                block(1, "heading_1", json!({"rich_text": text("Welcome")})),
                block(
                    2,
                    "paragraph",
                    json!({"rich_text": [
                        {"type": "text", "text": {"content": "We write "}},
                        {"type": "text", "text": {"content": "short"}, "annotations": {"bold": true}},
                        {"type": "text", "text": {"content": " sentences; see the "}},
                        {"type": "mention", "mention": {"type": "page", "page": {"id": GUIDE}}, "plain_text": "Style guide"},
                        {"type": "text", "text": {"content": "."}},
                    ]}),
                ),
                list,
                block(
                    4,
                    "callout",
                    json!({"rich_text": text("Ask before you delete."), "icon": {"type": "emoji", "emoji": "⚠️"},
                    "color": "yellow_background"}),
                ),
                block(5, "code", json!({"rich_text": text("cargo test"), "language": "shell"})),
                guide,
                tasks,
            ]
        }
        LIST => vec![
            block(8, "to_do", json!({"rich_text": text("plan"), "checked": true})),
            block(9, "to_do", json!({"rich_text": text("report"), "checked": false})),
        ],
        GUIDE => vec![
            block(10, "numbered_list_item", json!({"rich_text": text("Say it once.")})),
            block(11, "numbered_list_item", json!({"rich_text": text("Say it plainly.")})),
            block(12, "breadcrumb", json!({})),
        ],
        _ => vec![block(13, "paragraph", json!({"rich_text": text("Nothing more yet.")}))],
    };
    Json(json!({"object": "list", "results": results, "next_cursor": null}))
}
