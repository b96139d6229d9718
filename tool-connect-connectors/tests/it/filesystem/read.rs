//! `read`: whole files, ranges of bytes and lines, and what comes by handle.

use serde_json::{Value, json};
use tool_connect_core::{Effect, ErrorKind};

use super::{house, house_with, put};
use crate::bench::Bench;

async fn read(bench: &Bench, arguments: Value) -> Value {
    bench.call("read", arguments).await.unwrap()
}

#[tokio::test]
async fn a_text_comes_whole() {
    let (temp, bench) = house();
    put(&temp, "a.txt", "grüß\r\ngott\n");
    let found = read(&bench, json!({"path": "a.txt"})).await;
    assert_eq!(
        (&found["text"], &found["size"], &found["path"]),
        (&json!("grüß\r\ngott\n"), &json!(13), &json!("a.txt"))
    );
    assert!(found.get("file").is_none() && found.get("next_offset").is_none());
    put(&temp, "empty", "");
    assert_eq!(read(&bench, json!({"path": "empty"})).await["text"], "");
}

#[tokio::test]
async fn exactly_the_cap_is_in_place_and_one_more_is_not() {
    let (temp, bench) = house_with(|files| files.max_read_bytes(100));
    put(&temp, "fits.md", "x".repeat(100));
    put(&temp, "more.md", "x".repeat(101));
    assert_eq!(read(&bench, json!({"path": "fits.md"})).await["text"].as_str().unwrap().len(), 100);
    let found = read(&bench, json!({"path": "more.md"})).await;
    assert!(found.get("text").is_none());
    assert_eq!((&found["file"]["size"], &found["file"]["name"]), (&json!(101), &json!("more.md")));
    assert_eq!(found["file"]["media_type"], "text/markdown");
    assert_eq!(bench.bytes(&found["file"]).await, "x".repeat(101).into_bytes());
}

#[tokio::test]
async fn what_is_not_text_comes_by_handle() {
    let (temp, bench) = house();
    let image: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    for (name, content, media_type) in [
        ("a.png", image.clone(), "image/png"),
        ("nul", b"a\0b".to_vec(), "application/octet-stream"),
        ("latin1.txt", b"caf\xe9".to_vec(), "application/octet-stream"),
        ("cut.txt", "é".as_bytes()[..1].to_vec(), "application/octet-stream"),
    ] {
        put(&temp, name, &content);
        let found = read(&bench, json!({"path": name})).await;
        assert!(found.get("text").is_none(), "{name}");
        assert_eq!(found["file"]["media_type"], media_type, "{name}");
        assert_eq!(bench.bytes(&found["file"]).await, content, "{name}");
    }
    // A range of it, too.
    let found = read(&bench, json!({"path": "a.png", "offset": 250, "length": 10})).await;
    assert_eq!(bench.bytes(&found["file"]).await, image[250..260]);
    let error = bench.refused("read", json!({"path": "nul", "start_line": 1})).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn what_is_over_every_cap_is_refused_and_ranges_still_work() {
    let (temp, bench) = house_with(|files| files.max_read_bytes(10).max_handle_bytes(20));
    put(&temp, "big", "0123456789".repeat(3));
    let error = bench.refused("read", json!({"path": "big"})).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::TooLarge, Effect::None));
    assert!(error.public_message().contains("`offset`"), "{}", error.public_message());
    let found = read(&bench, json!({"path": "big", "offset": 25})).await;
    assert_eq!(found["text"], "56789");
}

#[tokio::test]
async fn byte_ranges_put_together_give_the_text_whatever_their_length() {
    let (temp, bench) = house();
    let content = "aé€😀\n".repeat(9);
    put(&temp, "a", &content);
    for length in 1..12 {
        let (mut text, mut offset) = (String::new(), 0);
        loop {
            let part = read(&bench, json!({"path": "a", "offset": offset, "length": length})).await;
            assert_eq!(part["offset"], offset);
            let piece = part["text"].as_str().unwrap();
            assert!(piece.len() <= length.max(4));
            text.push_str(piece);
            match part.get("next_offset") {
                Some(next) => offset = next.as_u64().unwrap(),
                None => break,
            }
        }
        assert_eq!(text, content, "length {length}");
    }
}

