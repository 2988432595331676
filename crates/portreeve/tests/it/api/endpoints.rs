//! Every endpoint for three callers: nobody, a key without a grant, the admin; and in `roles` for every role. An endpoint
//! without a row fails.

mod access_requests;
mod approvals;
mod deciding;
mod governed;
mod install;
mod partners;
mod people;
mod roles;
mod webhooks;

use std::collections::BTreeSet;

use http::Method;
use portreeve_api::endpoints;
use serde_json::{Value, json};

use super::house::{House, document};

/// What the three callers get, in this order: anonymous, a key without a grant, the admin.
type Statuses = [u16; 3];

/// Everybody.
const OPEN: Statuses = [200, 200, 200];
/// Everybody with a key; who may not manage sees what everybody may see.
const KNOWN: Statuses = [401, 200, 200];
/// Managers.
const MANAGED: Statuses = [401, 403, 200];

struct Row {
    method: Method,
    /// As the router has it.
    endpoint: &'static str,
    /// As it is asked for.
    path: &'static str,
    content: Value,
    expected: Statuses,
}

/// A row without content.
fn bare(line: &'static str, path: &'static str, expected: Statuses) -> Row {
    row(line, path, expected, Value::Null)
}

fn row(line: &'static str, path: &'static str, expected: Statuses, content: Value) -> Row {
    let (method, endpoint) = line.split_once(' ').unwrap();
    Row {
        method: method.parse().unwrap(),
        endpoint,
        path,
        content,
        expected,
    }
}

const SERVER: &str = "/api/v1/servers/com.acme%2Fbilling";

fn registry_rows() -> Vec<Row> {
    let version = "GET /v0.1/servers/{name}/versions/{version}";
    vec![
        bare("GET /v0.1/servers", "/v0.1/servers", OPEN),
        bare(
            "GET /v0.1/servers/{name}/versions",
            "/v0.1/servers/com.acme%2Fbilling/versions",
            OPEN,
        ),
        bare(version, "/v0.1/servers/com.acme%2Fbilling/versions/latest", OPEN),
        // The same content again: nothing changes, and nothing is void.
        row(
            "PUT /v0.1/servers/{name}/versions/{version}",
            "/v0.1/servers/com.acme%2Fbilling/versions/1.0.0",
            MANAGED,
            document("com.acme/billing", "1.0.0"),
        ),
        bare(
            "DELETE /v0.1/servers/{name}/versions/{version}",
            "/v0.1/servers/com.acme%2Fbilling/versions/1.0.0",
            [501, 501, 501],
        ),
        row(
            "PATCH /v0.1/servers/{name}/versions/{version}/status",
            "/v0.1/servers/com.acme%2Fgg/versions/1.0.0/status",
            MANAGED,
            json!({"status": "deprecated"}),
        ),
        row(
            "PATCH /v0.1/servers/{name}/status",
            "/v0.1/servers/com.acme%2Fgg/status",
            MANAGED,
            json!({"status": "deleted", "statusMessage": "use billing"}),
        ),
        row(
            "POST /v0.1/publish",
            "/v0.1/publish",
            MANAGED,
            document("com.acme/published", "1.0.0"),
        ),
        row("POST /v0.1/validate", "/v0.1/validate", OPEN, json!({})),
        row("POST /v0.1/auth/{method}", "/v0.1/auth/none", OPEN, json!({})),
        bare("GET /v0.1/health", "/v0.1/health", OPEN),
        bare("GET /v0.1/ping", "/v0.1/ping", OPEN),
        bare("GET /v0.1/version", "/v0.1/version", OPEN),
    ]
}

