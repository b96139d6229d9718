//! Google Drive: promises, a day's work, repetitions.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tool_connect_connectors::google_drive::{GoogleDrive, ListFiles};
use tool_connect_core::ErrorKind;

use super::{Asked, Told, assert_well_made, call, stored, with};

#[test]
fn the_connector_is_well_made() {
    assert_well_made(&GoogleDrive::new(), include_str!("../../../../docs/connectors/google_drive.md"));
}

const CHUNK: usize = 8 * 1024 * 1024;
const SESSION: &str = "https://www.googleapis.com/upload/drive/v3/files?uploadType=resumable&upload_id=u1";

/// A drive with its files, and an upload on its way.
#[derive(Default)]
struct Drive {
    files: Vec<Value>,
    permissions: Vec<Value>,
    coming: Value,
    arrived: Vec<u8>,
    size: usize,
    puts: usize,
}

impl Drive {
    fn add(&mut self, mut file: Value) -> Value {
        file["id"] = json!(format!("f{}", self.files.len() + 1));
        self.files.push(file.clone());
        file
    }

    fn find(&mut self, id: &str) -> &mut Value {
        self.files.iter_mut().find(|file| file["id"] == id).unwrap()
    }

    /// A piece of an upload, or the question how far it is.
    fn put(&mut self, asked: &Asked) -> Told {
        self.puts += 1;
        let range = asked.header("content-range").unwrap().strip_prefix("bytes ").unwrap();
        let (span, size) = range.split_once('/').unwrap();
        assert_eq!(size.parse::<usize>().unwrap(), self.size);
        if span != "*" {
            let (first, last) = span.split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(
                (first, last + 1 - first),
                (self.arrived.len(), asked.body.len()),
                "what is missing is sent"
            );
            if self.puts == 2 {
                // Half of the second piece arrives before the connection breaks.
                self.arrived.extend_from_slice(&asked.body[..CHUNK / 2]);
                return Told::Broken;
            }
            self.arrived.extend_from_slice(&asked.body);
        }
        if self.arrived.len() == self.size {
            let file = self.coming.clone();
            return Told::json(self.add(file));
        }
        Told::empty(308).header("range", format!("bytes=0-{}", self.arrived.len() - 1))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let line = asked.line();
        let steps: Vec<&str> = line.split('/').collect();
        let body = asked.json();
        match &*steps {
            ["GET ", "drive", "v3", "about"] => {
                Told::json(json!({"user": {"emailAddress": "ada@example.com"}}))
            }
            ["POST ", "drive", "v3", "files"] => Told::json(self.add(body)),
            ["POST ", "upload", "drive", "v3", "files"] => {
                assert_eq!(asked.query("uploadType").as_deref(), Some("resumable"));
                assert_eq!(asked.header("x-upload-content-type"), Some("video/mp4"));
                self.size = asked.header("x-upload-content-length").unwrap().parse().unwrap();
                self.coming = body;
                Told::empty(200).header("location", SESSION)
            }
            ["PUT ", "upload", "drive", "v3", "files"] => {
                assert_eq!(asked.url.as_str(), SESSION);
                self.put(asked)
            }
            ["GET ", "drive", "v3", "files"] => {
                let query = asked.query("q").unwrap();
                let (_, name) = query.split_once("name contains '").unwrap();
                let name = name.split_once('\'').unwrap().0;
                let found: Vec<&Value> =
                    self.files.iter().filter(|file| file["name"].as_str().unwrap().contains(name)).collect();
                Told::json(json!({"files": found}))
            }
            ["GET ", "drive", "v3", "files", id] if asked.query("alt").is_some() => {
                assert_eq!(self.find(id)["name"], "film.mp4");
                // The service says what it likes of the content's type.
                Told::Answer(200, vec![("content-type", "text/html".to_owned())], self.arrived.clone())
            }
            ["GET ", "drive", "v3", "files", "root"] => Told::json(json!({"id": "root0"})),
            ["GET ", "drive", "v3", "files", id] => Told::json(self.find(id).clone()),
            ["GET ", "drive", "v3", "files", _, "export"] => {
                assert_eq!(asked.query("mimeType").as_deref(), Some("text/markdown"));
                Told::Answer(200, vec![("content-type", "text/markdown".to_owned())], b"# Plan".to_vec())
            }
            ["PATCH ", "drive", "v3", "files", id] => {
                let to = asked.query("addParents");
                let file = self.find(id);
                for (name, value) in body.as_object().unwrap() {
                    file[name] = value.clone();
                }
                if let Some(to) = to {
                    file["parents"] = json!([to]);
                }
                Told::json(file.clone())
            }
            ["POST ", "drive", "v3", "files", _, "permissions"] => {
                let mut permission = body;
                permission["id"] = json!("p1");
                self.permissions.push(permission.clone());
                Told::json(permission)
            }
            ["GET ", "drive", "v3", "files", _, "permissions"] => {
                Told::json(json!({"permissions": self.permissions}))
            }
            _ => panic!("{line}"),
        }
    }
}

