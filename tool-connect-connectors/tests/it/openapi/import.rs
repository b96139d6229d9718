//! What a description becomes.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;
use tool_connect_connectors::openapi::OpenApi;
use tool_connect_core::{AuthScheme, Connector, ErrorKind, OAuthGrant};
use tool_connect_testkit::lint;

use super::{schema, tools};
use crate::bench::Bench;

const DEPOT: &str = r##"
openapi: 3.0.3
info: {title: Depot, version: 2.1.0, description: "Keeps parcels until somebody fetches them."}
servers:
  - url: https://{region}.depot.example/{base}
    variables:
      region: {default: eu, enum: [eu, us]}
      base: {default: v2}
security: [{oauth: [parcels:read]}]
paths:
  /parcels:
    parameters: [{$ref: "#/components/parameters/Trace"}]
    get:
      operationId: parcels/list
      tags: [parcels]
      summary: Lists parcels
      description: Lists parcels, newest first. Each has a label.
      parameters:
        - {name: status, in: query, schema: {type: array, items: {type: string, enum: [here, gone]}}, style: form, explode: false}
        - {name: cursor, in: query, schema: {type: string}}
        - {name: api_key, in: query, schema: {type: string}}
        - {name: version, in: query, required: true, schema: {type: string, enum: [v2]}}
        - {name: Authorization, in: header, schema: {type: string}}
      responses:
        "200":
          description: A page.
          content:
            application/json:
              schema:
                type: object
                properties:
                  parcels: {type: array, items: {$ref: "#/components/schemas/Parcel"}}
                  meta: {type: object, properties: {next_cursor: {type: string}}}
    post:
      operationId: parcels/create
      tags: [parcels]
      summary: Takes a parcel in
      security: [{oauth: [parcels:write]}]
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Parcel"}}}
      responses: {"201": {description: Taken in.}}
  /parcels/{id}:
    delete:
      operationId: parcels/delete
      summary: Gives a parcel back
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {"204": {description: Gone.}}
    put:
      summary: Replaces a parcel's label
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: id, in: query, schema: {type: string}}
      requestBody:
        required: true
        content: {multipart/form-data: {schema: {type: object, required: [id, picture], properties: {id: {type: string}, picture: {type: string, format: binary}}}}}
      responses: {"200": {description: Done.}}
  /old:
    get: {operationId: old, deprecated: true, responses: {}}
  /secret:
    get: {operationId: secret, x-internal: true, responses: {}}
components:
  parameters:
    Trace: {name: X-Trace, in: header, description: A trace., schema: {type: string}}
  schemas:
    Parcel:
      type: object
      required: [label, id]
      properties:
        id: {type: integer, readOnly: true}
        label: {type: string, description: What is written on it.}
        inside: {$ref: "#/components/schemas/Parcel"}
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
    oauth:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://depot.example/authorize
          tokenUrl: https://depot.example/token
          scopes: {"parcels:read": Read., "parcels:write": Write.}
"##;

#[test]
fn names_words_and_effects_are_those_of_the_description() {
    let api = OpenApi::open(DEPOT).unwrap();
    assert_eq!(
        (api.title().as_str(), api.version().as_str(), api.operations().count()),
        ("Depot", "2.1.0", 6)
    );
    let depot = api.connector("depot").oauth_provider("depot").build().unwrap();
    let manifest = depot.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.to_string().as_str()), ("Depot", "2.1.0"));
    assert_eq!(manifest.auth, [AuthScheme::oauth2("depot", Vec::<String>::new())]);
    assert_eq!(manifest.base_url.as_ref().unwrap().as_str(), "https://eu.depot.example/v2");
    let found: BTreeMap<String, _> =
        tools(&depot).iter().map(|t| (t.definition().name.to_string(), t.definition().clone())).collect();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    // What is deprecated or internal is not there.
    assert_eq!(names, ["parcels_create", "parcels_delete", "parcels_list", "put_parcels_by_id"]);
    let list = &found["parcels_list"];
    assert_eq!(list.description, "Lists parcels, newest first. Each has a label.");
    assert!(list.annotations.read_only);
    assert_eq!(list.scopes, ["parcels:read"]);
    let create = &found["parcels_create"];
    assert_eq!(create.scopes, ["parcels:write"]);
    assert!(
        !create.annotations.read_only && !create.annotations.destructive && !create.annotations.idempotent
    );
    let delete = found["parcels_delete"].annotations;
    assert!(delete.destructive && delete.idempotent && !delete.read_only);
}

