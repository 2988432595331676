//! Resources and prompts of a REST API, through a real node: hosts of every transport, the corridor, and news.

use std::time::Duration;

use serde_json::{Value, json};

use crate::node::Node;
use crate::pets::{NAME, Pets};
use crate::sse_host::SseHost;

const CURATION: &str = "
tools: {deletePet: {description: Takes a pet away.}}
resources:
  listPets: {name: pets, arguments: {limit: {hide: true}}}
  getPet: {title: One pet}
prompts:
  greet: {file: texts/greet.md, arguments: [{name: pet, required: true}]}
";

/// Makes a version of the kept description with these choices.
fn choose(node: &Node, curation: &str, more: &[&str]) -> Value {
    let folder = node.data().join("choices");
    std::fs::create_dir_all(folder.join("texts")).unwrap();
    std::fs::write(folder.join("texts/greet.md"), "Say hello to {{pet}}.").unwrap();
    let file = folder.join("curation.yaml");
    std::fs::write(&file, curation).unwrap();
    let file = file.display().to_string();
    let words = ["server", "openapi", NAME, "--curation", &file];
    node.cli_json(&[&words[..], more].concat())
}

async fn offering() -> Pets {
    let pets = Pets::start().await;
    let seen = choose(&pets.node, CURATION, &["--dry-run"]);
    let kinds = seen["changes"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["added", "added", "added", "harmless"], "{seen}");
    choose(&pets.node, CURATION, &["--approve"]);
    pets
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_every_transport_read_the_same_resources_and_prompts() {
    let pets = offering().await;
    let host = pets.legacy(&pets.node.key).await;
    let promised = &host.hello.json()["result"]["capabilities"];
    assert_eq!(promised["resources"], json!({"listChanged": true}), "{promised}");
    assert_eq!(promised["prompts"], json!({"listChanged": true}));
    let mut old = SseHost::ready(&pets.node, &pets.slug, &pets.node.key).await;
    let read = |uri: &str| ("resources/read", json!({"uri": uri}));
    let greet = json!({"name": "greet", "arguments": {"pet": "Ada"}});
    for (at, (method, params)) in [
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        read("api:///v1/pets"),
        read("api:///v1/pets/1"),
        ("prompts/get", greet),
    ]
    .into_iter()
    .enumerate()
    {
        let mut modern = pets.modern(method, params.clone()).await["result"].clone();
        let fields = modern.as_object_mut().unwrap_or_else(|| panic!("{method}"));
        for member in ["resultType", "_meta", "ttlMs", "cacheScope"] {
            fields.remove(member);
        }
        let legacy = host.request(json!(at), method, params.clone()).await.json();
        assert_eq!(legacy["result"], modern, "{method}");
        let said = old.ask(json!(at), method, params).await;
        assert_eq!(said["result"], modern, "{method}");
        let words = modern.to_string();
        let wanted = match at {
            0 => "api:///v1/pets\"",
            1 => "api:///v1/pets/{id}",
            2 => "greet",
            3 => "Bob",
            4 => "Ada",
            _ => "Say hello to Ada.",
        };
        assert!(words.contains(wanted), "{method}: {words}");
    }
    let gone = pets
        .modern("resources/read", json!({"uri": "api:///v1/pets/0"}))
        .await;
    assert_eq!(gone["error"]["data"]["uri"], "api:///v1/pets/0", "{gone}");
    let audit = pets.node.cli_json(&["audit", "list"]).to_string();
    assert!(
        audit.contains("resources/read") && audit.contains("api:///v1/pets/1"),
        "{audit}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_guarded_and_counted_like_tools() {
    let pets = offering().await;
    let key = pets.node.new_key("stranger");
    let stranger = pets.legacy(&key).await;
    let list = stranger
        .request(json!(1), "resources/list", json!({}))
        .await
        .json();
    assert_eq!(list["result"]["resources"], json!([]), "{list}");
    let before = pets.seen().len();
    let params = json!({"uri": "api:///v1/pets/1"});
    let read = stranger.request(json!(2), "resources/read", params).await.json();
    assert!(read["error"].is_object(), "{read}");
    assert_eq!(pets.seen().len(), before);
    pets.node.cli_json(&[
        "policy",
        "set",
        NAME,
        "rate_limit",
        "--calls",
        "1",
        "--per",
        "60s",
    ]);
    let host = pets.legacy(&pets.node.key).await;
    let mut limited = false;
    for number in 0..20 {
        // Each URI is another one, and the limit is one for all of them.
        let params = json!({"uri": format!("api:///v1/pets/{}", number + 1)});
        let answer = host.request(json!(number), "resources/read", params).await;
        limited |= answer.status == 429;
        if limited {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(limited, "the limit holds for what is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_hear_when_resources_and_prompts_changed() {
    let pets = offering().await;
    let host = pets.legacy(&pets.node.key).await;
    let url = pets.node.endpoint(&pets.slug);
    let mut stream = pets
        .node
        .web
        .open("GET", &url, &host.headers, String::new())
        .await;
    let other = CURATION.replace("One pet", "A pet").replace("greet:", "welcome:");
    choose(&pets.node, &other, &["--approve"]);
    let mut heard = Vec::new();
    for _ in 0..2 {
        let next = tokio::time::timeout(Duration::from_secs(30), stream.message());
        let next = next.await.expect("news in time").expect("an open stream");
        heard.push(next["method"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        heard,
        [
            "notifications/resources/list_changed",
            "notifications/prompts/list_changed"
        ]
    );
}
