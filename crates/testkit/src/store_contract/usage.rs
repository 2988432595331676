//! Usage: sums, percentiles, ranges; over several nodes.

use portreeve_core::time::Timestamp;
use portreeve_core::usage::{UsageEvent, UsageOutcome, UsageQuery, UsageRow};

use super::{Durable, Outcome};
use crate::store_fixtures::parse;

const MINUTE: i64 = 60_000;

fn minute(number: i64) -> Timestamp {
    Timestamp::from_millis(29_800_000 * MINUTE + number * MINUTE)
}

fn call(at: Timestamp, outcome: UsageOutcome, latency_us: u64) -> UsageEvent {
    UsageEvent {
        at,
        server: parse("com.acme/billing"),
        method: "tools/call".into(),
        tool: Some("add".into()),
        caller: "key:deploy".into(),
        client: None,
        outcome,
        latency_us,
        bytes_in: 10,
        bytes_out: 100,
    }
}

fn over(from: Timestamp, to: Timestamp) -> UsageQuery {
    UsageQuery {
        from,
        to,
        server: None,
        client: None,
    }
}

/// Calls of several batches, callers and nodes are summed; refused and limited ones do not count for the latency.
pub async fn usage_is_summed_over_nodes(store: &dyn Durable, other_node: &dyn Durable) -> Outcome {
    let mut events: Vec<_> = (1..=100)
        .map(|ms| call(minute(0), UsageOutcome::Ok, ms * 1_000))
        .collect();
    let mut other_caller = events.split_off(60);
    other_caller
        .iter_mut()
        .for_each(|event| event.caller = "anonymous".into());
    store.add_usage(&events).await?;
    store.add_usage(&[]).await?;
    other_node.add_usage(&other_caller).await?;
    for (outcome, count) in [
        (UsageOutcome::ToolError, 3),
        (UsageOutcome::UpstreamError, 2),
        (UsageOutcome::Refused, 50),
        (UsageOutcome::Limited, 40),
        (UsageOutcome::Cancelled, 1),
    ] {
        // Latencies that would spoil the percentiles if they counted where they must not.
        let latency = if matches!(outcome, UsageOutcome::Refused | UsageOutcome::Limited) {
            1
        } else {
            50_000
        };
        let batch = vec![call(minute(0), outcome, latency); count];
        store.add_usage(&batch).await?;
    }
    let mut list = call(minute(0), UsageOutcome::Ok, 5);
    (list.method, list.tool) = ("tools/list".into(), None);
    store.add_usage(&[list]).await?;

    let rows = other_node.usage(&over(minute(0), minute(1))).await?;
    let [calls, lists] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(
        (calls.method.as_str(), calls.tool.as_deref()),
        ("tools/call", Some("add"))
    );
    assert_eq!(
        (calls.calls, calls.errors, calls.refused, calls.limited),
        (196, 5, 50, 40)
    );
    assert_eq!((calls.bytes_in, calls.bytes_out), (1_960, 19_600));
    let p50 = calls.p50_us.unwrap_or_default();
    assert!((50_000..=57_000).contains(&p50), "p50 {p50}");
    let p95 = calls.p95_us.unwrap_or_default();
    assert!((94_000..=107_000).contains(&p95), "p95 {p95}");
    let expected = UsageRow {
        server: parse("com.acme/billing"),
        method: "tools/list".to_owned(),
        tool: None,
        calls: 1,
        errors: 0,
        refused: 0,
        limited: 0,
        p50_us: Some(5),
        p95_us: Some(5),
        bytes_in: 10,
        bytes_out: 100,
    };
    assert_eq!(*lists, expected);
    Ok(())
}

/// A range begins with the minute in which `from` lies and ends before `to`; old minutes are forgotten.
pub async fn usage_is_kept_by_the_minute(store: &dyn Durable) -> Outcome {
    let mut events = Vec::new();
    for number in 0..5 {
        events.push(call(minute(number), UsageOutcome::Refused, 1));
        events.push(call(
            Timestamp::from_millis(minute(number).as_millis() + 59_999),
            UsageOutcome::Refused,
            1,
        ));
    }
    let mut other = call(minute(2), UsageOutcome::Ok, 1);
    other.server = parse("com.acme/other");
    events.push(other);
    store.add_usage(&events).await?;
    let calls = |rows: &[UsageRow]| rows.iter().map(|row| row.calls).collect::<Vec<_>>();

    let rows = store.usage(&over(minute(1), minute(3))).await?;
    assert_eq!(calls(&rows), [4, 1]);
    assert_eq!(
        rows.first().map(|row| (row.p50_us, row.p95_us)),
        Some((None, None))
    );
    let inside = Timestamp::from_millis(minute(1).as_millis() + 30_000);
    assert_eq!(calls(&store.usage(&over(inside, minute(2))).await?), [2]);
    let query = UsageQuery {
        server: Some(parse("com.acme/other")),
        ..over(minute(0), minute(9))
    };
    assert_eq!(calls(&store.usage(&query).await?), [1]);

    store.purge_usage(inside).await?;
    assert_eq!(calls(&store.usage(&over(minute(0), minute(9))).await?), [8, 1]);
    store.purge_usage(minute(9)).await?;
    assert!(store.usage(&over(minute(0), minute(9))).await?.is_empty());
    Ok(())
}

/// What an OAuth client did in somebody's name is counted by itself, with its own latencies; all of it is in the sum.
pub async fn usage_is_told_by_client(store: &dyn Durable) -> Outcome {
    let by = |client: Option<&str>, latency: u64| UsageEvent {
        client: client.map(Into::into),
        ..call(minute(0), UsageOutcome::Ok, latency)
    };
    let editor = "https://host.example/client.json";
    let events = [
        by(None, 1_000),
        by(Some(editor), 64_000),
        by(Some(editor), 64_000),
        by(Some("dcr_1"), 1_000),
    ];
    store.add_usage(&events).await?;
    store.add_usage(&[by(Some(editor), 64_000)]).await?;
    let whole = over(minute(0), minute(1));
    let of = |client: &str| UsageQuery {
        client: Some(client.to_owned()),
        ..whole.clone()
    };
    let calls = |rows: Vec<UsageRow>| rows.iter().map(|row| row.calls).collect::<Vec<_>>();
    assert_eq!(calls(store.usage(&whole).await?), [5]);
    assert_eq!(calls(store.usage(&of("dcr_1")).await?), [1]);
    assert!(store.usage(&of("nobody")).await?.is_empty());
    let rows = store.usage(&of(editor)).await?;
    assert_eq!(rows.first().map(|row| row.calls), Some(3));
    assert!(
        rows.first().and_then(|row| row.p50_us) >= Some(60_000),
        "{rows:?}"
    );
    Ok(())
}

/// A batch with many callers and long names is stored.
pub async fn large_batches_are_stored(store: &dyn Durable) -> Outcome {
    let events: Vec<_> = (0..1_000)
        .map(|number| {
            let mut event = call(minute(0), UsageOutcome::Ok, number);
            event.caller = format!("key:{number}").into();
            event.tool = Some("é".repeat(3_000).into());
            event
        })
        .collect();
    store.add_usage(&events).await?;
    store.add_usage(&events).await?;
    let rows = store.usage(&over(minute(0), minute(1))).await?;
    assert_eq!(rows.iter().map(|row| row.calls).collect::<Vec<_>>(), [2_000]);
    Ok(())
}
