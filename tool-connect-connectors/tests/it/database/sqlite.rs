//! A SQLite file: what is shown of it, what a statement may do, and what ends it.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use tool_connect_connectors::database::Database;
use tool_connect_core::{Effect, ErrorKind, Retry};
use tool_connect_testkit::lint;

use super::rows;
use crate::bench::Bench;

const SHOP: &str = "
    CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'nobody', photo BLOB);
    CREATE TABLE purchase (
        customer INTEGER REFERENCES customer (id), no INTEGER, price REAL CHECK (price > 0),
        total REAL GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (customer, no)
    );
    CREATE UNIQUE INDEX by_name ON customer (name);
    CREATE VIEW names AS SELECT name FROM customer;
    CREATE VIRTUAL TABLE words USING fts5 (text);
    INSERT INTO customer VALUES (1, 'Ada', x'00ff'), (2, 'Bob', NULL);
    INSERT INTO purchase (customer, no, price) VALUES (1, 1, 2.5), (1, 2, 9007199254740993.0);
";

fn shop() -> (TempDir, Bench) {
    shop_with(|database| database)
}

fn shop_with(options: impl FnOnce(Database) -> Database) -> (TempDir, Bench) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("shop.db");
    Connection::open(&path).unwrap().execute_batch(SHOP).unwrap();
    let database = options(Database::sqlite(&path).unwrap());
    (temp, Bench::new(&database))
}

fn count(temp: &TempDir, table: &str) -> i64 {
    let connection = Connection::open(temp.path().join("shop.db")).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn the_lint_finds_nothing_and_ids_are_as_released() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let database = Database::sqlite(&path).unwrap().allow_schema_changes(true);
    lint::assert_clean(&database);
    lint::assert_stable(&database, include_str!("../database.json"));
}

#[test]
fn only_what_the_host_allows_is_offered() {
    let names = |bench: &Bench| {
        bench.tools().iter().map(|tool| tool.definition().name.to_string()).collect::<Vec<_>>()
    };
    let reads = ["list_tables", "describe_table", "query"];
    assert_eq!(names(&shop().1), reads);
    assert_eq!(names(&shop_with(|d| d.allow_writes(true)).1)[3..], ["execute"]);
    assert_eq!(names(&shop_with(|d| d.allow_schema_changes(true)).1)[3..], ["execute", "change_schema"]);
    assert_eq!(names(&shop_with(|d| d.allow_writes(true).allow_schema_changes(false)).1), reads);
}

