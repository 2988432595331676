//! What people see of what is governed beside entries, compared with the committed file.

use serde_json::{Value, json};

use super::golden;
use crate::cli::server::{compare, plan};
use crate::cli::{deployment, environment, metadata, registry, waiting};

fn list(items: Value) -> Value {
    json!({ "items": items, "nextCursor": null })
}

fn route(slug: &str, environment: &str, version: &str) -> Value {
    json!({
        "slug": slug, "environment": environment, "version": version, "state": "active",
        "url": format!("http://127.0.0.1:8080/s/{slug}/mcp"),
    })
}

fn plans() -> Vec<String> {
    let stop = |version: &str| json!({"version": version, "url": "https://acme.example/mcp"});
    let version = json!({
        "name": "com.acme/billing", "version": "1.1.0", "latestNow": "1.0.0", "latestThen": "1.1.0", "hash": "5f0c",
        "moves": [
            {"slug": "billing", "kind": "move", "from": stop("1.0.0"), "to": stop("1.1.0")},
            {"slug": "billing--test", "kind": "create", "from": null, "to": stop("1.1.0")},
            {"slug": "billing--v0", "kind": "stop", "from": stop("0.9.0"), "to": null}
        ]
    });
    let deployments = json!({
        "name": "com.acme/billing", "latestNow": "1.0.0", "latestThen": "1.0.0", "hash": "77aa", "moves": []
    });
    vec![plan::render(&version), plan::render(&deployments)]
}

fn deployments() -> Vec<String> {
    let test = json!({"environment": "test", "url": "https://test.acme.example/mcp", "state": "active"});
    let pinned = json!({
        "environment": "production", "major": "v1", "version": "1.4.0", "url": "https://one.acme.example/mcp",
        "state": "inactive"
    });
    let moved = json!([{
        "route": route("billing--test", "test", "1.4.0"),
        "tools": {"state": "not-seen", "reason": "it did not answer"}
    }]);
    let both = json!({
        "name": "com.acme/billing", "deployments": [pinned], "moved": moved,
        "proposed": {"by": "key:ci", "deployments": [test]},
        "routes": [route("billing", "production", "2.0.0"), route("billing--test", "test", "1.4.0")]
    });
    let none = json!({"name": "com.acme/billing", "deployments": [], "routes": []});
    vec![deployment::render(&both), deployment::render(&none)]
}

fn environments() -> Vec<String> {
    let staging = json!({
        "name": "staging", "title": "Dress rehearsal", "kind": "staging", "description": "As production will be",
        "onboarding": "Ask the desk", "position": 15, "updatedAt": "2026-11-02T11:30:00.250Z"
    });
    vec![
        environment::render(&list(json!([staging]))),
        environment::render(&list(json!([]))),
        environment::render_one(&staging),
    ]
}

fn registries() -> Vec<String> {
    let main = json!({
        "name": "default", "url": "http://127.0.0.1:8080", "title": "Default", "visibility": "anonymous",
        "selection": {}, "autoApprove": [], "approverDiffers": false
    });
    let partners = json!({
        "name": "partners", "url": "http://127.0.0.1:8080/registries/partners", "title": "Partners",
        "description": "What partners run", "visibility": {"only": ["key:deploy", "user:ada"]},
        "selection": {"tags": ["partner"], "environments": ["production"], "namespaces": ["com.acme.*"]},
        "autoApprove": ["com.acme"], "approverDiffers": true, "updatedAt": "2026-11-02T11:30:00.250Z"
    });
    vec![
        registry::render(&list(json!([main, partners]))),
        registry::render_one(&partners),
        registry::render_one(&main),
    ]
}

fn properties() -> Vec<String> {
    let class = json!({
        "name": "dataClass", "title": "Data class", "type": "choices", "schema": {"enum": ["public", "internal"]},
        "assignments": {"server": "required", "deployment": "optional"}, "failingCount": 1,
        "failing": [{"subject": "server `com.acme/old`", "problem": "`dataClass` is required of every server"}],
        "updatedAt": "2026-11-02T11:30:00.250Z"
    });
    vec![
        metadata::render(&list(json!([class]))),
        metadata::render(&list(json!([]))),
        metadata::render_one(&class),
    ]
}

fn waiting() -> Vec<String> {
    let noticed = json!({"name": "0190a0a0-0000-7000-8000-000000000001", "findings": [{"path": "$", "message": "odd"}]});
    let items = json!([
        {"kind": "version", "name": "com.acme/billing", "version": "1.1.0", "count": 1, "by": "key:ci",
         "since": "2026-11-02T11:30:00.250Z", "assessment": {"score": 40, "findings": 2, "blocked": true}},
        {"kind": "tools", "name": "com.acme/billing", "version": "1.0.0", "route": "billing", "count": 2,
         "since": "2026-11-02T11:30:00.250Z"},
        {"kind": "deployments", "name": "com.acme/notes", "count": 1, "by": "key:ci", "since": "2026-11-02T11:30:00.250Z"},
        {"kind": "version", "name": "com.other/thing", "version": "0.1.0", "count": 1, "by": "user:admin",
         "since": "2026-11-02T11:30:00.250Z", "import": noticed}
    ]);
    let decided = json!([
        {"name": "com.acme/one", "version": "1.0.0", "approved": true},
        {"name": "com.acme/two", "version": "1.0.0", "approved": false, "reason": "the assessment stops it"}
    ]);
    let failing = json!([{"name": "com.acme/old", "problems": [
        {"path": "metadata.dataClass", "message": "`dataClass` is required of every server"}
    ]}]);
    let compared = json!({"name": "com.acme/billing", "from": "1.0.0", "to": "1.1.0", "changes": [
        {"path": "/description", "before": "\"Invoices\"", "after": "\"Invoices and refunds\""},
        {"path": "/remotes/1", "after": "{\"url\":\"https://acme.example/sse\"}"}
    ]});
    vec![
        compare::render(&compared),
        waiting::render(&list(items)),
        waiting::render(&list(json!([]))),
        waiting::render_decisions(&list(decided), 3).0,
        metadata::render_failing(&list(failing)),
    ]
}

#[test]
fn what_is_governed_is_readable() {
    let shown = [
        plans(),
        deployments(),
        environments(),
        registries(),
        properties(),
        waiting(),
    ]
    .concat();
    golden("governance.txt", &format!("{}\n", shown.join("\n\n----\n\n")));
}