#[tokio::test]
async fn a_day_of_files() {
    let drive = Arc::new(Mutex::new(Drive::default()));
    drive.lock().unwrap().add(
        json!({"name": "Plan", "mimeType": "application/vnd.google-apps.document", "parents": ["root"]}),
    );
    let service = Arc::clone(&drive);
    let harness =
        with(GoogleDrive::new(), move |asked| service.lock().unwrap().answer(asked)).build().await.unwrap();
    let day = |tool: &'static str, arguments: Value| call(&harness, tool, arguments, None);

    // The account is the one that was meant.
    let health = harness.session().check("google_drive").await.unwrap();
    assert!(String::from_utf8_lossy(&health.account).contains("ada@example.com"));

    // A folder, and a film in it: three pieces, of which the second breaks off half-way.
    let folder = day("create_folder", json!({"name": "Films"})).await.unwrap();
    assert_eq!(folder["mime_type"], "application/vnd.google-apps.folder");
    let film: Vec<u8> = (0..CHUNK * 5 / 2).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let handle = stored(&harness, "film.mp4", "video/mp4", film.clone()).await;
    let file =
        day("upload_file", json!({"file": {"handle": handle}, "parent_id": folder["id"]})).await.unwrap();
    assert_eq!((&file["name"], &file["parents"]), (&json!("film.mp4"), &json!([folder["id"]])));
    assert!(drive.lock().unwrap().arrived == film, "what arrived is what was sent");
    let ranges: Vec<String> = harness
        .requests()
        .iter()
        .filter_map(|sent| sent.header("content-range").map(str::to_owned))
        .collect();
    assert_eq!(
        ranges,
        [
            "bytes 0-8388607/20971520",
            "bytes 8388608-16777215/20971520",
            "bytes */20971520",
            "bytes 12582912-20971519/20971520",
        ]
    );

    // Share it, and find it again.
    let shared = json!({"file_id": file["id"], "role": "commenter", "with": "user", "email": "bob@example.com", "notify": true});
    assert_eq!(day("share_file", shared).await.unwrap()["role"], "commenter");
    assert_eq!(
        day("list_permissions", json!({"file_id": file["id"]})).await.unwrap()["items"][0]["id"],
        "p1"
    );
    let found = day("list_files", json!({"name_contains": "film"})).await.unwrap();
    assert_eq!(found["items"][0]["id"], file["id"]);

    // A document has no content of its own, a film has; each tool names the other.
    let plan = day("list_files", json!({"name_contains": "Plan"})).await.unwrap()["items"][0].clone();
    let wrong = day("download_file", json!({"file_id": plan["id"]})).await.unwrap_err();
    assert!(wrong.problems()[0].message.contains("export_file"), "{wrong}");
    let text = day("export_file", json!({"file_id": plan["id"], "format": "md"})).await.unwrap();
    assert_eq!((&text["name"], &text["size"]), (&json!("Plan.md"), &json!(6)));
    drive.lock().unwrap().find(file["id"].as_str().unwrap())["mimeType"] = json!("video/mp4");
    let wrong = day("export_file", json!({"file_id": file["id"], "format": "pdf"})).await.unwrap_err();
    assert!(wrong.problems()[0].message.contains("download_file"), "{wrong}");
    let got = day("download_file", json!({"file_id": file["id"]})).await.unwrap();
    assert_eq!((&got["name"], &got["size"]), (&json!("film.mp4"), &json!(film.len())));
    assert_eq!(got["media_type"], "video/mp4");

    // Put it elsewhere, and away.
    let moved = day("move_file", json!({"file_id": file["id"], "to_folder_id": "root"})).await.unwrap();
    assert_eq!(moved["parents"], json!(["root0"]));
    // Where it is already, it stays.
    day("move_file", json!({"file_id": file["id"], "to_folder_id": "root"})).await.unwrap();
    let last = harness.requests().pop().unwrap();
    assert_eq!((last.query("addParents").as_deref(), last.query("removeParents")), (Some("root0"), None));
    let gone = day("trash_file", json!({"file_id": file["id"]})).await.unwrap();
    assert_eq!(gone["trashed"], true);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_with_a_key_is_made_once() {
    let made = Arc::new(Mutex::new(Vec::<String>::new()));
    let service = Arc::clone(&made);
    let harness = with(GoogleDrive::new(), move |asked: &Asked| {
        let mut made = service.lock().unwrap();
        match asked.line().as_str() {
            "GET /drive/v3/files/generateIds" => Told::json(json!({"ids": ["new1"]})),
            "GET /drive/v3/files/new1" => Told::json(json!({"id": "new1", "name": "Films"})),
            "POST /drive/v3/files" | "POST /upload/drive/v3/files" if made.is_empty() => {
                assert!(String::from_utf8_lossy(&asked.body).contains("\"id\":\"new1\""));
                made.push("new1".to_owned());
                Told::Broken
            }
            "POST /drive/v3/files" | "POST /upload/drive/v3/files" => {
                Told::error(409, "fileIdInUse", "A file already exists with the provided ID.")
            }
            other => panic!("{other}"),
        }
    })
    .build()
    .await
    .unwrap();
    let folder = call(&harness, "create_folder", json!({"name": "Films"}), Some("k1")).await.unwrap();
    assert_eq!(folder["id"], "new1");
    assert_eq!(harness.requests().len(), 4);
    made.lock().unwrap().clear();
    let file = json!({"file": {"base64": "YWJj", "name": "a.txt"}});
    assert_eq!(call(&harness, "upload_file", file.clone(), Some("k2")).await.unwrap()["id"], "new1");

    // Without a key nobody could tell, so it is sent once.
    let harness = with(GoogleDrive::new(), |_: &Asked| Told::Broken).build().await.unwrap();
    call(&harness, "upload_file", file, None).await.unwrap_err();
    call(&harness, "create_folder", json!({"name": "Films"}), None).await.unwrap_err();
    assert_eq!(harness.requests().len(), 2);
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let service = |asked: &Asked| match asked.query("pageToken").as_deref() {
        None => {
            Told::json(json!({"files": [{"id": "f1", "name": "a", "size": "12"}], "nextPageToken": "two"}))
        }
        Some("two") => Told::json(json!({"files": [{"id": "f2", "kind": "drive#file", "new": {"x": 1}}]})),
        other => panic!("{other:?}"),
    };
    let harness = with(GoogleDrive::new(), service).build().await.unwrap();
    let walk = tool_connect_core::items(ListFiles::default(), |page| harness.run(page));
    let files: Vec<_> = walk.map(Result::unwrap).collect().await;
    assert_eq!((files[0].size, files[1].id.as_str(), files.len()), (Some(12), "f2", 2));
    let changes = |asked: &Asked| match asked.query("pageToken").as_deref() {
        Some("7") => {
            Told::json(json!({"changes": [{"fileId": "f1", "removed": true}], "newStartPageToken": "9"}))
        }
        other => panic!("{other:?}"),
    };
    let harness = with(GoogleDrive::new(), changes).build().await.unwrap();
    let page = call(&harness, "list_changes", json!({"cursor": "7"}), None).await.unwrap();
    assert_eq!(page, json!({"items": [{"file_id": "f1", "removed": true}], "later_cursor": "9"}));
}

#[tokio::test]
async fn what_drive_would_misread_is_refused_here() {
    let harness = with(GoogleDrive::new(), |asked: &Asked| panic!("{}", asked.line())).build().await.unwrap();
    for (tool, arguments, pointer) in [
        ("share_file", json!({"file_id": "f1", "role": "reader", "with": "user"}), "/email"),
        (
            "share_file",
            json!({"file_id": "f1", "role": "reader", "with": "anyone", "email": "a@b.c"}),
            "/email",
        ),
        ("share_file", json!({"file_id": "f1", "role": "reader", "with": "domain"}), "/domain"),
        (
            "share_file",
            json!({"file_id": "f1", "role": "reader", "with": "anyone", "message": "x"}),
            "/message",
        ),
        ("update_file", json!({"file_id": "f1"}), "/name"),
        ("list_files", json!({"full_text": "x", "order_by": "name"}), "/order_by"),
        ("reply_to_comment", json!({"file_id": "f1", "comment_id": "c1"}), "/content"),
        ("upload_file", json!({"file": {"base64": "YWJj"}}), "/name"),
        (
            "upload_file",
            json!({"file": {"base64": "YWJj", "media_type": "a\nb"}, "name": "x"}),
            "/file/media_type",
        ),
        ("upload_file", json!({"file": {"handle": "no such"}, "name": "x"}), "/file/handle"),
        ("get_file", json!({"file_id": ".."}), "/file"),
    ] {
        let error = call(&harness, tool, arguments, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool} {error}");
        assert_eq!(error.problems()[0].pointer, pointer, "{tool}");
    }
}