#[test]
fn arguments_are_flat_and_without_what_is_not_the_callers() {
    let depot = OpenApi::open(DEPOT).unwrap().connector("depot").build().unwrap();
    let list = schema(&depot, "parcels_list");
    let names: Vec<&String> = list["properties"].as_object().unwrap().keys().collect();
    // Neither credentials, nor what has one value, nor the cursor, which the page stands for.
    assert_eq!(names, ["status", "X-Trace", "page"]);
    assert_eq!((list.get("required"), &list["additionalProperties"]), (None, &json!(false)));
    let create = schema(&depot, "parcels_create");
    let names: Vec<&String> = create["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["X-Trace", "label", "inside"]);
    assert_eq!(create["required"], json!(["label"]));
    assert_eq!(create["$defs"]["Parcel"]["properties"]["inside"], json!({"$ref": "#/$defs/Parcel"}));
    let put = schema(&depot, "put_parcels_by_id");
    let names: Vec<&String> = put["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "query_id", "body_id", "picture"]);
    assert_eq!(put["required"], json!(["id", "body_id", "picture"]));
    assert!(put["properties"]["picture"]["properties"]["handle"].is_object());
}

#[test]
fn operations_are_chosen_by_tag_path_method_id_and_words() {
    let api = OpenApi::open(DEPOT).unwrap();
    let names = |builder: tool_connect_connectors::openapi::ApiBuilder| -> Vec<String> {
        let mut names: Vec<String> =
            builder.build().unwrap().names().map(|(name, _, _)| name.to_owned()).collect();
        names.sort();
        names
    };
    let depot = || api.connector("depot");
    assert_eq!(names(depot().tag("Parcels")), ["parcels_create", "parcels_list"]);
    assert_eq!(names(depot().path("/parcels/*")), ["parcels_delete", "put_parcels_by_id"]);
    assert_eq!(names(depot().path("/parcels").method(Method::GET)), ["parcels_list"]);
    assert_eq!(names(depot().operation("parcels/create").operation("old")), ["parcels_create"]);
    assert_eq!(names(depot().words("LABEL replaces")), ["put_parcels_by_id"]);
    assert_eq!(names(depot().path("/old").with_deprecated()), ["old"]);
    assert_eq!(names(depot().path("/secret").with_hidden()), ["secret"]);
    let error = depot().tag("none").build().unwrap_err();
    assert!(error.message().contains("no operation"), "{error}");
}

#[test]
fn servers_have_variables_and_hosts_have_the_last_word() {
    let api = OpenApi::open(DEPOT).unwrap();
    let base = |builder: tool_connect_connectors::openapi::ApiBuilder| {
        builder.build().map(|api| api.base_url().unwrap().to_string())
    };
    assert_eq!(base(api.connector("d").variable("region", "us")).unwrap(), "https://us.depot.example/v2");
    let error = base(api.connector("d").variable("region", "evil.example/")).unwrap_err();
    assert!(error.message().contains("none of those"), "{error}");
    let own = "https://depot.acme.example/api".parse().unwrap();
    assert_eq!(base(api.connector("d").base_url(own)).unwrap(), "https://depot.acme.example/api");
    let swagger = r#"{"swagger":"2.0","host":"a.example","basePath":"/v1","schemes":["http","https"],"paths":{"/x":{"get":{"responses":{}}}}}"#;
    assert_eq!(base(OpenApi::open(swagger).unwrap().connector("a")).unwrap(), "https://a.example/v1");
}

#[test]
fn what_the_description_says_of_oauth_is_data() {
    let oauth = OpenApi::open(DEPOT).unwrap().oauth();
    assert_eq!(oauth.len(), 1);
    assert_eq!((oauth[0].scheme.as_str(), oauth[0].grant), ("oauth", OAuthGrant::AuthorizationCode));
    assert_eq!(oauth[0].token.as_ref().unwrap().as_str(), "https://depot.example/token");
    assert_eq!(oauth[0].authorize.as_ref().unwrap().as_str(), "https://depot.example/authorize");
    assert_eq!(oauth[0].scopes["parcels:write"], "Write.");
    // Without an entry of the catalog a token is a bearer token, and no scope is asked for.
    let depot = OpenApi::open(DEPOT).unwrap().connector("depot").build().unwrap();
    assert_eq!(depot.manifest().auth, [AuthScheme::Bearer]);
    assert!(tools(&depot).iter().all(|tool| tool.definition().scopes.is_empty()));
}

#[test]
fn every_scheme_that_a_hub_knows_is_taken_over() {
    for (scheme, expected) in [
        (
            json!({"type": "apiKey", "in": "header", "name": "X-Key"}),
            AuthScheme::ApiKeyHeader { header: "X-Key".into(), prefix: String::new() },
        ),
        (
            json!({"type": "apiKey", "in": "query", "name": "key"}),
            AuthScheme::ApiKeyQuery { parameter: "key".into() },
        ),
        (
            json!({"type": "apiKey", "in": "cookie", "name": "sid"}),
            AuthScheme::ApiKeyHeader { header: "cookie".into(), prefix: "sid=".into() },
        ),
        (json!({"type": "http", "scheme": "Basic"}), AuthScheme::Basic),
        (json!({"type": "http", "scheme": "bearer"}), AuthScheme::Bearer),
        (
            json!({"type": "openIdConnect", "openIdConnectUrl": "https://a.example/.well-known/openid-configuration"}),
            AuthScheme::Bearer,
        ),
        (json!({"type": "http", "scheme": "digest"}), AuthScheme::None),
    ] {
        let text =
            json!({"openapi": "3.1.0", "servers": [{"url": "https://a.example"}], "security": [{"s": []}],
            "paths": {"/x": {"get": {"responses": {}}}}, "components": {"securitySchemes": {"s": scheme}}})
            .to_string();
        let api = OpenApi::open(text).unwrap();
        assert_eq!(
            api.connector("a").build().unwrap().manifest().auth,
            std::slice::from_ref(&expected),
            "{expected:?}"
        );
        let told = api.check().notes.join(" ");
        assert_eq!(told.contains("not supported"), expected == AuthScheme::None, "{told}");
    }
}

#[test]
fn nothing_is_read_before_it_is_used() {
    // An operation that is broken is no problem for who opens, registers and calls the others.
    let text = r#"{"openapi":"3.0.0","servers":[{"url":"https://a.example"}],"paths":{
        "/a":{"get":{"operationId":"good","responses":{}}},"/b":{"get":{"operationId":"broken","parameters":[{"in":"path"}]}}}}"#;
    let api = OpenApi::open(text).unwrap();
    let made = api.connector("a").build().unwrap();
    let found = tools(&made);
    assert_eq!(found.len(), 2);
    assert!(found[0].definition().input.schema().is_ok());
    let why = found[1].definition().input.schema().unwrap_err();
    assert!(why.contains("has no name") && why.contains("/paths/~1b/get/parameters/0"), "{why}");
    let report = api.check();
    assert_eq!((report.imported(), report.failed().count()), (1, 1));
    assert!(report.to_string().contains("1 of 2 operations are tools"), "{report}");
}

