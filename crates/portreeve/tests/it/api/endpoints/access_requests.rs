//! Requests for access.

use serde_json::json;

use super::{KNOWN, Row, Statuses, bare, row};

pub(super) fn rows() -> Vec<Row> {
    const NOT_THERE: Statuses = [401, 404, 404];
    const ONE: &str = "/api/v1/access-requests/0190a0a0-0000-7000-8000-000000000001";
    vec![
        bare("GET /api/v1/access-requests", "/api/v1/access-requests", KNOWN),
        bare(
            "GET /api/v1/me/access-requests",
            "/api/v1/me/access-requests",
            KNOWN,
        ),
        row(
            "POST /api/v1/access-requests",
            "/api/v1/access-requests",
            NOT_THERE,
            json!({"server": "com.nobody/nothing", "reason": "To see whether it is there"}),
        ),
        bare("GET /api/v1/access-requests/{request}", ONE, NOT_THERE),
        row(
            "POST /api/v1/access-requests/{request}/grant",
            "/api/v1/access-requests/0190a0a0-0000-7000-8000-000000000001/grant",
            NOT_THERE,
            json!({}),
        ),
        row(
            "POST /api/v1/access-requests/{request}/refuse",
            "/api/v1/access-requests/0190a0a0-0000-7000-8000-000000000001/refuse",
            NOT_THERE,
            json!({"note": "Not today"}),
        ),
        bare(
            "POST /api/v1/access-requests/{request}/withdraw",
            "/api/v1/access-requests/0190a0a0-0000-7000-8000-000000000001/withdraw",
            NOT_THERE,
        ),
    ]
}
