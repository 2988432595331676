//! Calls that a person must allow first.

use serde_json::json;

use super::{KNOWN, Row, Statuses, bare, row};

pub(super) fn rows() -> Vec<Row> {
    const NOT_THERE: Statuses = [401, 404, 404];
    let one = "/api/v1/approvals/0190a0a0-0000-7000-8000-000000000001";
    vec![
        bare("GET /api/v1/approvals", "/api/v1/approvals", KNOWN),
        bare("GET /api/v1/approvals/{approval}", one, NOT_THERE),
        bare(
            "POST /api/v1/approvals/{approval}/allow",
            "/api/v1/approvals/0190a0a0-0000-7000-8000-000000000001/allow",
            NOT_THERE,
        ),
        row(
            "POST /api/v1/approvals/{approval}/deny",
            "/api/v1/approvals/0190a0a0-0000-7000-8000-000000000001/deny",
            NOT_THERE,
            json!({}),
        ),
    ]
}
