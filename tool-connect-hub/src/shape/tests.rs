use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tool_connect_core::store::memory::MemoryResults;
use tool_connect_core::store::{NewResult, ResultStore};
use tool_connect_core::{ErrorKind, SystemClock};

use super::cut::{LEAST, cut};
use super::*;
use crate::patience::Patience;

fn shaped(value: &Value, room: usize) -> (Value, Vec<Cut>) {
    let text = value.to_string();
    let piece = cut(&text, "", 0, room);
    assert!(piece.text.len() <= room, "{} over {room}: {}", piece.text.len(), piece.text);
    (serde_json::from_str(&piece.text).expect("valid JSON"), piece.cuts)
}

#[test]
fn arrays_keep_their_first_items_and_say_how_many_are_left() {
    let value = json!({"items": (0..1000).collect::<Vec<_>>(), "total": 1000});
    let (cut, cuts) = shaped(&value, 200);
    let items = cut["items"].as_array().expect("items");
    assert_eq!((cut["total"].as_u64(), cuts.len()), (Some(1000), 1));
    let shown = items.len() - 1;
    assert!(shown > 20, "{cut}");
    let mark = format!("… {} more of 1000 items; read on from /items#{shown}", 1000 - shown);
    assert_eq!(items[shown], Value::from(mark));
    assert_eq!((cuts[0].position(), cuts[0].of), (format!("/items#{shown}"), 1000));
}

#[test]
fn strings_end_between_characters_and_say_how_much_is_left() {
    let value = json!({"id": 7, "body": "añ€😀".repeat(1000), "by": "ada"});
    for room in 100..140 {
        let (cut, cuts) = shaped(&value, room);
        assert_eq!((cut["id"].as_u64(), cut["by"].as_str(), cuts.len()), (Some(7), Some("ada"), 1), "{cut}");
        let body = cut["body"].as_str().expect("text");
        let shown = &body[..cuts[0].next];
        assert!(value["body"].as_str().expect("text").starts_with(shown));
        assert!(body[cuts[0].next..].starts_with('…'), "{body}");
    }
}

#[test]
fn small_fields_stay_whole_and_large_ones_share_the_rest() {
    let value =
        json!({"a": "x".repeat(5000), "id": 12345, "b": "y".repeat(90), "ok": true, "c": "z".repeat(9000)});
    let (cut, cuts) = shaped(&value, 600);
    assert_eq!((&cut["id"], &cut["ok"], &cut["b"]), (&value["id"], &value["ok"], &value["b"]));
    assert_eq!(cuts.iter().map(|cut| cut.pointer.as_str()).collect::<Vec<_>>(), ["/a", "/c"]);
    assert!(cuts.iter().all(|cut| cut.next > 120), "{cuts:?}");
}

#[test]
fn the_same_text_is_cut_the_same_way() {
    let text = json!({"a": [{"b": "x".repeat(500)}, 2, 3], "c": {"d": vec![1; 200], "e": 1}}).to_string();
    for room in LEAST..400 {
        assert_eq!(cut(&text, "", 0, room).text, cut(&text, "", 0, room).text);
    }
}

#[test]
fn numbers_keep_their_digits() {
    let text = r#"{"n":12345678901234567890123.4567890123456789,"s":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;
    let piece = cut(text, "", 0, 110);
    assert!(piece.text.contains("12345678901234567890123.4567890123456789"), "{}", piece.text);
}

#[test]
fn hostile_values_are_cut_like_others() {
    let many = format!("[{}]", vec!["{\"a\":1}"; 1_000_000].join(","));
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let deep_objects = format!("{}1{}", "{\"k\":".repeat(20_000), "}".repeat(20_000));
    let long = format!("\"{}\"", "€".repeat(1_000_000));
    let surrogates = format!("\"{}\"", "\\ud800".repeat(1_000));
    let control = format!("\"{}\"", "\\u0001".repeat(10_000));
    let key = format!("{{\"{}\":1,\"b\":2}}", "k".repeat(100_000));
    let number = "9".repeat(100_000);
    let spaced = format!("[{}1,{}2]", " ".repeat(10_000), "\n".repeat(10_000));
    for text in [many, deep, deep_objects, long, surrogates, control, key, number, spaced] {
        for room in [LEAST, 6, 7, 12, 13, 64, 1_000, 150_000] {
            let piece = cut(&text, "", 0, room);
            assert!(piece.text.len() <= room);
            // A string that is no text is left out or given as it is.
            assert!(raw::json(piece.text.as_bytes()).is_some(), "{room}: {:.100}", piece.text);
        }
    }
}