#[test]
fn the_lint_finds_nothing_in_an_import_whose_words_are_there() {
    let text = DEPOT.replace(
        "{name: id, in: path, required: true,",
        "{name: id, in: path, required: true, description: Its number.,",
    );
    let depot = OpenApi::open(text).unwrap().connector("depot").oauth_provider("depot").build().unwrap();
    let findings: Vec<String> = lint::lint(&depot)
        .iter()
        .filter(|f| !["fields", "output"].contains(&f.rule))
        .map(ToString::to_string)
        .collect();
    assert_eq!(findings, Vec::<String>::new());
}

#[test]
fn a_description_in_2_0_says_the_same_as_one_in_3_0() {
    let text = json!({"swagger": "2.0", "host": "a.example", "consumes": ["application/json"], "paths": {"/pets/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": true, "type": "integer", "format": "int64"}],
        "post": {"operationId": "feed", "parameters": [
            {"name": "what", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"},
            {"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Meal"}}]},
        "put": {"operationId": "photo", "consumes": ["multipart/form-data"], "parameters": [
            {"name": "note", "in": "formData", "type": "string"}, {"name": "file", "in": "formData", "type": "file", "required": true}]}}},
        "definitions": {"Meal": {"type": "object", "required": ["grams"], "properties": {"grams": {"type": "integer", "minimum": 0, "exclusiveMinimum": true}}}}});
    let api = OpenApi::open(text.to_string()).unwrap().connector("pets").build().unwrap();
    let feed = schema(&api, "feed");
    assert_eq!(feed["required"], json!(["id", "grams"]));
    assert_eq!(feed["properties"]["grams"], json!({"type": "integer", "exclusiveMinimum": 0}));
    assert_eq!(feed["properties"]["what"], json!({"type": "array", "items": {"type": "string"}}));
    let photo = schema(&api, "photo");
    assert_eq!(photo["required"], json!(["id", "file"]));
    assert!(photo["properties"]["file"]["properties"]["base64"].is_object());
}

