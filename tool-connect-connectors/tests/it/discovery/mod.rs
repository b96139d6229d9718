//! Google discovery documents: small ones for what matters, and all of them against Google's own client.

mod counterparty;

use std::sync::{Arc, Mutex};

use futures_util::stream;
use http::Method;
use serde_json::{Value, json};
use tool_connect_connectors::discovery::Discovery;
use tool_connect_connectors::operation::{Encoding, Operation, PageValue};
use tool_connect_core::http::{OutboundRequest, RequestBody};
use tool_connect_core::{
    Annotations, AuthScheme, Connector as _, ErrorKind, RegisteredTool, ToolSet, schema,
};

use crate::bench::Bench;
use crate::operation::answer;

/// A document with these methods of one resource, and what else it has.
fn document(methods: Value, more: Value) -> Vec<u8> {
    let mut document = json!({
        "kind": "discovery#restDescription", "protocol": "rest", "name": "shelf", "version": "v1",
        "title": "Shelf API", "description": "Keeps files on shelves.",
        "rootUrl": "https://shelf.googleapis.com/", "servicePath": "shelf/v1/",
        "auth": {"oauth2": {"scopes": {}}},
        "parameters": {"fields": {"type": "string", "location": "query"}, "key": {"type": "string", "location": "query"}},
        "resources": {"files": {"methods": methods}}
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document.to_string().into_bytes()
}

fn tools(discovery: &Discovery) -> Vec<RegisteredTool> {
    let mut set = ToolSet::default();
    discovery.tools(&mut set);
    set.into_tools()
}

fn list_and_create() -> Vec<u8> {
    document(
        json!({
            "list": {"id": "shelf.files.list", "path": "files", "httpMethod": "GET", "description": "Lists files.",
                "parameters": {
                    "pageToken": {"type": "string", "location": "query"},
                    "pageSize": {"type": "integer", "format": "int32", "location": "query", "minimum": "1", "maximum": "1000", "default": "100"},
                    "corpora": {"type": "string", "location": "query", "repeated": true, "enum": ["user", "all", "old"],
                        "enumDescriptions": ["Own files.", "", "No more."], "enumDeprecated": [false, false, true]},
                    "gone": {"type": "string", "location": "query", "deprecated": true}
                },
                "response": {"$ref": "FileList"},
                "scopes": ["https://www.googleapis.com/auth/shelf", "https://www.googleapis.com/auth/shelf.readonly"]},
            "create": {"id": "shelf.files.create", "path": "files", "httpMethod": "POST", "description": "Creates a file.",
                "request": {"$ref": "File"}, "response": {"$ref": "File"},
                "scopes": ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/shelf"],
                "mediaUpload": {"accept": ["*/*"], "protocols": {"simple": {"multipart": true, "path": "/upload/shelf/v1/files"},
                    "resumable": {"multipart": true, "path": "/resumable/upload/shelf/v1/files"}}}},
            "get": {"id": "shelf.files.get", "path": "v2/{+name}", "httpMethod": "GET", "supportsMediaDownload": true, "deprecated": true,
                "parameters": {"name": {"type": "string", "location": "path", "required": true, "pattern": "^files/[^/]+$"}}}
        }),
        json!({"schemas": {
            "FileList": {"id": "FileList", "type": "object", "properties": {"nextPageToken": {"type": "string"}, "files": {"type": "array", "items": {"$ref": "File"}}}},
            "File": {"id": "File", "type": "object", "properties": {
                "id": {"type": "string", "readOnly": true}, "name": {"type": "string", "description": "Its name."},
                "size": {"type": "string", "format": "int64"}, "parent": {"$ref": "File"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "anything": {"type": "any"}
            }}
        }}),
    )
}

fn operation(discovery: &Discovery, tool: &str) -> Operation {
    discovery.operation(tool).unwrap()
}

/// A document whose one body is this schema.
fn with_body(name: &str, schemas: Value) -> Vec<u8> {
    let create = json!({"id": "shelf.files.create", "path": "files", "httpMethod": "POST", "description": "Creates a file.",
        "request": {"$ref": name}});
    document(json!({ "create": create }), json!({ "schemas": schemas }))
}

#[test]
fn schemas_that_lead_ever_deeper_or_wider_end() {
    // Arrays and references count as no level of properties.
    let deep: serde_json::Map<String, Value> = (0..20_000)
        .map(|at| (format!("A{at}"), json!({"type": "array", "items": {"$ref": format!("A{}", at + 1)}})))
        .chain([("A20000".to_owned(), json!({"type": "string"}))])
        .collect();
    let discovery = Discovery::open(&with_body("A0", deep.into())).unwrap();
    assert_eq!(discovery.check().failed().count(), 0, "{}", discovery.check());
    // 30 to the power of 6 parts.
    let others: serde_json::Map<String, Value> =
        (0..30).map(|at| (format!("p{at}"), json!({ "$ref": format!("W{at}") }))).collect();
    let wide: serde_json::Map<String, Value> =
        (0..30).map(|at| (format!("W{at}"), json!({"type": "object", "properties": others}))).collect();
    let discovery = Discovery::open(&with_body("W0", wide.into())).unwrap();
    assert_eq!(discovery.check().failed().count(), 0, "{}", discovery.check());
}

#[test]
fn methods_become_tools_with_what_their_document_says() {
    let discovery = Discovery::open(&list_and_create()).unwrap();
    let report = discovery.check();
    assert_eq!(report.failed().count(), 0, "{report}");
    let tools = tools(&discovery);
    let mut names: Vec<&str> = tools.iter().map(|tool| &*tool.definition().name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["files_create", "files_create_upload", "files_get", "files_get_download", "files_list"]
    );
    let definition =
        |name: &str| tools.iter().find(|tool| tool.definition().name == name).unwrap().definition();

    let list = definition("files_list");
    assert_eq!(
        (list.annotations, &*list.scopes[0]),
        (Annotations::READ, "https://www.googleapis.com/auth/shelf.readonly")
    );
    let input = list.input.schema().unwrap();
    assert_eq!(schema::problems_of_input(&input), Vec::<String>::new());
    let properties = &input.as_value()["properties"];
    let has: Vec<&String> = properties.as_object().unwrap().keys().collect();
    assert_eq!(has, ["corpora", "pageSize", "fields", "page"]);
    assert_eq!(properties["corpora"]["items"]["enum"], json!(["user", "all"]));
    assert_eq!(properties["pageSize"]["maximum"], 1000);
    let pages = operation(&discovery, "files_list").pagination.unwrap();
    assert_eq!(pages.next, PageValue::Cursor("/nextPageToken".to_owned()));
    assert_eq!((pages.parameter.as_deref(), pages.items.as_deref()), (Some("pageToken"), Some("/files")));

    let create = definition("files_create");
    assert!(!create.annotations.read_only && !create.annotations.destructive);
    assert_eq!(create.scopes, ["https://www.googleapis.com/auth/shelf"]);
    let body = create.input.schema().unwrap().as_value()["properties"]["body"].clone();
    assert!(body["properties"].get("id").is_none(), "what only the service writes is no argument");
    assert_eq!(body["properties"]["size"]["pattern"], r"^-?\d+$");
    assert_eq!(body["properties"]["parent"]["type"], "object", "a circle is cut");
    let upload = operation(&discovery, "files_create_upload");
    assert_eq!(upload.path, "/upload/shelf/v1/files?uploadType=multipart");
    assert_eq!(upload.body.unwrap().encoding, Encoding::Resumable("file".to_owned()));

    assert!(definition("files_get").deprecated.is_some());
    let get = operation(&discovery, "files_get");
    assert_eq!((&*get.path, get.parameters[0].allow_reserved), ("/shelf/v1/v2/{name}", true));
    assert_eq!(operation(&discovery, "files_get_download").path, "/shelf/v1/v2/{name}?alt=media");

    let manifest = discovery.manifest();
    assert_eq!(
        (&*manifest.id, manifest.base_url.as_ref().unwrap().as_str()),
        ("shelf", "https://shelf.googleapis.com/")
    );
    assert!(matches!(&manifest.auth[0], AuthScheme::OAuth2(oauth) if oauth.provider == "google"));
}

#[test]
fn a_host_chooses_methods_scopes_and_the_id() {
    let whole = "https://www.googleapis.com/auth/shelf";
    let discovery = Discovery::open(&list_and_create()).unwrap();
    let chosen = discovery.clone().only(["shelf.files.list"]).prefer_scopes([whole]).id("my_shelf").unwrap();
    let tools = tools(&chosen);
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0].definition().scopes, [whole]);
    assert_eq!(chosen.manifest().id, "my_shelf");
    assert!(discovery.clone().only(["shelf.file"]).check().methods.is_empty());
    assert!(discovery.id("My Shelf").is_err());
}

#[test]
fn a_broken_method_costs_itself_alone() {
    let discovery = Discovery::open(&document(
        json!({
            "good": {"id": "shelf.files.good", "path": "good", "httpMethod": "GET"},
            "shape": {"id": "shelf.files.shape", "path": 7},
            "verb": {"id": "shelf.files.verb", "path": "x", "httpMethod": "TRACE"},
            "hole": {"id": "shelf.files.hole", "path": "x/{y}", "httpMethod": "GET"},
            "brace": {"id": "shelf.files.brace", "path": "x/{y", "httpMethod": "GET"},
            "away": {"id": "shelf.files.away", "path": "https://evil.example/", "httpMethod": "GET"},
            "ref": {"id": "shelf.files.ref", "path": "x", "httpMethod": "POST", "request": {"$ref": "None"}},
            "type": {"id": "shelf.files.type", "path": "x", "httpMethod": "GET", "parameters": {"a": {"type": "blob", "location": "query"}}},
            "place": {"id": "shelf.files.place", "path": "x", "httpMethod": "GET", "parameters": {"a": {"type": "string", "location": "moon"}}}
        }),
        json!({}),
    ))
    .unwrap();
    let report = discovery.check();
    assert_eq!((report.imported(), report.methods.len()), (1, 9), "{report}");
    for method in report.failed() {
        assert!(!method.problem.as_deref().unwrap().is_empty(), "{}", method.id);
    }
    assert_eq!(discovery.operation("files_good").unwrap().method, Method::GET);
    assert_eq!(discovery.operation("files_hole").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(discovery.operation("none").unwrap_err().kind(), ErrorKind::NotFound);
    let error = Discovery::open(&document(json!({}), json!({"resources": {"files": 7}}))).unwrap().check();
    assert_eq!(error.broken_resources, ["shelf.files"]);
}

#[test]
fn what_is_no_document_is_told() {
    for (bytes, says) in [
        (b"".to_vec(), "ends too early"),
        (b"<html>".to_vec(), "is not JSON"),
        (b"{}".to_vec(), "does not have the form"),
        (document(json!({}), json!({"protocol": "rpc"})), "another protocol"),
        (document(json!({}), json!({"rootUrl": "file:///etc"})), "rootUrl"),
        ("[".repeat(200_000).into_bytes(), "discovery document"),
        (vec![b' '; 64 * 1024 * 1024 + 1], "at most"),
    ] {
        let error = Discovery::open(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(says), "{says}: {error}");
    }
    // Circles and width stay within a budget.
    let wide: serde_json::Map<String, Value> = (0..400)
        .map(|at| (format!("member{at}"), json!({"$ref": "Wide", "description": "x".repeat(500)})))
        .collect();
    let methods = json!({"put": {"id": "shelf.files.put", "path": "x", "httpMethod": "PUT", "request": {"$ref": "Wide"}}});
    let schemas = json!({"schemas": {"Wide": {"type": "object", "properties": wide}}});
    let discovery = Discovery::open(&document(methods, schemas)).unwrap();
    let report = discovery.check();
    assert!(report.methods[0].problem.is_none() && report.methods[0].notes[0].contains("budget"));
    assert!(
        tools(&discovery)[0].definition().input.schema().unwrap().as_value().to_string().len() < 40 * 1024
    );
}

/// Stores a file of this size for the bench's user, and returns its handle.
async fn stored(bench: &Bench, size: usize) -> String {
    use tool_connect_core::store::{NewResult, ResultStore as _};
    let principal = tool_connect_core::Principal::user("acme", "ada").unwrap();
    let new = NewResult {
        tenant: principal.tenant,
        user: principal.user,
        media_type: "application/octet-stream".to_owned(),
        name: Some("big.bin".to_owned()),
        keep: std::time::Duration::from_secs(60),
        max_bytes: u64::MAX,
    };
    let data = Box::pin(stream::iter([Ok(bytes::Bytes::from(vec![7; size]))]));
    bench.shared.results.put(new, data).await.unwrap().handle.as_str().to_owned()
}

/// Uploads nine mebibytes to a service that begins the upload at this address and takes every piece, and returns the requests.
async fn in_pieces(
    discovery: &Discovery,
    tool: &str,
    body: Value,
    session: &'static str,
) -> (tool_connect_core::Result<Value>, Vec<OutboundRequest>) {
    let bench = Bench::new(discovery);
    bench.shared.base_url.set(discovery.manifest().base_url.clone().unwrap()).unwrap();
    let sent: Arc<Mutex<Vec<OutboundRequest>>> = Arc::default();
    let kept = Arc::clone(&sent);
    bench.answer(move |request| {
        let last = request.headers.get("content-range").map(|range| range.to_str().unwrap().to_owned());
        kept.lock().unwrap().push(request);
        Ok(match last.as_deref() {
            None => answer(200, &[("location", session)], ""),
            Some("bytes 0-8388607/9437184") => answer(308, &[("range", "bytes=0-8388607")], ""),
            Some(_) => answer(200, &[("content-type", "application/json")], r#"{"id": "f1"}"#),
        })
    });
    let handle = stored(&bench, 9 * 1024 * 1024).await;
    let mut arguments = body;
    arguments["file"] = json!({"handle": handle});
    let ended = bench.call(tool, arguments).await;
    drop(bench);
    (ended, Arc::into_inner(sent).unwrap().into_inner().unwrap())
}

#[tokio::test]
async fn a_large_file_goes_in_pieces() {
    let discovery = Discovery::open(&list_and_create()).unwrap();
    let session = "https://shelf.googleapis.com/upload/shelf/v1/files?upload_id=1";
    let body = json!({"body": {"name": "a"}});
    let (ended, sent) = in_pieces(&discovery, "files_create_upload", body.clone(), session).await;
    assert_eq!(ended.unwrap(), json!({"id": "f1"}));
    let urls: Vec<&str> = sent.iter().map(|request| request.url.as_str()).collect();
    let begin = "https://shelf.googleapis.com/upload/shelf/v1/files?uploadType=resumable";
    assert_eq!(urls, [begin, session, session]);
    let of = |at: usize, name: &str| sent[at].headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(of(0, "x-upload-content-length"), "9437184");
    assert_eq!(of(2, "content-range"), "bytes 8388608-9437183/9437184");
    assert!(matches!(&sent[0].body, RequestBody::Bytes(body) if &**body == br#"{"name":"a"}"#));
    assert!(
        sent[1..].iter().all(|request| !request.options.template.as_ref().unwrap().contains("upload_id"))
    );

    let (ended, sent) =
        in_pieces(&discovery, "files_create_upload", body, "https://example.com/upload").await;
    assert_eq!((ended.unwrap_err().kind(), sent.len()), (ErrorKind::Blocked, 1));
}
