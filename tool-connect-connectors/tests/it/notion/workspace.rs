//! A small Notion: pages, blocks, rows, comments and files in memory, with Notion's limits and refusals.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value, json};
use tool_connect_core::Result;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};

/// Blocks of one answer, so that there is more than one page.
const PAGE: usize = 40;

#[derive(Default)]
struct State {
    made: u64,
    /// Pages, blocks, databases, data sources, comments and uploads by id.
    objects: BTreeMap<String, Value>,
    /// What stands within a page or block.
    children: BTreeMap<String, Vec<String>>,
    /// Answers that come first, whatever is asked for.
    next: Vec<(u16, Value)>,
    requests: usize,
    /// Bytes of the last part that was sent.
    part: usize,
}

/// The service.
#[derive(Default)]
pub(super) struct Workspace(Mutex<State>);

impl Workspace {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page at the workspace's top.
    pub(super) fn page(&self, title: &str) -> String {
        let mut state = self.state();
        state.page(&json!({"type": "workspace", "workspace": true}), json!({"title": {"title": text(title)}}))
    }

    /// Answers the next requests with these errors.
    pub(super) fn fail(&self, answers: Vec<(u16, Value)>) {
        self.state().next = answers;
    }

    pub(super) fn requests(&self) -> usize {
        self.state().requests
    }

    pub(super) fn last_part(&self) -> usize {
        self.state().part
    }

    pub(super) fn object(&self, id: &str) -> Value {
        self.state().objects[id].clone()
    }
}

fn text(content: &str) -> Value {
    json!([{"type": "text", "text": {"content": content}, "plain_text": content}])
}

type Answer = (u16, Value);

pub(super) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    (status, json!({"object": "error", "status": status, "code": code, "message": message}))
}

fn missing(id: &str) -> Answer {
    refusal(404, "object_not_found", &format!("Could not find object with ID: {id}."))
}

