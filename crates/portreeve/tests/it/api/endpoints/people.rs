//! Users and groups.

use serde_json::json;

use super::{KNOWN, MANAGED, Row, bare, row};

const POLICY: &str = "/api/v1/policies/no-write";

/// Access policies: read by who may audit, changed by who may manage.
pub(super) fn policy_rows() -> Vec<Row> {
    let text = || json!({"text": "forbid (principal, action == Action::\"call\", resource) when { resource.destructive };"});
    vec![
        row("PUT /api/v1/policies/{policy}", POLICY, [401, 403, 201], text()),
        bare("GET /api/v1/policies", "/api/v1/policies", MANAGED),
        bare("GET /api/v1/policies/{policy}", POLICY, MANAGED),
        bare(
            "POST /api/v1/policies/{policy}/enable",
            "/api/v1/policies/no-write/enable",
            MANAGED,
        ),
        bare(
            "POST /api/v1/policies/{policy}/disable",
            "/api/v1/policies/no-write/disable",
            MANAGED,
        ),
        row(
            "POST /api/v1/policies/{policy}/check",
            "/api/v1/policies/no-write/check",
            MANAGED,
            text(),
        ),
        row(
            "POST /api/v1/policies/{policy}/dry-run",
            "/api/v1/policies/no-write/dry-run",
            MANAGED,
            text(),
        ),
        bare(
            "POST /api/v1/policies/{policy}/test",
            "/api/v1/policies/no-write/test",
            MANAGED,
        ),
        bare("POST /api/v1/policy-tests", "/api/v1/policy-tests", MANAGED),
        bare("DELETE /api/v1/policies/{policy}", POLICY, [401, 403, 204]),
        bare("GET /api/v1/policy-schema", "/api/v1/policy-schema", KNOWN),
    ]
}

pub(super) fn rows() -> Vec<Row> {
    let made = json!({"name": "ada", "displayName": "Ada", "groups": ["finance"]});
    vec![
        bare("GET /api/v1/users", "/api/v1/users", MANAGED),
        row("POST /api/v1/users", "/api/v1/users", [401, 403, 201], made),
        bare("GET /api/v1/users/{user}", "/api/v1/users/ada", MANAGED),
        row(
            "PUT /api/v1/users/{user}/groups",
            "/api/v1/users/ada/groups",
            MANAGED,
            json!({"groups": ["ops"]}),
        ),
        bare("GET /api/v1/groups", "/api/v1/groups", MANAGED),
        bare(
            "GET /api/v1/users/{user}/sessions",
            "/api/v1/users/ada/sessions",
            MANAGED,
        ),
        bare(
            "DELETE /api/v1/users/{user}/sessions",
            "/api/v1/users/ada/sessions",
            MANAGED,
        ),
        bare(
            "POST /api/v1/users/{user}/reset",
            "/api/v1/users/ada/reset",
            MANAGED,
        ),
        bare(
            "POST /api/v1/users/{user}/disable",
            "/api/v1/users/ada/disable",
            MANAGED,
        ),
        bare(
            "POST /api/v1/users/{user}/enable",
            "/api/v1/users/ada/enable",
            MANAGED,
        ),
        bare(
            "DELETE /api/v1/users/{user}",
            "/api/v1/users/ada",
            [401, 403, 204],
        ),
    ]
}