fn measure(budget: Budget) -> Measure {
    Measure::new(budget, None)
}

#[test]
fn a_budget_of_nothing_leaves_nothing() {
    let text = json!({"a": [1, 2, 3], "b": "text"}).to_string();
    for budget in [Budget::Bytes(0), Budget::Bytes(1), Budget::Tokens(0), Budget::Tokens(1)] {
        assert!(
            matches!(view(text.as_bytes(), &measure(budget)), View::Cut(text, cuts) if text.is_empty() && cuts.is_empty())
        );
    }
    assert!(matches!(view(b"7", &measure(Budget::Bytes(1))), View::Whole));
    assert!(
        matches!(view(text.as_bytes(), &measure(Budget::Bytes(5))), View::Cut(text, _) if text == "\"…\"")
    );
    assert!(matches!(view(b"no JSON", &measure(Budget::Bytes(3))), View::NoJson));
}

#[test]
fn a_token_is_estimated_as_three_bytes_or_counted_by_the_host() {
    let text = json!((0..100).map(|n| format!("word {n}")).collect::<Vec<_>>()).to_string();
    let View::Cut(estimated, _) = view(text.as_bytes(), &measure(Budget::Tokens(100))) else {
        panic!("it fits")
    };
    assert!((200..=300).contains(&estimated.len()), "{}", estimated.len());
    // A tokenizer for which every byte is a token, and one for which nothing is.
    let dense: Arc<dyn Tokenizer> = Arc::new(|text: &str| text.len());
    let View::Cut(counted, _) = view(text.as_bytes(), &Measure::new(Budget::Tokens(100), Some(dense))) else {
        panic!("it fits")
    };
    assert!((60..=100).contains(&counted.len()), "{}", counted.len());
    let thin: Arc<dyn Tokenizer> = Arc::new(|_: &str| 1);
    let measure = Measure::new(Budget::Tokens(100), Some(thin));
    assert!(matches!(view(text.as_bytes(), &measure), View::Whole));
    let absurd: Arc<dyn Tokenizer> = Arc::new(|_: &str| usize::MAX);
    let measure = Measure::new(Budget::Tokens(100), Some(absurd));
    assert!(matches!(view(text.as_bytes(), &measure), View::Cut(text, _) if text.is_empty()));
}

fn now<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(work)
}

struct Kept {
    store: MemoryResults,
    principal: tool_connect_core::Principal,
    handle: tool_connect_core::ResultHandle,
}

impl Kept {
    fn new(text: impl Into<Bytes>, media_type: &str) -> Self {
        let store = MemoryResults::new(Arc::new(SystemClock));
        let principal = tool_connect_core::Principal::user("acme", "ada").expect("a principal");
        let new = NewResult {
            tenant: principal.tenant.clone(),
            user: principal.user.clone(),
            media_type: media_type.to_owned(),
            name: None,
            keep: std::time::Duration::from_secs(60),
            max_bytes: u64::MAX,
        };
        let data = futures_util::stream::once(std::future::ready(Ok(text.into())));
        let handle = now(store.put(new, Box::pin(data))).expect("stored").handle;
        Self { store, principal, handle }
    }

    fn read(&self, from: &str, budget: Budget) -> Result<ResultPart> {
        let patience = Patience(std::time::Duration::from_secs(5));
        now(read(&self.store, patience, &self.principal, &self.handle, from, &measure(budget)))
    }