#[tokio::test]
async fn tables_are_listed_and_described() {
    let (_temp, bench) = shop();
    let listed = bench.call("list_tables", json!({})).await.unwrap();
    let found: Vec<_> =
        listed["tables"].as_array().unwrap().iter().map(|t| (&t["name"], &t["kind"])).collect();
    let expected =
        json!([["customer", "table"], ["names", "view"], ["purchase", "table"], ["words", "virtual"]]);
    assert_eq!(json!(found), expected);
    // Page by page it is the same list.
    let page = bench.call("list_tables", json!({"limit": 3})).await.unwrap();
    let rest = bench.call("list_tables", json!({"limit": 3, "cursor": page["next_cursor"]})).await.unwrap();
    assert_eq!((&rest["tables"][0]["name"], rest.get("next_cursor")), (&json!("words"), None));
    let some = bench.call("list_tables", json!({"name_contains": "NAM"})).await.unwrap();
    assert_eq!(some["tables"].as_array().unwrap().len(), 1);

    let table = bench.call("describe_table", json!({"table": "Purchase"})).await.unwrap();
    assert_eq!(table["primary_key"], json!(["customer", "no"]));
    assert_eq!(
        table["foreign_keys"],
        json!([{"columns": ["customer"], "table": "customer", "references": ["id"]}])
    );
    let total = table["columns"].as_array().unwrap().iter().find(|c| c["name"] == "total").unwrap();
    assert_eq!((&total["type"], &total["generated"]), (&json!("REAL"), &json!(true)));
    let table = bench.call("describe_table", json!({"table": "customer", "schema": "main"})).await.unwrap();
    assert_eq!(
        table["columns"][1],
        json!({"name": "name", "type": "TEXT", "nullable": false, "default": "'nobody'"})
    );
    assert_eq!(table["indexes"], json!([{"name": "by_name", "columns": ["name"], "unique": true}]));
    for arguments in [json!({"table": "none"}), json!({"table": "customer", "schema": "temp"})] {
        assert_eq!(bench.refused("describe_table", arguments).await.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn values_come_as_they_are() {
    let (_temp, bench) = shop();
    let sql = "SELECT id, name, photo, NULL AS missing, 1.5 AS half, ?1 AS given FROM customer ORDER BY id";
    let answer = bench.call("query", json!({"sql": sql, "parameters": [true]})).await.unwrap();
    assert_eq!(
        *rows(&answer),
        json!([[1, "Ada", {"base64": "AP8="}, null, 1.5, 1], [2, "Bob", null, null, 1.5, 1]])
    );
    assert_eq!(answer["columns"][0], json!({"name": "id", "type": "INTEGER"}));
    assert_eq!(answer["columns"][3], json!({"name": "missing"}));
    assert!(answer.get("stopped_by").is_none());
    // What came out goes in again.
    let sql = "SELECT ?1, typeof(?1), typeof(?2), typeof(?3)";
    let parameters = json!([{"base64": "AP8="}, 9_007_199_254_740_993_i64, 0.5]);
    let answer = bench.call("query", json!({"sql": sql, "parameters": parameters})).await.unwrap();
    assert_eq!(*rows(&answer), json!([[{"base64": "AP8="}, "blob", "integer", "real"]]));
}

#[tokio::test]
async fn results_are_cut_and_say_so_and_large_values_come_by_handle() {
    let (_temp, bench) = shop_with(|d| d.max_rows(50).max_bytes(1000).max_value_bytes(20));
    let numbers =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 9000) SELECT x FROM n";
    let answer = bench.call("query", json!({"sql": numbers, "limit": 3})).await.unwrap();
    assert_eq!((rows(&answer), &answer["stopped_by"]), (&json!([[1], [2], [3]]), &json!("rows")));
    let answer = bench.call("query", json!({"sql": format!("{numbers} LIMIT 3"), "limit": 3})).await.unwrap();
    assert!(answer.get("stopped_by").is_none(), "three of three are all");
    let answer = bench.call("query", json!({"sql": numbers, "limit": 9000})).await.unwrap();
    assert_eq!(rows(&answer).as_array().unwrap().len(), 50);
    let wide = numbers.replace("SELECT x FROM", "SELECT 'fifteen letters', x FROM");
    let answer = bench.call("query", json!({"sql": wide, "limit": 9000})).await.unwrap();
    assert_eq!((rows(&answer).as_array().unwrap().len(), &answer["stopped_by"]), (43, &json!("bytes")));
    let answer =
        bench.call("query", json!({"sql": "SELECT 'x', hex(zeroblob(50)), zeroblob(30)"})).await.unwrap();
    let row = &rows(&answer)[0];
    assert_eq!(bench.bytes(&row[1]["file"]).await, [b'0'; 100]);
    assert_eq!(bench.bytes(&row[2]["file"]).await, [0; 30]);
    assert_eq!(row[2]["file"]["media_type"], "application/octet-stream");
}

#[tokio::test]
async fn a_query_changes_nothing_and_leaves_the_file_alone() {
    let (temp, bench) = shop_with(|d| d.allow_schema_changes(true));
    let other = temp.path().join("other.db");
    for sql in [
        "DELETE FROM customer".to_owned(),
        "WITH x AS (SELECT 1) INSERT INTO customer (name) SELECT 'Eve'".to_owned(),
        "DELETE FROM customer RETURNING *".to_owned(),
        "CREATE TEMP TABLE t (a)".to_owned(),
        "DROP TABLE customer".to_owned(),
        format!("ATTACH '{}' AS other", other.display()),
        format!("VACUUM INTO '{}'", other.display()),
        "PRAGMA journal_mode = OFF".to_owned(),
        "PRAGMA writable_schema = ON".to_owned(),
        "BEGIN IMMEDIATE".to_owned(),
        "SAVEPOINT a".to_owned(),
        "SELECT load_extension('x')".to_owned(),
        "SELECT fts3_tokenizer('simple')".to_owned(),
        "ANALYZE".to_owned(),
    ] {
        let error = bench.refused("query", json!({"sql": sql})).await;
        assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::InvalidArguments), "{sql}: {error}");
        assert_eq!(error.effect_on_provider(), Effect::NotExecuted, "{sql}");
    }
    assert!(!other.exists());
    assert_eq!(count(&temp, "customer"), 2);
    let told = bench.refused("query", json!({"sql": "DELETE FROM customer"})).await;
    assert!(told.public_message().contains("only reads"), "{}", told.public_message());
    // The pragmas that only tell are not refused.
    bench.call("query", json!({"sql": "PRAGMA table_info(customer)"})).await.unwrap();
    bench.call("query", json!({"sql": "EXPLAIN QUERY PLAN SELECT * FROM customer"})).await.unwrap();
}

