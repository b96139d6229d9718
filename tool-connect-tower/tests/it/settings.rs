//! Settings from a file.

use std::time::Duration;

use serde_json::{from_value, json};
use tool_connect_tower::breaker::{BreakerSettings, Window};
use tool_connect_tower::retry::{OverCap, RetrySettings};
use tool_connect_tower::{Limit, limit::InvalidLimit};

#[test]
fn limits_are_written_as_permits_per_time() {
    let limit = |value| from_value::<Limit>(value).map_err(|error| error.to_string());
    assert_eq!(limit(json!({ "permits": 600, "per": "1m" })), Ok(Limit::per_minute(600)));
    assert_eq!(
        limit(json!({ "permits": 600, "per": 60, "burst": 50 })),
        Limit::per_minute(600).with_burst(50).map_err(|why| why.to_string())
    );
    let zero = limit(json!({ "permits": 1, "per": "0s" })).expect_err("no period");
    assert!(zero.contains(&InvalidLimit::ZeroPeriod.to_string()), "{zero}");
    for wrong in [
        json!({ "permits": 1 }),
        json!({ "permits": 1, "per": "1 fortnight" }),
        json!({ "permits": 1, "per": -1 }),
        json!({ "permits": 1, "per": "1s", "brust": 2 }),
    ] {
        assert!(limit(wrong.clone()).is_err(), "{wrong}");
    }
    let unit = limit(json!({ "permits": 1, "per": "1 fortnight" })).expect_err("no such unit");
    assert!(unit.contains("\"30s\""), "it shows how to write one: {unit}");
}

#[test]
fn what_a_file_leaves_out_is_the_default() {
    let empty: BreakerSettings = from_value(json!({})).expect("all defaults");
    assert_eq!(empty, BreakerSettings::default());
    let some: BreakerSettings = from_value(
        json!({ "window": { "time": "1m" }, "slow_call": 2.5, "open_for": "1m 30s", "failure_rate": 0.25 }),
    )
    .expect("valid");
    let expected = BreakerSettings {
        window: Window::Time(Duration::from_secs(60)),
        slow_call: Some(Duration::from_millis(2_500)),
        open_for: Duration::from_secs(90),
        failure_rate: 0.25,
        ..BreakerSettings::default()
    };
    assert_eq!(some, expected);
    let calls: BreakerSettings =
        from_value(json!({ "window": { "calls": 50 }, "slow_call": null })).expect("valid");
    assert_eq!((calls.window, calls.slow_call), (Window::Calls(50), None));
    assert!(from_value::<BreakerSettings>(json!({ "windows": {} })).is_err());

    let retry: RetrySettings =
        from_value(json!({ "max_attempts": 5, "over_cap": "wait_cap" })).expect("valid");
    assert_eq!(
        retry,
        RetrySettings { max_attempts: 5, over_cap: OverCap::WaitCap, ..RetrySettings::default() }
    );
}
