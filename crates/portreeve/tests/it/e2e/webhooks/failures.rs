//! Receivers that fail, hang, redirect, ask for time, never end, or are gone.

use portreeve_core::time::Timestamp;
use serde_json::json;

use super::{KEY, add, deliveries, hasty, kinds, node, subscribe};
use crate::receiver::{Manner, Receiver};

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_waits_with_the_dead_until_somebody_decides() {
    let (_folder, config) = hasty("[0, 0]");
    let node = node(&config).await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let target = elsewhere.url.clone();
    receiver.behave(move |number, _| match number {
        0 => Manner::Answer(307, vec![("location", target.clone())]),
        1 => Manner::Hang,
        _ => Manner::status(503),
    });
    subscribe(&node, &receiver, &["--event", "server.added"]);
    add(&node, "1.0.0").await;
    let dead = deliveries(&node, "dead", 1).await.remove(0);
    assert_eq!(dead["attempts"], 3, "{dead}");
    assert_eq!(dead["lastStatus"], 503);
    assert_eq!(dead["lastError"], "the receiver answered 503");
    assert_eq!(receiver.told().len(), 3);
    assert!(elsewhere.told().is_empty(), "a redirect is not followed");
    let log = node.log_text();
    for word in ["redirects are not followed", "did not answer within 2s"] {
        assert!(log.contains(word), "{word}");
    }

    let event = dead["name"].as_str().unwrap();
    let shown = node.cli_json(&["webhook", "delivery", "chat", event]);
    assert_eq!(shown["body"]["type"], "server.added");
    assert_eq!(shown["body"]["data"]["server"], "com.acme/billing");
    receiver.behave(|_, _| Manner::status(200));
    let again = node.cli_json(&["webhook", "send-again", "chat"]);
    assert_eq!(again["count"], 1);
    let taken = deliveries(&node, "delivered", 1).await.remove(0);
    assert_eq!((&taken["name"], &taken["attempts"]), (&dead["name"], &json!(1)));
    let told = receiver.told();
    assert!(
        told.iter().all(|one| one.header("webhook-id") == event),
        "one identity"
    );
    assert!(told.iter().all(|one| one.is_signed_by(KEY)));

    receiver.behave(|_, _| Manner::status(400));
    add(&node, "1.1.0").await;
    let dead = deliveries(&node, "dead", 1).await.remove(0);
    let event = dead["name"].as_str().unwrap();
    assert_eq!(
        node.cli(&["webhook", "drop", "chat", event]).status.code(),
        Some(0)
    );
    assert_eq!(
        node.cli(&["webhook", "drop", "chat", event]).status.code(),
        Some(1)
    );
    deliveries(&node, "dead", 0).await;
    let audit = node.api("GET", "/audit?action=webhook.*", None).await.json();
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["webhook.drop", "webhook.send-again", "webhook.create"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_time_gets_it() {
    let (_folder, config) = hasty("[0, 0, 0]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    receiver.behave(|_, _| Manner::Answer(429, vec![("retry-after", "3600".to_owned())]));
    subscribe(&node, &receiver, &["--event", "server.added"]);
    add(&node, "1.0.0").await;
    add(&node, "1.1.0").await;
    let told = receiver.until("the first attempt", |told| !told.is_empty()).await;
    assert_eq!(kinds(&told), ["server.added"]);
    let tried = loop {
        let waiting = deliveries(&node, "waiting", 2).await;
        if let Some(tried) = waiting.iter().find(|one| one["attempts"] == 1) {
            break tried.clone();
        }
    };
    let time = |name: &str| Timestamp::parse(tried[name].as_str().unwrap()).unwrap();
    let pause = time("nextAt").since(time("lastAt"));
    assert!((3599..=3601).contains(&pause.as_secs()), "{tried}");
    // Somebody who mended the receiver does not wait for the hour to pass.
    receiver.behave(|_, _| Manner::status(204));
    let event = tried["name"].as_str().unwrap();
    node.cli_json(&["webhook", "send-again", "chat", event]);
    deliveries(&node, "delivered", 2).await;
    assert_eq!(receiver.told().len(), 3, "nothing else was sent meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_no_burden_and_a_receiver_that_is_gone_is_left_alone() {
    let (_folder, config) = hasty("[0, 0, 0]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    receiver.behave(|_, _| Manner::Endless);
    subscribe(&node, &receiver, &["--event", "server.added"]);
    let before = node.memory("VmRSS");
    add(&node, "1.0.0").await;
    deliveries(&node, "delivered", 1).await;
    let grown = node.memory("VmRSS").saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");

    receiver.behave(|_, _| Manner::status(410));
    add(&node, "1.1.0").await;
    let dead = deliveries(&node, "dead", 1).await.remove(0);
    assert_eq!(dead["attempts"], 1);
    let stopped = node.cli_json(&["webhook", "show", "chat"]);
    assert_eq!(stopped["enabled"], false);
    assert!(
        stopped["stoppedBecause"].as_str().unwrap().contains("410"),
        "{stopped}"
    );
    let audit = node.api("GET", "/audit?action=webhook.stop", None).await.json();
    assert_eq!(audit["items"][0]["actor"], "system");
    add(&node, "1.2.0").await;
    assert_eq!(
        node.api("POST", "/webhooks/chat/test", Some(json!({})))
            .await
            .status,
        422
    );
    receiver.behave(|_, _| Manner::status(204));
    let on = node.cli_json(&["webhook", "edit", "chat", "--enabled", "on"]);
    assert_eq!((&on["enabled"], on.get("stoppedBecause")), (&json!(true), None));
    add(&node, "1.3.0").await;
    deliveries(&node, "delivered", 2).await;
    let versions: Vec<_> = receiver
        .told()
        .iter()
        .map(|one| one.json()["data"]["version"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        versions,
        ["1.0.0", "1.1.0", "1.3.0"],
        "what happened while it was off is not told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_says_nothing_to_whom_its_owner_may_not_know() {
    let (_folder, config) = hasty("[0]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    let key = node.new_key("ops");
    let granted = node.cli_json(&["grant", "add", "--key", "ops", "--manage", "--all-servers"]);
    let hook = json!({
        "name": "chat", "url": receiver.url, "secret": "secret:hook", "internal": true, "events": ["server.added"],
    });
    let headers = [("authorization", format!("Bearer {key}"))];
    let url = format!("{}/api/v1/webhooks", node.url);
    let made = node
        .web
        .ask("POST", &url, &headers, hook.to_string())
        .await
        .unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    add(&node, "1.0.0").await;
    deliveries(&node, "delivered", 1).await;

    let grant = granted["id"].as_str().unwrap();
    assert_eq!(node.cli(&["grant", "remove", grant]).status.code(), Some(0));
    add(&node, "1.1.0").await;
    let dead = deliveries(&node, "dead", 1).await.remove(0);
    let reason = dead["lastError"].as_str().unwrap();
    assert!(
        reason.contains("`key:ops`") && reason.contains("may not operate"),
        "{reason}"
    );
    assert_eq!(receiver.told().len(), 1, "nothing was sent");
    let refused = node.web.ask("GET", &url, &headers, String::new()).await.unwrap();
    assert_eq!(refused.status, 403);
    // An administrator who saves it answers for it.
    node.cli_json(&["webhook", "edit", "chat", "--description", "taken over"]);
    node.cli_json(&["webhook", "send-again", "chat"]);
    deliveries(&node, "delivered", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_operates_has_webhooks_and_opens_no_private_hosts_to_them() {
    let (_folder, config) = hasty("[0]");
    let node = node(&config).await;
    let receiver = Receiver::start().await;
    let key = node.new_key("ops");
    node.cli_json(&["grant", "add", "--key", "ops", "--role", "operator"]);
    let headers = [("authorization", format!("Bearer {key}"))];
    let url = format!("{}/api/v1/webhooks", node.url);
    let hook = json!({"name": "chat", "url": receiver.url, "secret": "secret:hook", "internal": true});
    let refused = node
        .web
        .ask("POST", &url, &headers, hook.to_string())
        .await
        .unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(
        refused.text().contains("let a webhook reach private hosts"),
        "{}",
        refused.text()
    );
    let hook = json!({"name": "chat", "url": "https://93.184.216.34/hook", "secret": "secret:hook"});
    let made = node
        .web
        .ask("POST", &url, &headers, hook.to_string())
        .await
        .unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
}