fn server_rows() -> Vec<Row> {
    let add = json!({"document": document("com.acme/new", "1.0.0")});
    let deprecate = json!({"lifecycle": "deprecated", "message": "use billing"});
    let reject = || json!({"reason": "no"});
    let base = "/api/v1/servers";
    vec![
        bare("GET /api/v1/openapi.json", "/api/v1/openapi.json", OPEN),
        bare("GET /api/v1/servers", base, KNOWN),
        row("POST /api/v1/servers", base, [401, 403, 201], add),
        bare("GET /api/v1/servers/{name}", SERVER, KNOWN),
        bare(
            "DELETE /api/v1/servers/{name}",
            "/api/v1/servers/com.acme%2Fgone",
            [401, 403, 204],
        ),
        bare(
            "GET /api/v1/servers/{name}/members",
            "/api/v1/servers/com.acme%2Fall/members",
            MANAGED,
        ),
        bare(
            "GET /api/v1/servers/{name}/icons",
            "/api/v1/servers/com.acme%2Fbilling/icons",
            KNOWN,
        ),
        bare(
            "POST /api/v1/servers/{name}/icons",
            "/api/v1/servers/com.acme%2Fbilling/icons",
            MANAGED,
        ),
        row(
            "PATCH /api/v1/servers/{name}/versions/{version}",
            "/api/v1/servers/com.acme%2Fbilling/versions/1.0.0",
            MANAGED,
            json!({"metadata": {"none": null}}),
        ),
        // The admin may; but what is approved cannot be handed in again.
        bare(
            "POST /api/v1/servers/{name}/submit",
            "/api/v1/servers/com.acme%2Fbilling/submit",
            [401, 403, 409],
        ),
        bare(
            "POST /api/v1/servers/{name}/approve",
            "/api/v1/servers/com.acme%2Faa/approve",
            MANAGED,
        ),
        bare(
            "POST /api/v1/servers/{name}/assess",
            "/api/v1/servers/com.acme%2Fbilling/assess",
            MANAGED,
        ),
        row(
            "POST /api/v1/servers/{name}/reject",
            "/api/v1/servers/com.acme%2Fbb/reject",
            MANAGED,
            reject(),
        ),
        row(
            "POST /api/v1/servers/{name}/lifecycle",
            "/api/v1/servers/com.acme%2Fold/lifecycle",
            MANAGED,
            deprecate,
        ),
    ]
}

/// What waits, and what is known of it.
fn waiting_rows() -> Vec<Row> {
    let none =
        json!({"items": [{"name": "com.acme/ee", "version": "1.0.0", "contentHash": "of something else"}]});
    vec![
        bare("GET /api/v1/waiting", "/api/v1/waiting?kind=version", KNOWN),
        // What became of each is in the answer.
        row(
            "POST /api/v1/waiting/approve",
            "/api/v1/waiting/approve",
            KNOWN,
            none,
        ),
        bare(
            "GET /api/v1/metadata-failures",
            "/api/v1/metadata-failures",
            MANAGED,
        ),
        bare(
            "GET /api/v1/servers/{name}/compare",
            "/api/v1/servers/com.acme%2Fbilling/compare?to=1.0.0",
            KNOWN,
        ),
    ]
}

fn version_rows() -> Vec<Row> {
    let reject = json!({"reason": "no"});
    let retire = json!({"lifecycle": "retired"});
    let step = |step: &str| -> &'static str {
        match step {
            "submit" => "POST /api/v1/servers/{name}/versions/{version}/submit",
            "approve" => "POST /api/v1/servers/{name}/versions/{version}/approve",
            "reject" => "POST /api/v1/servers/{name}/versions/{version}/reject",
            "assess" => "POST /api/v1/servers/{name}/versions/{version}/assess",
            _ => "POST /api/v1/servers/{name}/versions/{version}/lifecycle",
        }
    };
    let version = "GET /api/v1/servers/{name}/versions/{version}";
    let billing = "/api/v1/servers/com.acme%2Fbilling/versions/1.0.0";
    vec![
        bare(
            "GET /api/v1/servers/{name}/versions",
            "/api/v1/servers/com.acme%2Fbilling/versions",
            KNOWN,
        ),
        bare(version, billing, KNOWN),
        bare(
            step("submit"),
            "/api/v1/servers/com.acme%2Fbilling/versions/1.0.0/submit",
            [401, 403, 409],
        ),
        bare(
            step("assess"),
            "/api/v1/servers/com.acme%2Fcc/versions/1.0.0/assess",
            MANAGED,
        ),
        bare(
            "GET /api/v1/servers/{name}/versions/{version}/assessment",
            "/api/v1/servers/com.acme%2Fcc/versions/1.0.0/assessment",
            MANAGED,
        ),
        bare(
            step("approve"),
            "/api/v1/servers/com.acme%2Fcc/versions/1.0.0/approve",
            MANAGED,
        ),
        row(
            step("reject"),
            "/api/v1/servers/com.acme%2Fdd/versions/1.0.0/reject",
            MANAGED,
            reject,
        ),
        row(
            step("lifecycle"),
            "/api/v1/servers/com.acme%2Fold/versions/1.0.0/lifecycle",
            MANAGED,
            retire,
        ),
    ]
}