#[tokio::test]
async fn one_call_is_one_statement() {
    let (temp, bench) = shop_with(|d| d.allow_writes(true));
    for (tool, sql) in [
        ("query", "SELECT 1; SELECT 2"),
        ("query", "SELECT 1; DELETE FROM customer"),
        ("execute", "DELETE FROM purchase; DELETE FROM customer"),
    ] {
        let error = bench.refused(tool, json!({"sql": sql})).await;
        assert!(matches!(error.kind(), ErrorKind::InvalidArguments | ErrorKind::Denied), "{sql}: {error}");
    }
    assert_eq!((count(&temp, "customer"), count(&temp, "purchase")), (2, 2));
    let answer = bench.call("query", json!({"sql": " SELECT 1; -- and no more"})).await.unwrap();
    assert_eq!(*rows(&answer), json!([[1]]));
}

#[tokio::test]
async fn writes_change_rows_as_a_whole_and_no_schema() {
    let (temp, bench) = shop_with(|d| d.allow_writes(true));
    let insert = json!({"sql": "INSERT INTO customer (name) VALUES (?1), (?2) RETURNING id", "parameters": ["Cy", "Di"]});
    let answer = bench.call("execute", insert).await.unwrap();
    assert_eq!((&answer["rows_affected"], rows(&answer)), (&json!(2), &json!([[3], [4]])));
    let answer = bench.call("execute", json!({"sql": "UPDATE customer SET photo = x'01'"})).await.unwrap();
    assert_eq!(answer, json!({"rows_affected": 4}));
    let answer =
        bench.call("execute", json!({"sql": "INSERT INTO words VALUES ('full text')"})).await.unwrap();
    assert_eq!(rows(&answer), &json!(null));
    // One row that does not fit takes the others with it.
    let bad = json!({"sql": "INSERT INTO customer (name) VALUES ('Ed'), ('Ada')"});
    let error = bench.refused("execute", bad).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Conflict, Effect::NotExecuted));
    assert_eq!(count(&temp, "customer"), 4);
    // References hold.
    let orphan = json!({"sql": "INSERT INTO purchase (customer, no, price) VALUES (99, 1, 1)"});
    assert_eq!(bench.refused("execute", orphan).await.kind(), ErrorKind::Conflict);
    for sql in [
        "DROP TABLE purchase",
        "CREATE TABLE t (a)",
        "UPDATE sqlite_schema SET sql = ''",
        "PRAGMA user_version = 7",
    ] {
        let error = bench.refused("execute", json!({"sql": sql})).await;
        assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::InvalidArguments), "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_cannot_be_kept_asks_for_no_second_one() {
    let (temp, bench) = shop_with(|d| d.allow_writes(true).max_value_bytes(20));
    bench.shared.full.store(true, std::sync::atomic::Ordering::Relaxed);
    let sql = "INSERT INTO customer (name) VALUES ('Cy') RETURNING hex(zeroblob(50))";
    let error = bench.refused("execute", json!({ "sql": sql })).await;
    assert_eq!((error.effect_on_provider(), error.retry_advice()), (Effect::Unknown, Retry::Never));
    assert!(error.public_message().contains("do not run it again"), "{error}");
    assert_eq!(count(&temp, "customer"), 3);
}

