use super::*;

fn run(filter: &str, text: &str) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let made = runtime.block_on(Filter::parse(filter)?.run(Bytes::copy_from_slice(text.as_bytes())))?;
    Ok(String::from_utf8(made.to_vec()).expect("text"))
}

fn wrong(filter: &str, text: &str) -> String {
    let error = run(filter, text).expect_err(filter);
    assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{filter}: {error:?}");
    error.problems().iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join(" ")
}

const ISSUES: &str = r#"{"items":[{"id":1,"by":{"login":"ada"},"tags":["a","b"]},{"id":12345678901234567890123,"by":null,"tags":[]}],"n":1.50}"#;

#[test]
fn a_part_is_chosen() {
    for (filter, want) in [
        (".", ISSUES),
        (".items[].id", "[1,12345678901234567890123]"),
        (
            "[.items[] | {id, who: (.by.login // \"nobody\")}]",
            r#"[{"id":1,"who":"ada"},{"id":12345678901234567890123,"who":"nobody"}]"#,
        ),
        (".items | length", "2"),
        (".items[0].tags | join(\", \")", r#""a, b""#),
        (".items[] | select(.by) | \"\\(.id): \\(.by.login)\"", r#""1: ada""#),
        (".items[-1:] | map(.tags | length)", "[0]"),
        (".items as [$a] | {a: $a.id}", r#"{"a":1}"#),
        (".items | map(.id) | add", "12345678901234567890124"),
        ("empty", "[]"),
        ("[.. | strings] | sort | unique | reverse | first", r#""b""#),
        ("if .n > 1 then [limit(1; .items[])] | map(keys) else null end", r#"[["by","id","tags"]]"#),
        ("[.items[].nothing?, .n.x?]", "[null,null]"),
        ("to_entries | map(.key)", r#"["items","n"]"#),
        (".items | group_by(.by == null) | map(length)", "[1,1]"),
        ("[1, [2, [3]]] | flatten", "[1,2,3]"),
        ("\"a,b\" | split(\",\")", r#"["a","b"]"#),
        ("-1", "-1"),
    ] {
        assert_eq!(run(filter, ISSUES).unwrap_or_else(|e| panic!("{filter}: {e:?}")), want, "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_refused_by_its_place() {
    assert!(wrong(".items[", "1").contains("at byte"));
    assert!(wrong(".a | | .b", "1").contains("at byte 5"));
    assert!(wrong(".a | nothing(1)", "1").contains("`nothing/1` is not offered (at byte 5)"));
    let said = wrong("$x", "1");
    assert!(said.contains("no variable `$x`"), "{said}");
    assert!(wrong("", "1").contains("not jq"));
}

#[test]
fn what_cannot_be_bounded_or_reaches_outside_is_not_offered() {
    for filter in [
        "def f: f; f",
        "def f: [f]; f",
        "repeat(.)",
        "range(1e9)",
        "[limit(1e9; repeat(1))]",
        "recurse(.)",
        "while(true; .)",
        "until(false; .)",
        "reduce .[] as $x (0; .)",
        "foreach .[] as $x (0; .)",
        "label $out | break $out",
        "\"x\" * 1000000000",
        "1 - 1",
        "env",
        "$ENV",
        "$ENV.PATH",
        "input",
        "inputs",
        "debug",
        "debug(1)",
        "stderr",
        "now",
        "localtime",
        "halt",
        "input_filename",
        "$__prog_args",
        "fromjson",
        "tonumber",
        ".a = 1",
        ".a |= 1",
        "del(.a)",
        "setpath([1e9]; 1)",
        ".[1e9] = 1",
        "paths",
        "getpath([\"a\"])",
        "walk(.)",
        "with_entries(.)",
        "@base64",
        "@json \"x\"",
        "try error catch .",
        "error",
        "import \"a\" as a; .",
        "include \"a\"; .",
        "test(\"a\")",
        "splits(\"a\")",
        "ltrimstr(1; 2)",
        "combinations",
        "contains(1)",
        "inside(1)",
        "indices(1)",
        ".[.a]",
        ".[[1]]",
        ".[(1,2)]",
        ". as {(.a): $x} | 1",
        "implode",
        "whole_filter",
        "!step",
        "add(.[])",
        "first(repeat(1))",
        "tojson | fromjson",
        "input_line_number",
        "splits",
        "getpath",
        "limit(3; def f: f; f)",
        "[.[] | (def f: .; f)]",
        "\"\\(range(9))\"",
        "{(env): 1}",
        "{a: env}",
        "[env]",
        "-env",
        "env?",
        "if env then 1 else 2 end",
        "if 1 then env else 2 end",
        "1 as $x | env",
        "env | .",
        "., env",
        "1 // env",
        "env[0]",
        "1 == env",
        "1 and env",
        "map(env)",
        "{$ENV}",
    ] {
        wrong(filter, "[1,2,3]");
    }
    wrong(&"[".repeat(2_000), "1");
    wrong(&format!("{}1{}", "(".repeat(33), ")".repeat(33)), "1");
    wrong(&".".repeat(2_001), "1");
}

#[test]
fn a_runaway_ends_and_says_so() {
    let many = format!("[{}]", vec!["1"; 2_000].join(","));
    let doubled = |step: &str| format!(".{}", format!(" | {step}").repeat(60));
    for filter in [
        doubled("[., .]"), doubled("(., .)"), doubled("{a: ., b: .}"), doubled(". + ."), doubled("\"\\(.)\\(.)\""),
        doubled("(1, 1)"), doubled("tojson"), doubled("(.?, .?)"), doubled("(. // ., .)"), doubled("[.[], .[]]"),
        ".[] as $a | .[] as $b | .[] as $c | [$a, $b, $c]".to_owned(),
        "[.[] as $a | .[] as $b | empty]".to_owned(), "first(.[] as $a | .[] as $b | empty)".to_owned(),
        "isempty(.[] as $a | .[] as $b | empty)".to_owned(), "[.[] as $a | (.[] | select($a == 2))?]".to_owned(),
        "all(.[] as $a | .[]; . == 1)".to_owned(), "map(. as $a | [1, 2] + [$a]) | map(map(tojson) | join(\"xxxxxxxxxxxxxxxxxxxx\")) | [., ., ., ., ., ., ., ., .] | tojson | [., ., ., ., .] | tojson | [., ., ., .]".to_owned(),
        "map([., \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"] | tojson) | add | [., ., ., ., ., ., ., ., ., ., ., ., ., ., ., ., ., .] | add | [., ., ., ., ., ., ., ., .] | add".to_owned(),
        "{a: .} | {a: .} | [limit(1e9; (.., ..) | (.., ..) | (.., ..))] | length".to_owned(),
    ] {
        let said = wrong(&filter, &many);
        assert!(said.contains("too much work"), "{said} {filter}");
    }
}

#[test]
fn what_is_read_again_and_again_is_work_too() {
    let numbers = vec!["1"; 2_000].join(",");
    let large = format!(r#"{{"body":"{}","items":[{numbers}]}}"#, "x".repeat(1 << 20));
    for filter in [
        ". as $s | [.items[] | $s.body | length]",
        ". as $s | [.items[] | $s.body | trim | length]",
        ". as $s | .items | sort_by($s.body) | length",
        ". as $s | .items | max_by($s.body)",
        ". as $s | [.items[] | select($s.body == $s.body)]",
        ". as $s | [.items[] | $s.body[1:2]]",
        ". as $s | [.items[] | select(\"x\" | startswith($s.body))]",
        ". as $s | [.items[] as $n | $s.items | any]",
        ". as $s | [.items[] as $n | $s.items | max]",
    ] {
        // For the last two the list is what is large.
        let text = if filter.contains("$n") { format!(r#"{{"items":[{numbers}]}}"#) } else { large.clone() };
        let said = wrong(filter, &text);
        assert!(said.contains("too much work"), "{said} {filter}");
    }
    // Once, or each part once, is no more than the result's size allows.
    for (filter, want) in [
        (".body | length", "1048576"),
        ("[.items[] | select(. == 2)]", "[]"),
        (".items | sort_by(.) | unique | length", "1"),
        (".body[0:3]", "\"xxx\""),
        ("[.. | strings | length]", "[1048576]"),
    ] {
        assert_eq!(run(filter, &large).unwrap_or_else(|e| panic!("{filter}: {e:?}")), want, "{filter}");
    }
}

#[test]
fn a_deep_result_is_refused_and_a_type_that_does_not_fit_leaks_nothing() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(wrong(".", &deep).contains("too deep"));
    assert_eq!(run(".", r#"{"a":"[[[[\"[[["}"#).expect("text"), r#"{"a":"[[[[\"[[["}"#);
    let error = wrong(".secret | map(.x)", r#"{"secret":"canary"}"#);
    assert!(error.contains("another type") && !error.contains("canary"), "{error}");
    wrong("{(1, 2): 3}", "1");
    // Long chains need no more stack than there is.
    run(&format!(".{}", "|.".repeat(990)), "1").expect("a chain");
    wrong(&"-".repeat(1_999), "1");
}

#[test]
fn who_goes_away_stops_the_work() {
    let gone = Cell::new(0);
    let many = format!("[{}]", vec!["1"; 2_000].join(","));
    let answer = evaluate("[.[] as $a | .[] as $b | empty]", many.as_bytes(), &|| {
        gone.set(gone.get() + 1);
        gone.get() > 3
    });
    assert!(answer.is_err() && gone.get() == 4, "{answer:?} {}", gone.get());
}
