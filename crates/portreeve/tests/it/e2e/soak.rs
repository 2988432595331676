//! A long mixed load, with everything that goes wrong on either side; at its end the node holds no more than it held
//! when it had warmed up. Run by `cargo xtask soak`; no other run takes it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::bad_upstreams_house::{ERAS, House};
use crate::rogue::{hang, json_answer, reset, result, stream, well};
use crate::web::{LegacyHost, modern};

const WORKERS: u64 = 12;
const BETWEEN_SAMPLES: Duration = Duration::from_secs(2);
/// What may be added between the two fifths that are compared, beside a tenth: pages that the allocator keeps, a
/// connection more or less.
const SLACK: [(&str, u64); 4] = [
    ("VmRSS", 8 * 1024),
    ("descriptors", 16),
    ("threads", 4),
    ("tasks", 32),
];

/// What is drawn for each step of a worker.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `cargo xtask soak` runs it"]
async fn what_a_node_holds_is_flat_after_a_long_load() {
    let folder = TempDir::new().expect("a temporary directory");
    let file = folder.path().join("portreeve.toml");
    // Abandoned sessions reach their limit early, so that the rest of the time shows what grows beside them.
    std::fs::write(&file, "[limits]\nsessions_per_caller = 50\n").expect("a configuration file");
    let metrics = free_port();
    let config = file.display().to_string();
    let house = House::start_with(&["--config", &config, "--metrics-listen", &metrics]).await;
    house
        .node
        .cli_json(&["route", "set", "com.acme/bad", "--timeout", "1s"]);
    misbehave(&house);
    let house = Arc::new(house);
    let (stop, steps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let workers: Vec<_> = (1..=WORKERS)
        .map(|number| {
            let (house, stop, steps) = (Arc::clone(&house), Arc::clone(&stop), Arc::clone(&steps));
            tokio::spawn(async move {
                let mut dice = Dice(number * 0x9e37_79b9);
                while !stop.load(Ordering::Relaxed) {
                    step(&house, &mut dice).await;
                    steps.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(dice.roll(20))).await;
                }
            })
        })
        .collect();
    let samples = sample(&house, &metrics, duration()).await;
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("a worker meets no surprise");
    }
    println!("{} steps", steps.load(Ordering::Relaxed));
    judge(&samples);
    is_empty_after(&house, &metrics).await;
    house.is_well().await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask soak` says so in the environment"
)]
fn duration() -> Duration {
    let minutes = std::env::var("PORTREEVE_SOAK_MINUTES").ok();
    Duration::from_secs(60 * minutes.and_then(|text| text.parse().ok()).unwrap_or(10))
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// The bad server does something else to each call.
fn misbehave(house: &House) {
    let turn = AtomicU64::new(0);
    house.rogue.on_call(move |mut connection, asked| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        async move {
            let id = &asked.message["id"];
            let bytes = match turn % 10 {
                0 => {
                    reset(connection);
                    return None;
                }
                1 if turn % 50 == 1 => return hang(connection).await,
                2 => b"HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno".to_vec(),
                3 => stream(&format!("data: {}", result(id, "cut"))),
                4 => stream(&format!("data: {}\n\n", result(&json!("other"), "x"))),
                5 => json_answer(&result(id, &"x".repeat(200_000))),
                6 => stream(&format!(": hi\n\ndata: {}\n\n", result(id, &"y".repeat(100_000)))),
                7 => json_answer("{\"jsonrpc\":"),
                _ => well(&asked.message),
            };
            let _ = connection.write_all(&bytes).await;
            (turn % 10 >= 7).then_some(connection)
        }
    });
}

/// One thing that hosts do.
async fn step(house: &House, dice: &mut Dice) {
    let (node, good) = (&house.node, house.neighbour_endpoint());
    let post = |method: &'static str, params| {
        let (headers, body) = modern(Some(&node.key), 1, method, params);
        let good = good.clone();
        async move { node.web.ask("POST", &good, &headers, body).await }
    };
    match dice.roll(14) {
        0..=2 => drop(post("tools/call", json!({"name": "echo", "arguments": {"a": "b"}})).await),
        3 => drop(post("tools/list", json!({})).await),
        4 => drop(
            post(
                "tools/call",
                json!({"name": "slow", "arguments": {"ms": dice.roll(200)}}),
            )
            .await,
        ),
        5 => drop(post("tools/call", json!({"name": "nobody", "arguments": {}})).await),
        6 => drop(post("no/such", json!({})).await),
        7 | 8 => drop(house.call(ERAS[usize::from(dice.roll(2) == 0)], json!({})).await),
        9 => session(house, &good, dice.roll(4) == 0).await,
        10 => {
            // A host that leaves in the middle of a stream.
            let params = json!({"name": "slow", "arguments": {"ms": 500}});
            let (headers, body) = modern(Some(&node.key), 1, "tools/call", params);
            let mut stream = node.web.open("POST", &good, &headers, body).await;
            stream.message().await;
        }
        11 => {
            let authorization = [("authorization", "Bearer prv_nobody_nothing".to_owned())];
            drop(node.web.ask("POST", &good, &authorization, "{}".to_owned()).await);
        }
        12 => {
            let authorization = [("authorization", format!("Bearer {}", node.key))];
            drop(
                node.web
                    .ask("POST", &good, &authorization, "[not json".to_owned())
                    .await,
            );
        }
        _ => half_a_request(house, dice.roll(2) == 0).await,
    }
}

/// A legacy host's whole life; some never end their session.
async fn session(house: &House, endpoint: &str, abandoned: bool) {
    let node = &house.node;
    let host = LegacyHost::connect(&node.web, endpoint, Some(&node.key)).await;
    host.request(json!(1), "tools/list", json!({})).await;
    host.request(
        json!(1),
        "tools/call",
        json!({"name": "echo", "arguments": {"a": 1}}),
    )
    .await;
    if !abandoned {
        drop(
            node.web
                .ask("DELETE", endpoint, &host.headers, String::new())
                .await,
        );
    }
}

async fn half_a_request(house: &House, with_reset: bool) {
    let Ok(mut connection) = TcpStream::connect(house.node.url.trim_start_matches("http://")).await else {
        return;
    };
    let _ = connection
        .write_all(b"POST /s/good/mcp HTTP/1.1\r\ncontent-length: 100\r\n")
        .await;
    if with_reset {
        reset(connection);
    }
}

type Samples = BTreeMap<&'static str, Vec<u64>>;

async fn sample(house: &House, metrics: &str, duration: Duration) -> Samples {
    let (begun, mut samples) = (Instant::now(), Samples::new());
    while begun.elapsed() < duration {
        tokio::time::sleep(BETWEEN_SAMPLES).await;
        let node = &house.node;
        for (name, value) in [
            ("VmRSS", node.memory("VmRSS")),
            ("descriptors", node.descriptors()),
            ("threads", node.memory("Threads")),
            ("tasks", gauge(&figures(house, metrics).await, "portreeve_tasks")),
        ] {
            samples.entry(name).or_default().push(value);
        }
        // What this side remembers is not what is measured, but it would not fit for long either.
        house.forget();
    }
    samples
}

fn median(values: &[u64]) -> u64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// Compares the second fifth with the last one.
fn judge(samples: &Samples) {
    let mut grown = Vec::new();
    println!(
        "{:<12} {:>10} {:>10} {:>10}",
        "", "2nd fifth", "last fifth", "most"
    );
    for (name, slack) in SLACK {
        let values = samples.get(name).map(Vec::as_slice).unwrap_or_default();
        let fifth = values.len() / 5;
        let of = |range: std::ops::Range<usize>| median(values.get(range).unwrap_or_default());
        let (early, late) = (of(fifth..2 * fifth), of(values.len() - fifth..values.len()));
        let most = values.iter().max().copied().unwrap_or(0);
        println!("{name:<12} {early:>10} {late:>10} {most:>10}");
        if late > early + early / 10 + slack {
            grown.push(format!("{name} grew from {early} to {late}"));
        }
    }
    assert!(grown.is_empty(), "{grown:?}");
}

/// The node's own figures.
async fn figures(house: &House, metrics: &str) -> String {
    let answer = house.node.web.get(&format!("http://{metrics}/metrics")).await;
    answer.map(|answer| answer.text()).unwrap_or_default()
}

fn gauge(text: &str, name: &str) -> u64 {
    let of = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines()
        .find_map(of)
        .unwrap_or_else(|| panic!("no {name}: {text}"))
}

/// Nothing is open when nobody asks for anything.
async fn is_empty_after(house: &House, metrics: &str) {
    let begun = Instant::now();
    loop {
        let text = figures(house, metrics).await;
        let streams = gauge(&text, "portreeve_open_streams");
        let sessions = gauge(&text, "portreeve_legacy_sessions");
        if streams == 0 && sessions <= 50 {
            println!("{streams} streams and {sessions} sessions are left");
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{streams} streams, {sessions} sessions"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