#[tokio::test]
async fn the_schema_changes_where_the_host_allows_it() {
    let (temp, bench) = shop_with(|d| d.allow_schema_changes(true));
    bench.call("query", json!({"sql": "SELECT 1"})).await.unwrap();
    bench.call("change_schema", json!({"sql": "CREATE TABLE t (a INTEGER)"})).await.unwrap();
    assert_eq!(count(&temp, "t"), 0);
    // A connection that is kept sees it.
    bench.call("query", json!({"sql": "SELECT a FROM t"})).await.unwrap();
    let attach = json!({"sql": format!("ATTACH '{}' AS other", temp.path().join("o.db").display())});
    assert_eq!(bench.refused("change_schema", attach).await.kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn bad_statements_and_parameters_are_explained_to_the_caller_and_not_to_logs() {
    let (_temp, bench) = shop();
    let error = bench.refused("query", json!({"sql": "SELECT 'hunter2' FORM customer WHERE hunter2"})).await;
    assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, "/sql"));
    assert!(error.public_message().contains("syntax error"), "{}", error.public_message());
    assert!(!format!("{error}{error:?}").contains("hunter2"));
    let error = bench.refused("query", json!({"sql": "SELECT * FROM custmer"})).await;
    assert!(error.public_message().contains("list_tables"), "{}", error.public_message());
    for (sql, parameters, pointer) in [
        ("SELECT ?1, ?2", json!([1]), "/parameters"),
        ("SELECT 1", json!([1]), "/parameters"),
        ("SELECT ?1, ?2", json!([1, [2]]), "/parameters/1"),
        ("SELECT ?1", json!([{"a": 1}]), "/parameters/0"),
        ("SELECT ?1", json!([{"base64": "???"}]), "/parameters/0"),
        ("SELECT ?1", json!([u64::MAX]), "/parameters/0"),
        ("SELECT '\0'", json!([]), "/sql"),
    ] {
        let error = bench.refused("query", json!({"sql": sql, "parameters": parameters})).await;
        assert_eq!(
            (error.kind(), &*error.problems()[0].pointer),
            (ErrorKind::InvalidArguments, pointer),
            "{sql}"
        );
    }
    assert_eq!(bench.refused("list_tables", json!({"cursor": "x"})).await.problems()[0].pointer, "/cursor");
}

/// Never ends by itself.
const ENDLESS: &str =
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

#[tokio::test]
async fn a_statement_ends_when_its_time_is_up_or_nobody_waits() {
    let (_temp, bench) = shop_with(|d| d.statement_timeout(Duration::from_millis(20)));
    let error = bench.refused("query", json!({"sql": ENDLESS})).await;
    assert_eq!(
        (error.kind(), error.effect_on_provider()),
        (ErrorKind::DeadlineExceeded, Effect::NotExecuted)
    );
    assert!(error.public_message().contains("20ms"), "{}", error.public_message());
    // The connection is as good as new.
    bench.call("query", json!({"sql": "SELECT 1"})).await.unwrap();

    let (_temp, bench) = shop();
    bench.shared.patience.store(3, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(bench.refused("query", json!({"sql": ENDLESS})).await.kind(), ErrorKind::Canceled);
}

#[tokio::test]
async fn a_statement_cannot_take_all_memory() {
    let (_temp, bench) = shop();
    let error = bench.refused("query", json!({"sql": "SELECT zeroblob(1000000000)"})).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[tokio::test]
async fn a_result_has_so_many_columns_and_a_file_may_have_wider_tables() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("wide.db");
    let columns = (0..300).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
    let sql = format!("CREATE TABLE wide ({columns}); INSERT INTO wide (c299) VALUES (7)");
    Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
    let bench = Bench::new(&Database::sqlite(&path).unwrap());
    let error = bench.refused("query", json!({"sql": "SELECT * FROM wide"})).await;
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    let answer = bench.call("query", json!({"sql": "SELECT c299 FROM wide"})).await.unwrap();
    assert_eq!(*rows(&answer), json!([[7]]));
}

#[tokio::test]
async fn a_file_that_is_no_database_or_is_gone_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("secret-name.db");
    assert_eq!(Database::sqlite(&path).unwrap_err().kind(), ErrorKind::Config);
    assert!(!path.exists(), "a look makes no file");
    std::fs::write(
        &path,
        "no database, but long enough to be read as the header of one, which has 100 bytes",
    )
    .unwrap();
    let error = Database::sqlite(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!error.to_string().contains("secret-name"));
    let (temp, bench) = shop();
    std::fs::remove_file(temp.path().join("shop.db")).unwrap();
    assert_eq!(bench.refused("query", json!({"sql": "SELECT 1"})).await.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_lock_that_another_holds_is_waited_for_and_then_told() {
    let (temp, bench) = shop_with(|d| d.allow_writes(true));
    let other = Connection::open(temp.path().join("shop.db")).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let error = bench.refused("execute", json!({"sql": "DELETE FROM purchase"})).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Overloaded, Effect::NotExecuted));
    drop(other);
    bench.call("execute", json!({"sql": "DELETE FROM purchase"})).await.unwrap();
}