#[tokio::test]
async fn byte_ranges_at_the_edges() {
    let (temp, bench) = house_with(|files| files.max_read_bytes(8));
    put(&temp, "a", "0123456789");
    let range = |offset: u64, length: u64| json!({"path": "a", "offset": offset, "length": length});
    let all = read(&bench, range(0, 10)).await;
    assert_eq!((&all["text"], &all["next_offset"]), (&json!("01234567"), &json!(8)));
    let exact = read(&bench, range(2, 8)).await;
    assert_eq!((&exact["text"], exact.get("next_offset")), (&json!("23456789"), None));
    let last = read(&bench, range(9, 1)).await;
    assert_eq!((&last["text"], last.get("next_offset")), (&json!("9"), None));
    for offset in [10, 11, u64::MAX / 2, u64::MAX] {
        let none = read(&bench, range(offset, 5)).await;
        assert_eq!((&none["text"], none.get("next_offset")), (&json!(""), None), "{offset}");
    }
    // From the middle of a character on, the next one is the first.
    put(&temp, "b", "€uro");
    let moved = read(&bench, json!({"path": "b", "offset": 1})).await;
    assert_eq!((&moved["text"], &moved["offset"]), (&json!("uro"), &json!(3)));
}

#[tokio::test]
async fn line_ranges_at_the_edges() {
    let (temp, bench) = house();
    put(&temp, "a", "one\ntwo\r\nthree");
    let lines = |start: u64, count: u32| json!({"path": "a", "start_line": start, "max_lines": count});
    for (arguments, text, offset, next) in [
        (lines(1, 1), "one\n", 0, Some(2)),
        (lines(2, 1), "two\r\n", 4, Some(3)),
        (lines(2, 2), "two\r\nthree", 4, None),
        (lines(3, 9), "three", 9, None),
        (lines(4, 1), "", 14, None),
        (lines(999, 1), "", 14, None),
        (json!({"path": "a", "max_lines": 2}), "one\ntwo\r\n", 0, Some(3)),
        (json!({"path": "a", "start_line": 2}), "two\r\nthree", 4, None),
    ] {
        let found = read(&bench, arguments.clone()).await;
        assert_eq!((&found["text"], &found["offset"]), (&json!(text), &json!(offset)), "{arguments}");
        assert_eq!(found.get("next_line").and_then(Value::as_u64), next, "{arguments}");
    }
    put(&temp, "ends", "one\n");
    assert_eq!(read(&bench, json!({"path": "ends", "max_lines": 1})).await.get("next_line"), None);
}

#[tokio::test]
async fn lines_stop_at_the_cap_between_lines() {
    let (temp, bench) = house_with(|files| files.max_read_bytes(10));
    put(&temp, "a", "12345\n1234\n12\n");
    let found = read(&bench, json!({"path": "a", "start_line": 1})).await;
    assert_eq!((&found["text"], &found["next_line"]), (&json!("12345\n"), &json!(2)));
    let found = read(&bench, json!({"path": "a", "start_line": 2})).await;
    assert_eq!((&found["text"], found.get("next_line")), (&json!("1234\n12\n"), None));
    // A line that alone is too long is cut between characters; the rest is read by bytes.
    put(&temp, "long", format!("x\n{}\ny", "€".repeat(5)));
    let found = read(&bench, json!({"path": "long", "start_line": 2})).await;
    assert_eq!((&found["text"], &found["next_offset"]), (&json!("€€€"), &json!(11)));
    let rest = read(&bench, json!({"path": "long", "offset": 11})).await;
    assert_eq!(rest["text"], "€€\ny");
}

#[tokio::test]
async fn contradictions_and_directories_are_refused() {
    let (temp, bench) = house();
    put(&temp, "d/a", "x");
    for (arguments, pointer) in [
        (json!({"path": "d/a", "start_line": 1, "offset": 0}), "/offset"),
        (json!({"path": "d/a", "max_lines": 1, "length": 1}), "/length"),
        (json!({"path": "d/a", "start_line": 0}), "/start_line"),
        (json!({"path": "d"}), "/path"),
    ] {
        let error = bench.refused("read", arguments).await;
        assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, pointer));
    }
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_ends() {
    let (temp, bench) = house();
    put(&temp, "a", "line\n".repeat(100_000));
    bench.shared.patience.store(2, std::sync::atomic::Ordering::Relaxed);
    for arguments in [json!({"path": "a", "start_line": 99_999}), json!({"path": "a"})] {
        assert_eq!(bench.refused("read", arguments).await.kind(), ErrorKind::Canceled);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn files_that_the_kernel_makes_up_are_read_to_their_end() {
    // Their size says 0.
    let bench = Bench::new(&tool_connect_connectors::filesystem::Filesystem::new("/proc/self").unwrap());
    let found = read(&bench, json!({"path": "status"})).await;
    assert!(found["text"].as_str().unwrap().starts_with("Name:"));
}

/// A file that says it is short and is not: the cap holds for what is read.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_grows_past_the_cap_is_not_handed_out() {
    let files = tool_connect_connectors::filesystem::Filesystem::new("/proc").unwrap();
    let bench = Bench::new(&files.max_read_bytes(100).max_handle_bytes(200));
    let error = bench.refused("read", json!({"path": "self/status"})).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}