#[test]
fn vendor_extensions_that_mean_something_are_kept_to() {
    let text = json!({"openapi": "3.0.0", "servers": [{"url": "https://a.example"}], "paths": {
        "/a": {"post": {"operationId": "x1", "x-speakeasy-mcp": {"name": "find-things"}, "x-read-only": true}},
        "/b": {"get": {"operationId": "x2", "x-speakeasy-mcp": {"disabled": true}}},
        "/c": {"get": {"operationId": "x3", "x-ms-visibility": "internal"}},
        "/d": {"post": {"operationId": "x4", "x-codegen-request-body-name": "thing",
            "requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}}}},
        "/e": {"get": {"operationId": "x5", "x-ms-pageable": {"nextLinkName": "nextLink"}}}}});
    let api = OpenApi::open(text.to_string()).unwrap().connector("a").build().unwrap();
    let found = tools(&api);
    let names: Vec<_> = found.iter().map(|tool| tool.definition().name.to_string()).collect();
    assert_eq!(names, ["find_things", "x4", "x5"]);
    assert!(found[0].definition().annotations.read_only);
    assert_eq!(schema(&api, "x4")["properties"]["thing"]["type"], "array");
    assert!(schema(&api, "x5")["properties"]["page"].is_object());
}

#[test]
fn names_stay_when_the_document_changes_around_them() {
    let before = OpenApi::open(DEPOT).unwrap();
    let after = OpenApi::open(
        DEPOT.replace("  /old:", "  /new: {get: {operationId: newer, responses: {}}}\n  /old:"),
    )
    .unwrap();
    let names = |api: &OpenApi| -> BTreeMap<String, String> {
        let made = api.connector("d").with_deprecated().with_hidden().build().unwrap();
        made.names().map(|(name, method, path)| (format!("{method} {path}"), name.to_owned())).collect()
    };
    let (before, after) = (names(&before), names(&after));
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|(operation, name)| after.get(operation) == Some(name)));
}

#[test]
fn a_title_is_whole_where_the_name_had_to_be_cut() {
    let long = "/repositories/{workspace}/{repo}/pullrequests/{number}/comments/{comment}/replies";
    let paths = json!({
        long: {"get": {}, "put": {"summary": "Replaces the replies."}},
        "/a/{b}": {"get": {}},
        "/x": {"get": {"operationId": "listEveryParcelOfEveryDepotThatSomebodyOfTheTeamMaySee"}},
    });
    let text = json!({"openapi": "3.1.0", "servers": [{"url": "https://a.example"}], "paths": paths});
    let api = OpenApi::open(text.to_string()).unwrap().connector("depot").build().unwrap();
    let titles: Vec<String> = tools(&api).iter().map(|tool| tool.definition().title.to_string()).collect();
    assert_eq!(
        titles,
        [
            "Get … by workspace by repo pullrequests by number comments by comment replies",
            "Replaces the replies",
            "Get a by b",
            "List every parcel of every depot that somebody of the team may see",
        ]
    );
}

#[tokio::test]
async fn one_of_several_names_stays_required_where_members_are_arguments() {
    let text = r##"
openapi: 3.1.0
info: {title: Depot, version: "1"}
servers: [{url: https://depot.example}]
paths:
  /parcels/{state}:
    patch:
      operationId: parcels/change
      parameters: [{name: state, in: path, required: true, schema: {type: string}}]
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Change"}}}
      responses: {"204": {description: Changed.}}
components:
  schemas:
    Change:
      type: object
      properties: {state: {type: string}, label: {type: string}, size: {type: integer}}
      anyOf: [{required: [state]}, {required: [label, size]}, {required: [gone]}]
"##;
    let connector = OpenApi::open(text).unwrap().connector("depot").build().unwrap();
    let schema = schema(&connector, "parcels_change");
    assert_eq!(schema["description"], "Give at least one of `body_state`; `label` and `size`.");
    assert_eq!(schema["required"], json!(["state"]));
    let bench = Bench::new(&connector);
    bench.answer(|_| Ok(crate::operation::answer(204, &[], "")));
    for missing in [json!({"state": "here"}), json!({"state": "here", "label": "a"})] {
        let error = bench.refused("parcels_change", missing).await;
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        assert!(error.problems()[0].message.contains("`label` and `size`"), "{error}");
    }
    for enough in [json!({"state": "x", "body_state": null}), json!({"state": "x", "label": "a", "size": 1})]
    {
        bench.shared.base_url.get_or_init(|| "https://depot.example".parse().unwrap());
        bench.call("parcels_change", enough).await.unwrap();
    }
}
