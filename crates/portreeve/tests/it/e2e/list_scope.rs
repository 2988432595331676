//! A-TR-11: a list that one caller was shown is never shown to another one who sees less, however long the server says
//! that it may be kept and by whom.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::served::Served;
use crate::upstream::Speaks;
use crate::web::{Answer, LegacyHost, modern};

/// Requests of each caller in each era.
const TIMES: usize = 20;

fn names(answer: &Answer) -> Vec<String> {
    let tools = answer.json()["result"]["tools"].clone();
    let tools = tools.as_array().unwrap_or_else(|| panic!("{}", answer.text()));
    let names = tools.iter().filter_map(|tool| tool["name"].as_str());
    names.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tr_11_a_list_is_never_shown_to_somebody_who_sees_less() {
    let served = Served::start(Speaks::Both).await;
    served.upstream.lets_keep(60_000, "public");
    let node = &served.node;
    let reader = node.new_key("reader");
    node.cli_json(&[
        "grant",
        "add",
        "--key",
        "reader",
        "--server",
        "com.acme/billing",
        "--read-only",
    ]);
    let callers = [
        (node.key.clone(), &["echo", "wipe", "slow"][..]),
        (reader, &["echo", "slow"][..]),
    ];
    let mut hosts = Vec::new();
    for (key, _) in &callers {
        hosts.push(LegacyHost::connect(&node.web, &served.url, Some(key)).await);
    }
    let asked = (0..TIMES)
        .flat_map(|_| callers.iter().zip(&hosts))
        .map(|((key, expected), host)| {
            let served = &served;
            async move {
                let (headers, body) = modern(Some(key), 1, "tools/list", json!({}));
                let list = served.ask("POST", &headers, &body).await;
                assert_eq!(names(&list), **expected, "{}", list.text());
                assert_eq!(list.json()["result"]["cacheScope"], "private", "{}", list.text());
                let list = host.request(json!(1), "tools/list", json!({})).await;
                assert_eq!(names(&list), **expected, "{}", list.text());
            }
        });
    join_all(asked).await;
    // What is not shown cannot be called either, from whatever list a host knows its name.
    let params: Value = json!({"name": "wipe", "arguments": {}});
    let refused = hosts[1].request(json!(2), "tools/call", params).await.json();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}
