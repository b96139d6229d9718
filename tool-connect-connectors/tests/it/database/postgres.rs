//! A real Postgres server: what is shown of it, what a statement may do, and what ends it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use tool_connect_connectors::database::{Database, PostgresOptions};
use tool_connect_core::{Connector, Effect, ErrorKind};
use tool_connect_testkit::Harness;

use super::rows;
use crate::bench::Bench;

/// The server's address for a role, and the authority of its certificate.
fn server(what: &str) -> String {
    let text = std::env::var("TOOL_CONNECT_COUNTERPARTY_POSTGRES")
        .expect("`cargo xtask counterparty` starts a Postgres server and says where it is");
    let ready: Value = serde_json::from_str(&text).unwrap();
    ready[what].as_str().unwrap().to_owned()
}

/// The database as its administrator sees it, outside of the connector.
async fn admin() -> Client {
    let (client, connection) = tokio_postgres::connect(&server("admin"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A schema of the test's own, with tables in it that the reader and the writer may use.
async fn schema(name: &str) -> Client {
    let client = admin().await;
    let sql = format!(
        "CREATE SCHEMA {name};
         CREATE TYPE {name}.mood AS ENUM ('sad', 'happy');
         CREATE TABLE {name}.customer (
             id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, mood {name}.mood DEFAULT 'happy'
         );
         COMMENT ON TABLE {name}.customer IS 'Who buys.';
         COMMENT ON COLUMN {name}.customer.name IS 'As on the bill.';
         CREATE TABLE {name}.purchase (
             customer int REFERENCES {name}.customer, no int, price numeric(10, 2) CHECK (price > 0), PRIMARY KEY (customer, no)
         );
         CREATE VIEW {name}.names AS SELECT name FROM {name}.customer;
         CREATE TABLE {name}.hidden (a int);
         INSERT INTO {name}.customer (name) VALUES ('Ada'), ('Bob');
         INSERT INTO {name}.purchase VALUES (1, 1, 2.50);
         GRANT USAGE ON SCHEMA {name} TO reader, writer;
         GRANT SELECT ON {name}.customer, {name}.purchase, {name}.names TO reader;
         GRANT ALL ON ALL TABLES IN SCHEMA {name} TO writer;
         GRANT ALL ON ALL SEQUENCES IN SCHEMA {name} TO writer;"
    );
    client.batch_execute(&sql).await.unwrap();
    client
}

fn reader() -> Bench {
    Bench::new(&Database::postgres(&server("reader")).unwrap())
}

fn writer() -> Bench {
    Bench::new(&Database::postgres(&server("writer")).unwrap().allow_schema_changes(true))
}

async fn query(bench: &Bench, sql: &str, parameters: Value) -> Value {
    bench.call("query", json!({"sql": sql, "parameters": parameters})).await.unwrap()
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_tables_are_listed_and_described() {
    schema("listed").await;
    let bench = reader();
    let listed = bench.call("list_tables", json!({"schema": "listed"})).await.unwrap();
    let found: Vec<_> =
        listed["tables"].as_array().unwrap().iter().map(|t| (&t["name"], &t["kind"])).collect();
    // What the role may not read is not shown.
    assert_eq!(json!(found), json!([["customer", "table"], ["names", "view"], ["purchase", "table"]]));
    assert_eq!(listed["tables"][0]["comment"], "Who buys.");
    let table = bench.call("describe_table", json!({"table": "customer", "schema": "listed"})).await.unwrap();
    assert_eq!(table["columns"][0]["generated"], true);
    assert_eq!(
        table["columns"][1],
        json!({"name": "name", "type": "text", "nullable": false, "comment": "As on the bill."})
    );
    assert_eq!(table["columns"][2]["values"], json!(["sad", "happy"]));
    assert_eq!(table["primary_key"], json!(["id"]));
    let table = bench.call("describe_table", json!({"table": "purchase", "schema": "listed"})).await.unwrap();
    assert_eq!(
        table["foreign_keys"],
        json!([{"columns": ["customer"], "table": "listed.customer", "references": ["id"]}])
    );
    assert_eq!(table["primary_key"], json!(["customer", "no"]));
    assert_eq!(
        table["indexes"],
        json!([{"name": "purchase_pkey", "columns": ["customer", "no"], "unique": true}])
    );
    assert_eq!(
        bench.refused("describe_table", json!({"table": "customer"})).await.kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_values_of_every_kind_come_out_and_go_in() {
    schema("kinds").await;
    let bench = reader();
    let sql = "SELECT true, 7::int2, 8::int4, 9007199254740993::int8, 0.1::float4, 0.5::float8, 'NaN'::float8, 12.30::numeric, \
        'text'::varchar, 'c'::\"char\", '\\x00ff'::bytea, '{\"a\": [1]}'::jsonb, '2'::json, \
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '2026-11-30 12:00:00+02'::timestamptz, '2026-11-30'::date, \
        '1 day 2 hours'::interval, ARRAY[1, NULL, 3], ARRAY['a', 'b'], ROW(1, 'x'), '10.0.0.1'::inet, 'happy'::kinds.mood, NULL, \
        to_tsvector('cats')";
    let answer = query(&bench, sql, json!([])).await;
    assert_eq!(
        rows(&answer)[0],
        json!([
            true, 7, 8, 9_007_199_254_740_993_i64, 0.1, 0.5, "NaN", "12.30", "text", "c", {"base64": "AP8="}, {"a": [1]}, 2,
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2026-11-30 10:00:00+00", "2026-11-30", "P1DT2H", [1, null, 3], ["a", "b"],
            {"f1": 1, "f2": "x"}, "10.0.0.1/32", "happy", null, "'cat':1"
        ])
    );
    let sql = "SELECT $1::bool, $2::int8, $3::numeric, $4::text, $5::bytea, $6::jsonb, $7::timestamptz, $8::int[], $9::text[], \
        $10::kinds.mood, $11::int, $12::text[]";
    let parameters = json!([
        true, 5, "12.30", "it's", {"base64": "AP8="}, {"a": "b"}, "2026-11-30T12:00:00Z", [1, null], ["a,b", "\"c\\"], "sad", null,
        [["a"], ["b"]]
    ]);
    let answer = query(&bench, sql, parameters).await;
    assert_eq!(
        rows(&answer)[0],
        json!([
            true, 5, "12.30", "it's", {"base64": "AP8="}, {"a": "b"}, "2026-11-30 12:00:00+00", [1, null], ["a,b", "\"c\\"], "sad",
            null, [["a"], ["b"]]
        ])
    );
    // Columns of one name, and a statement that ends in a comment.
    let answer = query(&bench, "SELECT 1.5 AS x, 2.5 AS x -- two\n;", json!([])).await;
    assert_eq!(*rows(&answer), json!([["1.5", "2.5"]]));
    assert_eq!(
        answer["columns"],
        json!([{"name": "x", "type": "numeric"}, {"name": "x", "type": "numeric"}])
    );
    let answer = query(&bench, "EXPLAIN (FORMAT json) SELECT 1", json!([])).await;
    assert!(rows(&answer)[0][0][0]["Plan"].is_object());
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_query_changes_nothing() {
    let admin = schema("kept").await;
    // The writer may do all of it, so it is the transaction that holds it back.
    let bench = writer();
    for sql in [
        "DELETE FROM kept.customer",
        "WITH x AS (DELETE FROM kept.customer RETURNING id) SELECT * FROM x",
        "SELECT nextval(pg_get_serial_sequence('kept.customer', 'id'))",
        "EXPLAIN ANALYZE DELETE FROM kept.customer",
        "CREATE TABLE kept.t (a int)",
        "SELECT 1 INTO kept.t",
        "SET default_transaction_read_only = off",
        "COMMIT",
        "COPY kept.customer TO STDOUT",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/owned'",
        "SELECT * FROM kept.customer FOR UPDATE",
        "LISTEN x",
    ] {
        let error = bench.refused("query", json!({"sql": sql})).await;
        assert_eq!(error.kind(), ErrorKind::Denied, "{sql}: {error} {}", error.public_message());
        assert_eq!(error.effect_on_provider(), Effect::NotExecuted, "{sql}");
    }
    let error = bench.refused("query", json!({"sql": "SELECT 1; DELETE FROM kept.customer"})).await;
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    // Out of the parentheses that a cast puts around it.
    let out = "SELECT 1.5) AS q (c0); DELETE FROM kept.customer; SELECT * FROM (SELECT 1.5";
    assert_eq!(bench.refused("query", json!({"sql": out})).await.kind(), ErrorKind::InvalidArguments);
    let left: i64 = admin.query_one("SELECT count(*) FROM kept.customer", &[]).await.unwrap().get(0);
    assert_eq!(left, 2);
    // What the role may not do is another error than what the tool may not do.
    let error = reader().refused("query", json!({"sql": "SELECT * FROM kept.hidden"})).await;
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_writes_are_done_as_a_whole() {
    let admin = schema("written").await;
    let bench = writer();
    let insert = json!({
        "sql": "INSERT INTO written.purchase VALUES ($1, $2, $3), ($1, 8, 1) RETURNING price, no", "parameters": [1, 7, "3.10"]
    });
    let answer = bench.call("execute", insert).await.unwrap();
    assert_eq!(rows(&answer), &json!([["3.10", 7], ["1.00", 8]]));
    let answer =
        bench.call("execute", json!({"sql": "UPDATE written.purchase SET price = price + 1"})).await.unwrap();
    assert_eq!(answer, json!({"rows_affected": 3}));
    let bad = json!({"sql": "INSERT INTO written.purchase VALUES (1, 50, 1), (1, 51, -1)"});
    let error = bench.refused("execute", bad).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Conflict, Effect::NotExecuted));
    let left: i64 = admin.query_one("SELECT count(*) FROM written.purchase", &[]).await.unwrap().get(0);
    assert_eq!(left, 3);
    for sql in ["DROP TABLE written.purchase", "CALL x()", "DO $$ BEGIN END $$", "TRUNCATE written.purchase"]
    {
        assert_eq!(bench.refused("execute", json!({"sql": sql})).await.kind(), ErrorKind::Denied, "{sql}");
    }
    bench.call("change_schema", json!({"sql": "CREATE SCHEMA written_more"})).await.unwrap();
    let there = admin.query_one("SELECT to_regnamespace('written_more') IS NOT NULL", &[]).await.unwrap();
    assert!(there.get::<_, bool>(0));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_nothing_of_a_call_is_left_for_the_next() {
    let options = PostgresOptions::new(&server("writer")).unwrap().max_idle(1);
    let bench = Bench::new(&Database::postgres_with(options).unwrap().allow_writes(true));
    query(&bench, "SELECT pg_advisory_lock(4711), set_config('work_mem', '99MB', false)", json!([])).await;
    let sql = "SELECT current_setting('work_mem') = '99MB', count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    assert_eq!(*rows(&query(&bench, sql, json!([])).await), json!([[false, 0]]));
    // It was the same connection.
    let pid = query(&bench, "SELECT pg_backend_pid()", json!([])).await;
    assert_eq!(pid, query(&bench, "SELECT pg_backend_pid()", json!([])).await);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_statement_ends_when_its_time_is_up_or_its_caller_goes() {
    let admin = admin().await;
    let database =
        Database::postgres(&server("reader")).unwrap().statement_timeout(Duration::from_millis(50));
    let bench = Bench::new(&database);
    let error = bench.refused("query", json!({"sql": "SELECT pg_sleep(600)"})).await;
    assert_eq!(
        (error.kind(), error.effect_on_provider()),
        (ErrorKind::DeadlineExceeded, Effect::NotExecuted)
    );
    assert_eq!(*rows(&query(&bench, "SELECT 1", json!([])).await), json!([[1]]));

    let bench = reader();
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(601)%' AND state = 'active'";
    let count = async || admin.query_one(running, &[]).await.unwrap().get::<_, i64>(0);
    {
        let mut call = Box::pin(bench.call("query", json!({"sql": "SELECT pg_sleep(601)"})));
        while count().await == 0 {
            assert!(futures_util::FutureExt::now_or_never(&mut call).is_none());
            tokio::task::yield_now().await;
        }
    }
    // Nobody waits for it any more: the server was told.
    while count().await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_lost_connection_is_replaced_and_one_in_use_is_told() {
    let admin = admin().await;
    let bench = reader();
    let pid = rows(&query(&bench, "SELECT pg_backend_pid()", json!([])).await)[0][0].as_i64().unwrap();
    let killed = admin.query_one("SELECT pg_terminate_backend($1::int8::int)", &[&pid]).await.unwrap();
    assert!(killed.get::<_, bool>(0));
    // The idle connection is gone, and no call sees it.
    assert_ne!(rows(&query(&bench, "SELECT pg_backend_pid()", json!([])).await)[0][0], pid);
    let own = bench
        .refused("query", json!({"sql": "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(9)"}))
        .await;
    assert_eq!((own.kind(), own.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
    query(&bench, "SELECT 1", json!([])).await;
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_mighty_role_is_refused_unless_it_is_allowed() {
    let bench = Bench::new(&Database::postgres(&server("admin")).unwrap());
    let error = bench.refused("query", json!({"sql": "SELECT 1"})).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    let options = PostgresOptions::new(&server("admin")).unwrap().allow_superuser(true);
    query(&Bench::new(&Database::postgres_with(options).unwrap()), "SELECT 1", json!([])).await;
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_role_that_can_become_a_mighty_one_is_refused() {
    let client = admin().await;
    let sql = "CREATE ROLE climber LOGIN PASSWORD 'climber'; DO $$ BEGIN EXECUTE format('GRANT %I TO climber', current_user); END $$";
    client.batch_execute(sql).await.unwrap();
    let options = || {
        let mut url = url::Url::parse(&server("reader")).unwrap();
        url.set_username("climber").unwrap();
        url.set_password(Some("climber")).unwrap();
        PostgresOptions::new(url.as_str()).unwrap()
    };
    let bench = Bench::new(&Database::postgres_with(options()).unwrap());
    assert_eq!(bench.refused("query", json!({"sql": "SELECT 1"})).await.kind(), ErrorKind::Config);
    let allowed = options().allow_superuser(true);
    query(&Bench::new(&Database::postgres_with(allowed).unwrap()), "SELECT 1", json!([])).await;
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_tls_is_checked() {
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let options = |host: &str| {
        let url = server("reader").replace("127.0.0.1", host) + "?sslmode=require";
        PostgresOptions::new(&url).unwrap()
    };
    for host in ["localhost", "127.0.0.1"] {
        let database = Database::postgres_with(options(host).root_certificates(server("authority"))).unwrap();
        let answer = query(&Bench::new(&database), encrypted, json!([])).await;
        assert_eq!(*rows(&answer), json!([[true]]), "{host}");
    }
    // A certificate that nobody vouches for.
    let bench = Bench::new(&Database::postgres_with(options("localhost")).unwrap());
    assert_eq!(bench.refused("query", json!({"sql": encrypted})).await.kind(), ErrorKind::Transport);
    assert!(Database::postgres_with(options("localhost").root_certificates("no certificate")).is_err());
    let plain = query(&reader(), encrypted, json!([])).await;
    assert_eq!(*rows(&plain), json!([[false]]));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_errors_tell_the_caller_and_neither_logs_nor_the_password() {
    schema("told").await;
    let bench = writer();
    let error = bench.refused("query", json!({"sql": "SELECT hunter2"})).await;
    assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, "/sql"));
    assert!(error.public_message().contains("hunter2") && !format!("{error}{error:?}").contains("hunter2"));
    let error = bench.refused("query", json!({"sql": "SELECT * FROM told.custmer"})).await;
    assert!(error.public_message().contains("list_tables"), "{}", error.public_message());
    // The row that stands in the way stays unsaid.
    let error =
        bench.refused("execute", json!({"sql": "INSERT INTO told.customer (name) VALUES ('Ada')"})).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.public_message().contains("Ada"), "{}", error.public_message());
    for (sql, parameters, pointer) in [
        ("SELECT $1::int", json!([]), "/parameters"),
        ("SELECT $1::int", json!([[1]]), "/parameters/0"),
        ("SELECT $1::text", json!([{"a": 1}]), "/parameters/0"),
    ] {
        let error = bench.refused("query", json!({"sql": sql, "parameters": parameters})).await;
        assert_eq!(error.problems()[0].pointer, pointer, "{sql}");
    }
    let error = bench.refused("query", json!({"sql": "SELECT $1::int", "parameters": ["x"]})).await;
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);

    let url = server("reader").replace("postgres://reader:", "postgres://reader:wrong");
    let database = Database::postgres(&url).unwrap();
    assert!(!format!("{database:?}").contains(&url[18..30]), "{database:?}");
    let error = Bench::new(&database).refused("query", json!({"sql": "SELECT 1"})).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    let nobody = Database::postgres("postgres://reader@127.0.0.1:1/shop").unwrap();
    let error = Bench::new(&nobody).refused("query", json!({"sql": "SELECT 1"})).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::NotExecuted));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_through_the_stacks() {
    schema("stacked").await;
    let database = Database::postgres(&server("reader")).unwrap().id("shop");
    assert_eq!(database.manifest().limits.concurrency, Some(8));
    let harness = Harness::builder(database).build().await.unwrap();
    let calls = (0..40).map(|n| {
        let harness = &harness;
        async move {
            let sql =
                json!({"sql": "SELECT name, $1::int FROM stacked.customer ORDER BY 1", "parameters": [n]});
            let answer: Value = harness.call("query", sql).await.unwrap().parse().unwrap();
            assert_eq!(answer["rows"], json!([["Ada", n], ["Bob", n]]));
        }
    });
    futures_util::future::join_all(calls).await;
    harness.finish().await.unwrap();
}
