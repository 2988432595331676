//! What is installed: for whoever may read the registry, and the default one is for everybody.

use super::{OPEN, Row, bare};

pub(super) fn rows() -> Vec<Row> {
    vec![
        bare(
            "GET /api/v1/servers/{name}/install",
            "/api/v1/servers/com.acme%2Fbilling/install?host=vscode",
            OPEN,
        ),
        bare(
            "GET /api/v1/servers/{name}/connector",
            "/api/v1/servers/com.acme%2Fbilling/connector?format=yaml",
            OPEN,
        ),
        bare(
            "GET /api/v1/servers/{name}/versions/{version}/install",
            "/api/v1/servers/com.acme%2Fbilling/versions/latest/install",
            OPEN,
        ),
    ]
}
