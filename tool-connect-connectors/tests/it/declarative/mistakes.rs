//! Mistakes in files: each is told with its place and its mend.

use tool_connect_connectors::declarative::{Declarative, Loader};
use tool_connect_core::ErrorKind;

const GOOD: &str = r#"
id = "svc"
name = "Service"
description = "A service for these tests."
base_url = "https://api.example.com/v1"
#TOP

[tools.get_thing]
description = "Reads a thing by its id."
method = "GET"
path = "/things/{id}"
#TOOL
[tools.get_thing.args.id]
type = "string"
description = "Its id."
#ARG
"#;

fn with(place: &str, text: &str) -> String {
    GOOD.replace(place, text)
}

#[test]
fn every_mistake_is_told_with_its_place_and_its_mend() {
    Declarative::from_toml(GOOD).unwrap();
    let mut unlike = Vec::new();
    for (text, place, mend) in [
        (with("id = \"svc\"", "id = \"Svc\""), "`id`", "lowercase"),
        (with("#TOP", "base_ulr = 1"), "line 6 (`base_ulr = 1`)", "expected one of"),
        (with("#TOP", "x = @"), "line 6", ""),
        (with("#TOP", "version = \"one\""), "`version`", "1.0.0"),
        (with("#TOP", "auth = { type = \"bearer\", token = \"s3cret\" }"), "line 6", "token"),
        (with("#TOP", "auth = { type = \"api_key_header\", header = \"a b\" }"), "`auth.header`", "header"),
        (with("#TOP", "auth = []"), "`auth`", "none"),
        (with("#TOP", "limits = { request = 1 }"), "line 6", "requests"),
        (with("#TOP", "headers = { host = \"x\" }"), "`headers.host`", "leave it out"),
        (with("#TOP", "headers = { x-a = \"a\\nb\" }"), "`headers.x-a`", "character"),
        (with("#TOP", "errors = [{ kind = \"conflict\" }]"), "`errors[0]`", "`status`"),
        (with("#TOP", "errors = [{ kind = \"denied\", status = 1 }]"), "line 6", "denied"),
        (with("#TOP", "errors = [{ kind = \"conflict\", status = 7 }]"), "`errors[0].status`", "status"),
        (with("#TOP", "errors = [{ kind = \"conflict\", equals = 1 }]"), "`errors[0]`", "no `pointer`"),
        (
            with("#TOP", "errors = [{ kind = \"conflict\", missing = \"x\" }]"),
            "`errors[0].missing`",
            "pointer",
        ),
        (
            with("#TOP", "errors = [{ kind = \"conflict\", status = 409, tell = [\"x\"] }]"),
            "`errors[0].tell`",
            "pointer",
        ),
        (
            with("#TOP", "errors = [{ kind = \"conflict\", status = 409, wait = \"1s\" }]"),
            "`errors[0].wait`",
            "`rate_limited`",
        ),
        (with("#TOP", "query = { a = \"{b}\" }"), "`query.a`", "`config`"),
        (
            with("#TOP", "auth = { type = \"api_key_query\", parameter = \"k\" }\nquery = { k = \"v\" }"),
            "`query.k`",
            "credential",
        ),
        (with("#TOOL", "idempotency_header = \"a b\""), "`tools.get_thing.idempotency_header`", "header"),
        (
            with("#TOOL", "pagination = { next = \"link\", parameter = \"p\", in = \"query\" }"),
            "`tools.get_thing.pagination.in`",
            "leave it out",
        ),
        (
            with("#TOOL", "pagination = { next = \"link\", parameter = \"p\", in = \"body\" }"),
            "`tools.get_thing.pagination.in`",
            "JSON",
        ),
        (
            with("\"GET\"", "\"POST\"").replace("#ARG", "[tools.get_thing.args.more]\ntype = \"string\"\ndescription = \"More.\"\nat = \"/0/a\""),
            "`tools.get_thing.args.more.at`",
            "member of the body",
        ),
        (
            with("\"GET\"", "\"POST\"").replace(
                "#ARG",
                "[tools.get_thing.args.a]\ntype = \"string\"\ndescription = \"A.\"\nat = \"/b\"\n[tools.get_thing.args.b]\ntype = \"string\"\ndescription = \"B.\"",
            ),
            "`tools.get_thing.args.b`",
            "another argument",
        ),
        (with("#ARG", "at = \"/a\""), "`tools.get_thing.args.id`", "only a body has"),
        (with("#TOP", "config.shop = { description = \"Shop.\" }"), "`config.shop`", "{shop}"),
        (with("https://api.example.com/v1", "https://{shop}.example.com"), "`base_url`", "`config`"),
        (with("https://api.example.com/v1", "api.example.com"), "`base_url`", "URL"),
        (with("https://api.example.com/v1", "https://u:p@api.example.com"), "`base_url`", "without user"),
        (with("https://api.example.com/v1", "file:///etc/passwd"), "`base_url`", "http or https"),
        (with("tools.get_thing", "tools.GetThing"), "`tools.GetThing`", "lowercase"),
        (with("\"GET\"", "\"get\""), "`tools.get_thing.method`", "GET"),
        (with("\"/things/{id}\"", "\"https://evil.example/{id}\""), "`tools.get_thing.path`", "`base_url`"),
        (with("\"/things/{id}\"", "\"/../{id}\""), "`tools.get_thing.path`", "`..`"),
        (with("\"/things/{id}\"", "\"/{id}/{other}\""), "`tools.get_thing.path`", "add `args.other`"),
        (with("\"/things/{id}\"", "\"/{id\""), "`tools.get_thing.path`", "brace"),
        (with("#TOOL", "cache = \"soon\""), "line 12", "duration"),
        (with("#TOOL", "cost = 0"), "`tools.get_thing.cost`", "at least 1"),
        (with("#TOOL", "read_only = false"), "`tools.get_thing.read_only`", "another method"),
        (with("#TOOL", "aliases = [\"get_thing\"]"), "`tools.get_thing`", "another tool"),
        (
            with("#TOOL", "pagination = { next = \"cursor\" }"),
            "`tools.get_thing.pagination.pointer`",
            "missing",
        ),
        (
            with("#TOOL", "pagination = { next = \"offset\" }"),
            "`tools.get_thing.pagination.parameter`",
            "missing",
        ),
        (
            with("#TOOL", "pagination = { next = \"link\", first = 1 }"),
            "`tools.get_thing.pagination.first`",
            "leave it out",
        ),
        (with("#TOOL", "result = { pointer = \"data\" }"), "`tools.get_thing.result.pointer`", "/data"),
        (with("#TOOL", "result = { schema = \"{\" }"), "`tools.get_thing.result.schema`", "JSON"),
        (with("#TOOL", "result = { accept = [\"json\"] }"), "`tools.get_thing.result.accept`", "media type"),
        (with("#ARG", "requird = true"), "line 16", "required"),
        (with("#ARG", "in = \"query\""), "`tools.get_thing.args.id`", "leave `in` out"),
        (with("#ARG", "style = \"form\""), "`tools.get_thing.args.id.style`", "go there"),
        (with("#ARG", "pattern = \"(\""), "`tools.get_thing.args.id.pattern`", "regular expression"),
        (with("#ARG", "min = -1"), "`tools.get_thing.args.id.min`", "length"),
        (with("#ARG", "schema = \"{}\""), "`tools.get_thing.args.id`", "one of them"),
        (with("#ARG", "items = { type = \"string\" }"), "`tools.get_thing.args.id.items`", "arrays"),
        (with("#ARG", "value = \"x\""), "`tools.get_thing.args.id`", "leave one of them out"),
        (with("description = \"Its id.\"", ""), "`tools.get_thing.args.id.description`", "model"),
        (with("type = \"string\"", "type = \"array\""), "`tools.get_thing.args.id.items`", "items ="),
        (with("type = \"string\"", "type = \"text\""), "line 14", "string"),
    ] {
        let error = Declarative::from_toml(&text).expect_err(&text);
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        if !error.message().contains(place) || !error.message().contains(mend) {
            unlike.push(format!("{place}, {mend}: {error}"));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[test]
fn values_of_the_base_url_stay_where_they_stand() {
    let text = with("https://api.example.com/v1", "https://{shop}.example.com/v1")
        .replace("#TOP", "config.shop = { description = \"The shop's name.\", pattern = \"[a-z.-]+\" }");
    let load = |value: &str| Loader::new().config("shop", value).from_toml(&text);
    assert_eq!(load("acme").unwrap().base_url().as_str(), "https://acme.example.com/v1");
    for bad in [
        "",
        "evil.example/",
        "evil.example#",
        "a@b",
        "a:80",
        "..",
        ".a",
        "a..b",
        "a b",
        "ü",
        "ACME",
        "a%2f",
        "a\\b",
    ] {
        let error = load(bad).unwrap_err();
        assert!(error.message().contains("`config.shop`"), "{bad}: {error}");
        assert!(bad.is_empty() || !error.message().contains(&format!("`{bad}`")), "{error}");
    }
    assert!(Declarative::from_toml(&text).unwrap_err().message().contains("The shop's name."));
    assert!(Loader::new().config("site", "a").from_toml(GOOD).unwrap_err().message().contains("`site`"));
}

#[test]
fn sizes_are_bounded() {
    let long = format!("{GOOD}# {}", "x".repeat(300 * 1024));
    assert!(Declarative::from_toml(&long).unwrap_err().message().contains("bytes"));
    let many: String = (0..501)
        .map(|at| {
            format!(
                "[tools.t{at}]\ndescription = \"Reads nothing at all.\"\nmethod = \"GET\"\npath = \"/\"\n"
            )
        })
        .collect();
    assert!(Declarative::from_toml(&format!("{GOOD}{many}")).unwrap_err().message().contains("500"));
    let args: String = (0..101)
        .map(|at| format!("[tools.get_thing.args.a{at}]\ntype = \"string\"\ndescription = \"x\"\n"))
        .collect();
    assert!(Declarative::from_toml(&format!("{GOOD}{args}")).unwrap_err().message().contains("100"));
    let deep = format!(
        "items = {}{{ type = \"string\" }}{}",
        "{ type = \"array\", items = ".repeat(10),
        " }".repeat(10)
    );
    let deep = with("#ARG", &deep).replace("type = \"string\"\ndescription", "type = \"array\"\ndescription");
    assert!(Declarative::from_toml(&deep).unwrap_err().message().contains("nested deeper"));
}

#[test]
fn a_file_on_the_disk_is_named_in_its_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("svc.toml");
    assert!(Declarative::from_path(&path).unwrap_err().message().contains("svc.toml cannot be read"));
    std::fs::write(&path, "id = 1").unwrap();
    assert!(Declarative::from_path(&path).unwrap_err().message().contains("svc.toml: line 1"));
    std::fs::write(&path, GOOD).unwrap();
    Declarative::from_path(&path).unwrap();
}