impl State {
    fn id(&mut self) -> String {
        self.made += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.made)
    }

    fn page(&mut self, parent: &Value, properties: Value) -> String {
        let id = self.id();
        let mut page = json!({
            "object": "page", "id": id, "parent": parent, "in_trash": false, "is_locked": false, "properties": {},
            "url": format!("https://www.notion.so/{}", id.replace('-', "")), "created_time": "2026-05-01T10:00:00.000Z",
        });
        set(&mut page, &properties);
        self.objects.insert(id.clone(), page);
        id
    }

    fn blocks(
        &mut self,
        parent: &str,
        children: &[Value],
        level: usize,
    ) -> std::result::Result<Vec<String>, Answer> {
        let invalid = |what: &str| {
            refusal(400, "validation_error", &format!("body failed validation: body.children {what}"))
        };
        if children.len() > 100 {
            return Err(invalid("should be at most 100"));
        }
        if level > 2 && !children.is_empty() {
            return Err(invalid("is too deep"));
        }
        let mut ids = Vec::new();
        for child in children {
            let kind = child["type"].as_str().unwrap_or_default().to_owned();
            let mut block = child.clone();
            let payload = &mut block[kind.as_str()];
            for item in payload["rich_text"].as_array().into_iter().flatten() {
                let content = item["text"]["content"].as_str().unwrap_or_default();
                if content.encode_utf16().count() > 2000 {
                    return Err(invalid("text.content.length should be ≤ `2000`"));
                }
            }
            let within = payload.as_object_mut().and_then(|map| map.remove("children")).unwrap_or_default();
            let within = within.as_array().cloned().unwrap_or_default();
            let id = self.id();
            block["id"] = json!(id);
            block["object"] = json!("block");
            block["parent"] = json!({"type": "block_id", "block_id": parent});
            block["in_trash"] = json!(false);
            block["has_children"] = json!(!within.is_empty());
            self.objects.insert(id.clone(), block);
            let inner = self.blocks(&id, &within, level + 1)?;
            self.children.insert(id.clone(), inner);
            ids.push(id);
        }
        Ok(ids)
    }

    /// A page of what has these ids.
    fn list(&self, ids: &[String], cursor: Option<&str>, size: usize) -> Value {
        let from = cursor.and_then(|cursor| ids.iter().position(|id| id == cursor)).unwrap_or_default();
        let here: Vec<&Value> =
            ids.iter().skip(from).take(size).filter_map(|id| self.objects.get(id)).collect();
        json!({"object": "list", "results": here, "next_cursor": ids.get(from + size), "has_more": ids.len() > from + size})
    }

    fn change(&mut self, id: &str, body: &Value) -> Answer {
        let Some(object) = self.objects.get_mut(id) else { return missing(id) };
        if object["in_trash"] == true && body["in_trash"] != false {
            return refusal(
                400,
                "validation_error",
                "Can't edit block that is archived. You must unarchive the block before editing.",
            );
        }
        for (name, value) in body.as_object().into_iter().flatten() {
            match name.as_str() {
                "properties" => set(object, value),
                _ => object[name.as_str()] = value.clone(),
            }
        }
        (200, object.clone())
    }

    fn answer(&mut self, method: &str, path: &str, query: &BTreeMap<String, String>, body: &Value) -> Answer {
        self.requests += 1;
        if !self.next.is_empty() {
            return self.next.remove(0);
        }
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let cursor = query
            .get("start_cursor")
            .map(String::as_str)
            .or_else(|| body["start_cursor"].as_str())
            .map(str::to_owned);
        let size =
            query.get("page_size").and_then(|size| size.parse().ok()).or_else(|| body["page_size"].as_u64());
        let size = usize::try_from(size.unwrap_or(100)).unwrap().min(PAGE);
        match (method, parts.as_slice()) {
            ("GET", ["users", "me"]) => {
                (200, json!({"object": "user", "id": "u-1", "name": "Bot", "type": "bot", "bot": {}}))
            }
            ("POST", ["search"]) => {
                let wanted = body["query"].as_str().unwrap_or_default().to_lowercase();
                let kind = body["filter"]["value"].as_str();
                let found = self.objects.iter().filter(|(_, object)| {
                    let is = object["object"].as_str().unwrap_or_default();
                    let listed = kind.map_or(is == "page" || is == "data_source", |kind| kind == is);
                    listed && object.to_string().to_lowercase().contains(&wanted)
                });
                let ids: Vec<String> = found.map(|(id, _)| id.clone()).collect();
                (200, self.list(&ids, cursor.as_deref(), size))
            }
            ("POST", ["pages"]) => self.create_page(body),
            ("POST", ["pages", id, "move"]) => {
                let parent = json!({"parent": body["parent"]});
                self.change(id, &parent)
            }
            ("PATCH", ["pages" | "databases" | "data_sources", id]) => self.change(id, body),
            ("PATCH", ["blocks", id]) => {
                let kind = self
                    .objects
                    .get(*id)
                    .and_then(|block| block["type"].as_str())
                    .unwrap_or_default()
                    .to_owned();
                if body.get("in_trash").is_some() {
                    return self.change(id, body);
                }
                let Some(object) = self.objects.get_mut(*id) else { return missing(id) };
                for (name, value) in body[kind.as_str()].as_object().into_iter().flatten() {
                    object[kind.as_str()][name.as_str()] = value.clone();
                }
                (200, object.clone())
            }
            ("DELETE", ["blocks", id]) => self.change(id, &json!({"in_trash": true})),
            ("GET", ["blocks", id, "children"]) => {
                let ids = self.children.get(*id).cloned().unwrap_or_default();
                let there = |id: &String| self.objects.get(id).is_some_and(|block| block["in_trash"] != true);
                let ids: Vec<String> = ids.into_iter().filter(there).collect();
                (200, self.list(&ids, cursor.as_deref(), size))
            }
            ("PATCH", ["blocks", id, "children"]) => self.append(id, body),
            ("POST", ["databases"]) => {
                let (source, id) = (self.id(), self.id());
                let columns = &body["initial_data_source"]["properties"];
                let source_object = json!({"object": "data_source", "id": source, "title": body["title"], "properties": columns,
                    "parent": {"type": "database_id", "database_id": id}});
                self.objects.insert(source.clone(), source_object);
                let database = json!({"object": "database", "id": id, "title": body["title"], "parent": body["parent"],
                    "data_sources": [{"id": source, "name": "Rows"}]});
                self.objects.insert(id, database.clone());
                (200, database)
            }
            ("POST", ["data_sources", id, "query"]) => {
                let rows = self.objects.iter().filter(|(_, row)| {
                    let wanted = &body["filter"]["select"]["equals"];
                    let name = body["filter"]["property"].as_str().unwrap_or_default();
                    row["parent"]["data_source_id"] == *id
                        && row["in_trash"] != true
                        && (wanted.is_null() || row["properties"][name]["select"]["name"] == *wanted)
                });
                let ids: Vec<String> = rows.map(|(id, _)| id.clone()).collect();
                (200, self.list(&ids, cursor.as_deref(), size.min(2)))
            }
            ("POST", ["comments"]) => {
                let (id, discussion) = (self.id(), self.id());
                let comment = json!({"object": "comment", "id": id, "rich_text": body["rich_text"],
                    "discussion_id": body["discussion_id"].as_str().unwrap_or(&discussion), "parent": body["parent"]});
                self.objects.insert(id, comment.clone());
                (200, comment)
            }
            ("GET", ["comments"]) => {
                let ids: Vec<String> = self
                    .objects
                    .iter()
                    .filter(|(_, object)| object["object"] == "comment")
                    .map(|(id, _)| id.clone())
                    .collect();
                (200, self.list(&ids, cursor.as_deref(), size))
            }
            ("POST", ["file_uploads"]) => {
                let id = self.id();
                let mut upload = body.clone();
                upload["id"] = json!(id);
                upload["status"] = json!("pending");
                self.objects.insert(id, upload.clone());
                (200, upload)
            }
            ("POST", ["file_uploads", id, "send" | "complete"]) => {
                let done = parts.last() == Some(&"complete") || self.objects[*id]["mode"] == "single_part";
                let status = if done { "uploaded" } else { "pending" };
                self.change(id, &json!({"status": status}))
            }
            ("GET", [_, id]) => match self.objects.get(*id) {
                Some(object) => (200, object.clone()),
                None => missing(id),
            },
            _ => refusal(400, "invalid_request_url", "Invalid request URL."),
        }
    }

    fn create_page(&mut self, body: &Value) -> Answer {
        let children = body["children"].as_array().cloned().unwrap_or_default();
        let id = self.page(&body["parent"], body["properties"].clone());
        let blocks = match self.blocks(&id, &children, 0) {
            Ok(blocks) => blocks,
            Err(refusal) => return refusal,
        };
        self.children.insert(id.clone(), blocks);
        if let Some(parent) = body["parent"]["page_id"].as_str() {
            let title = self.objects[&id]["properties"]["title"]["title"][0]["text"]["content"].clone();
            let block = json!({"object": "block", "id": format!("b-{id}"), "type": "child_page", "has_children": true,
                "child_page": {"title": title}});
            self.objects.insert(format!("b-{id}"), block);
            self.children.entry(parent.to_owned()).or_default().push(format!("b-{id}"));
        }
        (200, self.objects[&id].clone())
    }

    fn append(&mut self, parent: &str, body: &Value) -> Answer {
        if !self.objects.contains_key(parent) {
            return missing(parent);
        }
        let children = body["children"].as_array().cloned().unwrap_or_default();
        let ids = match self.blocks(parent, &children, 0) {
            Ok(ids) => ids,
            Err(refusal) => return refusal,
        };
        if let Some(object) = self.objects.get_mut(parent) {
            object["has_children"] = json!(true);
        }
        let there = self.children.entry(parent.to_owned()).or_default();
        let at = match body["position"]["type"].as_str() {
            Some("start") => 0,
            Some("after_block") => there
                .iter()
                .position(|id| *id == body["position"]["after_block"]["id"])
                .map_or(there.len(), |at| at + 1),
            _ => there.len(),
        };
        there.splice(at..at, ids.iter().cloned());
        let made: Vec<&Value> = ids.iter().filter_map(|id| self.objects.get(id)).collect();
        (200, json!({"object": "list", "results": made, "next_cursor": null}))
    }
}

/// Sets properties; each gets the type that its value has.
fn set(page: &mut Value, properties: &Value) {
    for (name, value) in properties.as_object().into_iter().flatten() {
        let mut value = value.clone();
        let kind = value.as_object().and_then(|map| map.keys().next().cloned()).unwrap_or_default();
        value["type"] = json!(kind);
        page["properties"][name.as_str()] = value;
    }
}

#[async_trait]
impl Transport for Workspace {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        };
        let is_form =
            parts.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
        let json = if is_form || body.is_empty() {
            Value::Object(Map::new())
        } else {
            serde_json::from_slice(&body).unwrap()
        };
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<String, String> = pairs.into_owned().collect();
        let (status, answer) = {
            let mut state = self.state();
            if is_form {
                state.part = body.len();
            }
            state.answer(parts.method.as_str(), parts.uri.path(), &query, &json)
        };
        let text = Bytes::from(serde_json::to_vec(&answer).unwrap());
        let mut response = Response::new(Box::pin(futures_util::stream::iter([Ok(text)])) as ByteStream);
        *response.status_mut() = status.try_into().unwrap();
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        Ok(response)
    }
}