    /// Everything from a position on, read in parts of at most so many bytes; more only where not even one part fits.
    fn all(&self, position: &str, room: usize) -> Value {
        let part = match self.read(position, Budget::Bytes(room)) {
            Ok(part) => part,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TooLarge);
                return self.all(position, room * 2);
            }
        };
        assert!(part.body.len() <= room);
        let (pointer, offset) = position.rsplit_once('#').expect("a position");
        let outer = part.cuts.iter().find(|cut| cut.pointer == pointer);
        assert_eq!(part.next, outer.map(Cut::position));
        self.whole(&part.body, &part.cuts, pointer, offset.parse().expect("a number"), room)
    }

    /// A part, which begins at `offset` of the value at `pointer`, with everything that was cut put back.
    fn whole(&self, text: &[u8], cuts: &[Cut], pointer: &str, offset: usize, room: usize) -> Value {
        let mut value: Value = serde_json::from_slice(text).expect("valid JSON");
        for cut in cuts {
            let mut below = cut.pointer.strip_prefix(pointer).expect("below").to_owned();
            if value.is_array() && !below.is_empty() {
                // Items of a part are counted from the beginning of the whole.
                let (index, deeper) = below[1..]
                    .split_once('/')
                    .map_or((&below[1..], String::new()), |(i, d)| (i, format!("/{d}")));
                below = format!("/{}{deeper}", index.parse::<usize>().expect("an index") - offset);
            }
            let start = if below.is_empty() { offset } else { 0 };
            let place = value.pointer_mut(&below).expect("the cut's place");
            put(place, start, cut, self.all(&cut.position(), room));
        }
        value
    }
}

