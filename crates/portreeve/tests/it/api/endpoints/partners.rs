//! The rows of partners: those that the program carries.

use serde_json::json;

use super::{KNOWN, Row, bare, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        bare("GET /api/v1/partners", "/api/v1/partners", KNOWN),
        bare("GET /api/v1/partners/{partner}", "/api/v1/partners/notion", KNOWN),
        row(
            "POST /api/v1/partners/{partner}/servers/{server}/register",
            "/api/v1/partners/notion/servers/notion/register",
            [401, 403, 201],
            json!({}),
        ),
        // The admin may; but it is as the catalogue says.
        bare(
            "GET /api/v1/partners/{partner}/servers/{server}/update",
            "/api/v1/partners/notion/servers/notion/update",
            [401, 403, 409],
        ),
        row(
            "POST /api/v1/partners/{partner}/servers/{server}/update",
            "/api/v1/partners/notion/servers/notion/update",
            [401, 403, 409],
            json!({}),
        ),
        row(
            "PUT /api/v1/partners/{partner}/state",
            "/api/v1/partners/deepwiki/state",
            [401, 403, 204],
            json!({"state": "delisted", "reason": "being reviewed"}),
        ),
        bare(
            "GET /api/v1/partner-catalogue",
            "/api/v1/partner-catalogue",
            KNOWN,
        ),
        // None is configured.
        bare(
            "POST /api/v1/partner-catalogue/pull",
            "/api/v1/partner-catalogue/pull",
            [401, 403, 409],
        ),
    ]
}