fn tool_and_route_rows() -> Vec<Row> {
    let all = json!({"all": true});
    let hide = "POST /api/v1/servers/{name}/tools/{tool}/hide";
    let unhide = "POST /api/v1/servers/{name}/tools/{tool}/unhide";
    let tools = "/api/v1/servers/com.acme%2Fbilling/tools";
    vec![
        // Tools are for those who may use the server: for others it does not exist here.
        bare("GET /api/v1/servers/{name}/tools", tools, [401, 404, 200]),
        row(
            "POST /api/v1/servers/{name}/tools/approve",
            "/api/v1/servers/com.acme%2Fbilling/tools/approve",
            MANAGED,
            all,
        ),
        bare(
            "POST /api/v1/servers/{name}/tools/refresh",
            "/api/v1/servers/com.acme%2Fbilling/tools/refresh",
            MANAGED,
        ),
        bare(
            hide,
            "/api/v1/servers/com.acme%2Fbilling/tools/refund/hide",
            MANAGED,
        ),
        bare(
            unhide,
            "/api/v1/servers/com.acme%2Fbilling/tools/refund/unhide",
            MANAGED,
        ),
        bare("GET /api/v1/routes", "/api/v1/routes", MANAGED),
        bare("GET /api/v1/routes/{slug}", "/api/v1/routes/billing", MANAGED),
        row(
            "PATCH /api/v1/routes/{slug}",
            "/api/v1/routes/billing",
            MANAGED,
            json!({"state": "active"}),
        ),
    ]
}

fn other_rows() -> Vec<Row> {
    let grant =
        json!({"subject": {"key": "stranger"}, "rights": "use", "servers": {"server": "com.acme/other"}});
    vec![
        bare("GET /api/v1/exports", "/api/v1/exports", KNOWN),
        bare("GET /api/v1/exports/{format}", "/api/v1/exports/copilot", KNOWN),
        bare("GET /api/v1/keys", "/api/v1/keys", MANAGED),
        row(
            "POST /api/v1/keys",
            "/api/v1/keys",
            [401, 403, 201],
            json!({"name": "ci"}),
        ),
        bare("DELETE /api/v1/keys/{key}", "/api/v1/keys/ci", MANAGED),
        bare("GET /api/v1/clients", "/api/v1/clients", MANAGED),
        row(
            "POST /api/v1/clients",
            "/api/v1/clients",
            [401, 403, 201],
            json!({"name": "Robot", "clientId": "robot"}),
        ),
        bare("GET /api/v1/clients/{client}", "/api/v1/clients/robot", MANAGED),
        bare(
            "DELETE /api/v1/clients/{client}",
            "/api/v1/clients/robot",
            [401, 403, 204],
        ),
        bare("GET /api/v1/me/clients", "/api/v1/me/clients", MANAGED),
        bare(
            "DELETE /api/v1/me/clients/{client}",
            "/api/v1/me/clients/nobody",
            [401, 403, 404],
        ),
        bare("GET /api/v1/grants", "/api/v1/grants", MANAGED),
        row("POST /api/v1/grants", "/api/v1/grants", [401, 403, 201], grant),
        bare(
            "DELETE /api/v1/grants/{grant}",
            "/api/v1/grants/nonsense",
            [401, 403, 404],
        ),
        row(
            "PUT /api/v1/secrets/{secret}",
            "/api/v1/secrets/github",
            [401, 403, 201],
            json!({"value": "hush"}),
        ),
        bare("GET /api/v1/secrets", "/api/v1/secrets", MANAGED),
        bare("GET /api/v1/secrets/{secret}", "/api/v1/secrets/github", MANAGED),
        bare(
            "DELETE /api/v1/secrets/{secret}",
            "/api/v1/secrets/github",
            [401, 403, 204],
        ),
        bare("GET /api/v1/whoami", "/api/v1/whoami", KNOWN),
        bare("GET /api/v1/audit", "/api/v1/audit", MANAGED),
        bare("GET /api/v1/audit/verify", "/api/v1/audit/verify", MANAGED),
        bare("GET /api/v1/usage", "/api/v1/usage", MANAGED),
        bare("GET /api/v1/doctor", "/api/v1/doctor", MANAGED),
        row(
            "POST /api/v1/explain",
            "/api/v1/explain",
            KNOWN,
            json!({"route": "billing", "tool": "refund"}),
        ),
    ]
}