/// Puts what was missing into the place of a mark.
fn put(place: &mut Value, start: usize, cut: &Cut, rest: Value) {
    match (place, rest) {
        (Value::Array(items), Value::Array(rest)) if cut.unit == CutUnit::Items => {
            items.pop().expect("a mark");
            items.extend(rest);
        }
        (Value::Object(fields), Value::Object(rest)) if cut.unit == CutUnit::Fields => {
            fields.remove("…").expect("a mark");
            fields.extend(rest);
        }
        (Value::String(text), Value::String(rest)) if cut.unit == CutUnit::Bytes => {
            text.truncate(cut.next - start);
            text.push_str(&rest);
        }
        // All of it was left out.
        (place, rest) => {
            assert_eq!((cut.next, cut.unit), (0, CutUnit::Bytes), "{cut:?}");
            *place = rest;
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-zñ€😀\"\\\\\n\u{1}/~#]{0,200}", "[a-z ]{0,2000}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 200, 24, |inner| {
        let name = "[a-zé/~#.\"]{0,12}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..24).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..24)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_cut_is_json_within_its_budget_and_reading_on_gives_the_rest(value in values(), room in LEAST..3000) {
        let text = value.to_string();
        let piece = cut(&text, "", 0, room);
        prop_assert!(piece.text.len() <= room);
        prop_assert_eq!(piece.cuts.is_empty(), piece.text == text);
        let kept = Kept::new(text, "application/json");
        let again = kept.whole(piece.text.as_bytes(), &piece.cuts, "", 0, room.max(64));
        // A number that is all of the result and longer than its room is read as the text that it is.
        let again = match again {
            Value::String(text) if value.is_number() => serde_json::from_str(&text).expect("a number"),
            again => again,
        };
        prop_assert_eq!(again, value);
    }

    #[test]
    fn a_text_is_read_to_its_end(text in "[a-zñ€😀\"\\\\\n\u{1}]{0,400}", room in 64_usize..300) {
        let kept = Kept::new(text.clone(), "text/plain; charset=utf-8");
        let (mut from, mut all) = (Some("#0".to_owned()), String::new());
        while let Some(position) = from {
            let part = kept.read(&position, Budget::Bytes(room)).expect("a part");
            prop_assert!(part.body.len() <= room);
            all.push_str(&serde_json::from_slice::<String>(&part.body).expect("a string"));
            from = part.next;
        }
        prop_assert_eq!(all, text);
    }
}

#[test]
fn positions_that_are_not_there_and_budgets_too_small_are_refused() {
    let kept =
        Kept::new(json!({"a/b": [{"x": "y".repeat(200)}], "s": "text"}).to_string(), "application/json");
    let kind = |from: &str, budget| kept.read(from, budget).map_err(|e| e.kind());
    for from in [
        "/nothing#0",
        "/a~1b/7#0",
        "/a~1b/x#0",
        "/s/0#0",
        "items",
        "#-1",
        "#1.5",
        "#",
        "/s#99999999999999999999",
        "x#0",
    ] {
        assert_eq!(kind(from, Budget::Bytes(500)), Err(ErrorKind::InvalidArguments), "{from}");
    }
    assert_eq!(kind("#0", Budget::Bytes(63)), Err(ErrorKind::InvalidArguments));
    assert_eq!(kind("#0", Budget::Tokens(0)), Err(ErrorKind::InvalidArguments));
    let part = kept.read("/a~1b/0/x#190", Budget::Bytes(64)).expect("a part");
    assert_eq!((part.body, part.next), (Bytes::from(format!("\"{}\"", "y".repeat(10))), None));
    assert_eq!(kept.read("/a~1b#5", Budget::Bytes(64)).expect("a part").body, "[]");

    let name = format!("{{\"{}\":1,\"b\":2}}", "k".repeat(500));
    let kept = Kept::new(name, "application/json");
    assert_eq!(kept.read("#0", Budget::Bytes(100)).map_err(|e| e.kind()), Err(ErrorKind::TooLarge));
    assert_eq!(kept.read("#1", Budget::Bytes(100)).expect("a part").body, r#"{"b":2}"#);
}

#[test]
fn what_is_no_text_is_not_read_on() {
    let kept = Kept::new(&b"\xff\xd8\xff"[..], "image/jpeg");
    assert_eq!(kept.read("#0", Budget::Bytes(100)).map_err(|e| e.kind()), Err(ErrorKind::Unsupported));
    let kept = Kept::new(&b"a\xff\xd8\xff"[..], "text/plain");
    assert_eq!(kept.read("#0", Budget::Bytes(100)).map_err(|e| e.kind()), Err(ErrorKind::Unsupported));
    let kept = Kept::new("€".repeat(100), "text/plain");
    assert_eq!(kept.read("#1", Budget::Bytes(100)).map_err(|e| e.kind()), Err(ErrorKind::InvalidArguments));
    let broken = Kept::new("{\"a\": 1", "application/json");
    assert_eq!(broken.read("#0", Budget::Bytes(100)).expect("text").body, "\"{\\\"a\\\": 1\"");
}

#[test]
fn a_text_that_ends_within_a_character_is_read_to_there_and_said_to_end() {
    let kept = Kept::new(&b"ab\xe2\x82"[..], "text/plain");
    let part = kept.read("#0", Budget::Bytes(100)).expect("what there is");
    assert_eq!((&*part.body, part.next.as_deref()), (&b"\"ab\""[..], Some("#2")));
    assert_eq!(kept.read("#2", Budget::Bytes(100)).map_err(|e| e.kind()), Err(ErrorKind::Unsupported));
}

#[tokio::test]
async fn a_large_text_is_worked_on_elsewhere() {
    let here = std::thread::current().id();
    let there = |size| apart(size, || std::thread::current().id());
    assert_eq!(there(AT_ONCE).await.expect("an id"), here);
    assert_ne!(there(AT_ONCE + 1).await.expect("an id"), here);
    let panics: Result<()> = apart(AT_ONCE + 1, || panic!("as the test wants")).await;
    assert_eq!(panics.map_err(|e| e.kind()), Err(ErrorKind::Panicked));
    // Outside of a runtime there is no other thread.
    let outside = std::thread::spawn(|| now(apart(AT_ONCE + 1, || 1)).expect("done")).join();
    assert_eq!(outside.expect("no panic"), 1);
}
