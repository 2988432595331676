//! What `portreeve webhook` prints.

use serde_json::json;

use super::golden;
use crate::cli::webhook;

#[test]
fn webhooks() {
    let chat = json!({
        "name": "chat", "url": "https://chat.example/hooks/4711", "description": "Tells the team",
        "events": ["server.*", "tools.drifted"], "servers": ["com.acme/*"], "secret": "secret:chat-2",
        "formerSecret": "secret:chat-1", "enabled": true, "privateHosts": [], "updatedBy": "user:admin",
        "updatedAt": "2026-11-01T10:00:00.000Z"
    });
    let stopped = json!({
        "name": "old", "url": "https://old.example/", "events": ["*"], "enabled": false,
        "stoppedBecause": "the receiver answered 410: nobody is there any more"
    });
    let delivered = json!({
        "name": "0190a0a0-0000-7000-8000-000000000001", "type": "server.approved", "server": "com.acme/billing",
        "at": "2026-11-01T10:00:00.000Z", "state": "delivered", "attempts": 1, "lastStatus": 204,
        "lastAt": "2026-11-01T10:00:01.000Z"
    });
    let dead = json!({
        "name": "0190a0a0-0000-7000-8000-000000000002", "type": "tools.drifted", "server": "com.acme/billing",
        "at": "2026-11-01T10:00:00.000Z", "state": "dead", "attempts": 9, "lastStatus": 302,
        "lastError": "the receiver answered 302, and redirects are not followed",
        "lastAt": "2026-11-02T13:00:01.000Z", "body": {"type": "tools.drifted"}
    });
    let list = |items: &[&serde_json::Value]| json!({ "items": items });
    let parts = [
        webhook::render(&list(&[&chat, &stopped])),
        webhook::render_one(&chat),
        webhook::render_deliveries(&list(&[&delivered, &dead])),
        webhook::render_delivery(&dead),
    ];
    golden("webhooks.txt", &(parts.join("\n\n--------\n\n") + "\n"));
}