fn import_rows() -> Vec<Row> {
    const MISSING: &str = "/api/v1/imports/0190a0a0-0000-7000-8000-000000000001";
    const RECORDS: &str = "/api/v1/imports/0190a0a0-0000-7000-8000-000000000001/records";
    const FINISH: &str = "/api/v1/imports/0190a0a0-0000-7000-8000-000000000001/finish";
    const UNKNOWN: Statuses = [401, 403, 404];
    let schedules = "/api/v1/import-schedules";
    vec![
        bare(
            "GET /api/v1/servers/{name}/origins",
            "/api/v1/servers/com.acme%2Fbilling/origins",
            MANAGED,
        ),
        bare("GET /api/v1/search", "/api/v1/search?q=billing", KNOWN),
        bare("GET /api/v1/imports", "/api/v1/imports", MANAGED),
        row(
            "POST /api/v1/imports",
            "/api/v1/imports",
            [401, 403, 201],
            json!({"kind": "git", "origin": "a folder"}),
        ),
        bare("GET /api/v1/imports/{import}", MISSING, UNKNOWN),
        bare("GET /api/v1/imports/{import}/records", RECORDS, UNKNOWN),
        row(
            "POST /api/v1/imports/{import}/records",
            RECORDS,
            UNKNOWN,
            json!({"records": []}),
        ),
        bare("POST /api/v1/imports/{import}/finish", FINISH, UNKNOWN),
        bare("GET /api/v1/import-schedules", schedules, MANAGED),
        // A public address, so that nobody asks the DNS.
        row(
            "POST /api/v1/import-schedules",
            schedules,
            [401, 403, 201],
            json!({"origin": "https://93.184.216.34"}),
        ),
        row(
            "POST /api/v1/import-schedules/end",
            "/api/v1/import-schedules/end",
            [401, 403, 204],
            json!({"origin": "https://93.184.216.34/v0.1/servers"}),
        ),
    ]
}

fn table() -> Vec<Row> {
    let mut rows = registry_rows();
    rows.extend(import_rows());
    rows.extend(server_rows());
    rows.extend(version_rows());
    rows.extend(access_requests::rows());
    rows.extend(approvals::rows());
    rows.extend(install::rows());
    rows.extend(partners::rows());
    rows.extend(waiting_rows());
    rows.extend(tool_and_route_rows());
    rows.extend(other_rows());
    rows.extend(governed::rows());
    rows.extend(webhooks::rows());
    rows.extend(people::rows());
    rows.extend(people::policy_rows());
    rows
}

#[test]
fn every_endpoint_has_a_row() {
    let served: BTreeSet<_> = endpoints()
        .into_iter()
        .map(|endpoint| format!("{} {}", endpoint.method, endpoint.path))
        .collect();
    let listed: BTreeSet<_> = table()
        .iter()
        .map(|row| format!("{} {}", row.method, row.endpoint))
        .collect();
    assert_eq!(served, listed);
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says() {
    let house = House::new().await;
    for name in ["com.acme/billing", "com.acme/old", "com.acme/gg"] {
        house.add(name, "1.0.0", true).await;
    }
    for name in ["gone", "aa", "bb", "cc", "dd", "ee"] {
        house.add(&format!("com.acme/{name}"), "1.0.0", false).await;
    }
    let members = json!({"portreeve/virtual": {"members": [{"route": "billing"}]}});
    let together = json!({
        "name": "com.acme/all", "description": "One of several", "version": "1.0.0",
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided": members},
    });
    let added = house
        .admin_post("/api/v1/servers", json!({"document": together}))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let mut wrong = Vec::new();
    for row in table() {
        let callers = ["", house.stranger.as_str(), house.admin.as_str()];
        for (key, expected) in callers.into_iter().zip(row.expected) {
            // A secret is made by the same method that replaces one.
            let changes = matches!(row.method, Method::PATCH | Method::PUT) && row.expected[2] != 201;
            let headers: &[_] = if changes { &[("if-match", "*")] } else { &[] };
            let request = (row.method.clone(), row.path);
            let answer = house.call_with(key, request, row.content.clone(), headers).await;
            if answer.status != expected {
                let text = String::from_utf8_lossy(&answer.bytes).into_owned();
                wrong.push(format!(
                    "{} {}: {} instead of {expected}: {text}",
                    row.method, row.path, answer.status
                ));
            }
            let challenged = answer.header("www-authenticate").starts_with("Bearer");
            assert_eq!(challenged, answer.status == 401, "{}", row.path);
            if answer.status.as_u16() >= 400 {
                assert_eq!(
                    answer.header("content-type"),
                    "application/problem+json",
                    "{}",
                    row.path
                );
                let body = answer.json();
                assert!(
                    body["hint"].is_string() || answer.status == 404,
                    "{} has no hint: {body}",
                    row.path
                );
                assert_eq!(body["error"], body["detail"]);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
