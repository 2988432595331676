//! The rows of what needs a secret of the vault: webhooks with their deliveries, and logins.

use serde_json::json;

use super::{KNOWN, MANAGED, Row, bare, row};

pub(super) fn rows() -> Vec<Row> {
    let one = "/api/v1/webhooks/chat";
    let delivery = "/api/v1/webhooks/chat/deliveries/0190a0a0-0000-7000-8000-000000000001";
    let again = "/api/v1/webhooks/chat/deliveries/0190a0a0-0000-7000-8000-000000000001/send-again";
    vec![
        bare("GET /api/v1/webhook-events", "/api/v1/webhook-events", KNOWN),
        row(
            "PUT /api/v1/secrets/{secret}",
            "/api/v1/secrets/hook",
            [401, 403, 201],
            json!({"value": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
        ),
        row(
            "PUT /api/v1/servers/{name}/logins",
            "/api/v1/servers/com.acme%2Fbilling/logins",
            MANAGED,
            json!({"url": "https://mcp.acme.example/mcp", "login": {"scheme": "bearer", "secret": "secret:hook"}}),
        ),
        bare(
            "GET /api/v1/servers/{name}/logins",
            "/api/v1/servers/com.acme%2Fbilling/logins",
            MANAGED,
        ),
        bare(
            "DELETE /api/v1/servers/{name}/logins",
            "/api/v1/servers/com.acme%2Fbilling/logins?url=https%3A%2F%2Fmcp.acme.example%2Fmcp",
            [401, 403, 204],
        ),
        row(
            "POST /api/v1/webhooks",
            "/api/v1/webhooks",
            [401, 403, 201],
            json!({"name": "chat", "url": "https://chat.example/hook", "secret": "secret:hook"}),
        ),
        bare("GET /api/v1/webhooks", "/api/v1/webhooks", MANAGED),
        bare("GET /api/v1/webhooks/{webhook}", one, MANAGED),
        row(
            "PATCH /api/v1/webhooks/{webhook}",
            one,
            MANAGED,
            json!({"events": ["server.*"], "formerSecret": null}),
        ),
        row(
            "POST /api/v1/webhooks/{webhook}/test",
            "/api/v1/webhooks/chat/test",
            [401, 403, 202],
            json!({}),
        ),
        row(
            "POST /api/v1/webhooks/{webhook}/send-again",
            "/api/v1/webhooks/chat/send-again",
            [401, 403, 202],
            json!({}),
        ),
        bare(
            "GET /api/v1/webhooks/{webhook}/deliveries",
            "/api/v1/webhooks/chat/deliveries?state=waiting",
            MANAGED,
        ),
        // The admin may; but there is no such delivery.
        bare(
            "GET /api/v1/webhooks/{webhook}/deliveries/{delivery}",
            delivery,
            [401, 403, 404],
        ),
        row(
            "POST /api/v1/webhooks/{webhook}/deliveries/{delivery}/send-again",
            again,
            [401, 403, 404],
            json!({}),
        ),
        bare(
            "DELETE /api/v1/webhooks/{webhook}/deliveries/{delivery}",
            delivery,
            [401, 403, 404],
        ),
        bare("DELETE /api/v1/webhooks/{webhook}", one, [401, 403, 204]),
    ]
}
