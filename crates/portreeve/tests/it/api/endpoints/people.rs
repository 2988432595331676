//! Users and groups.

use serde_json::json;

use super::{MANAGED, Row, bare, row};

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
