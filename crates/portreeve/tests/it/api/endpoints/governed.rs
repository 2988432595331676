//! The rows of what administrators govern beside entries: environments, deployments, registries.

use serde_json::json;

use super::{KNOWN, MANAGED, Row, bare, row};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = deployment_rows();
    rows.extend(environment_rows());
    rows.extend(registry_rows());
    rows.extend(property_rows());
    rows.extend(rest_rows());
    rows
}

fn deployment_rows() -> Vec<Row> {
    let deployments = "/api/v1/servers/com.acme%2Fbilling/deployments";
    vec![
        bare(
            "GET /api/v1/servers/{name}/plan",
            "/api/v1/servers/com.acme%2Fee/plan",
            MANAGED,
        ),
        // Who may publish nothing sees an empty list.
        bare("GET /api/v1/deployments", "/api/v1/deployments", KNOWN),
        bare("GET /api/v1/servers/{name}/deployments", deployments, MANAGED),
        row(
            "PUT /api/v1/servers/{name}/deployments",
            deployments,
            MANAGED,
            json!({"deployments": []}),
        ),
        // The admin may; but nothing waits.
        bare(
            "POST /api/v1/servers/{name}/deployments/approve",
            "/api/v1/servers/com.acme%2Fbilling/deployments/approve",
            [401, 403, 409],
        ),
        bare(
            "POST /api/v1/servers/{name}/deployments/withdraw",
            "/api/v1/servers/com.acme%2Fbilling/deployments/withdraw",
            [401, 403, 409],
        ),
    ]
}

fn rest_rows() -> Vec<Row> {
    let one = "/api/v1/servers/com.acme%2Fharbour/openapi";
    let harbour = json!({"document": json!({
        "openapi": "3.1.0",
        "info": {"title": "Harbour", "version": "1.0.0"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": {"/ships": {"get": {"operationId": "ships"}}},
    }).to_string()});
    vec![
        row(
            "POST /api/v1/servers/{name}/openapi/preview",
            "/api/v1/servers/com.acme%2Fharbour/openapi/preview",
            MANAGED,
            harbour.clone(),
        ),
        row(
            "POST /api/v1/servers/{name}/openapi",
            one,
            [401, 403, 201],
            harbour,
        ),
        bare("GET /api/v1/servers/{name}/openapi", one, MANAGED),
    ]
}

fn environment_rows() -> Vec<Row> {
    let one = "/api/v1/environments/staging";
    let staging = json!({"name": "staging", "kind": "staging"});
    vec![
        bare("GET /api/v1/environments", "/api/v1/environments", KNOWN),
        row(
            "POST /api/v1/environments",
            "/api/v1/environments",
            [401, 403, 201],
            staging,
        ),
        bare("GET /api/v1/environments/{environment}", one, KNOWN),
        row(
            "PATCH /api/v1/environments/{environment}",
            one,
            MANAGED,
            json!({"title": "Dress rehearsal"}),
        ),
        bare("DELETE /api/v1/environments/{environment}", one, [401, 403, 204]),
    ]
}

fn property_rows() -> Vec<Row> {
    let base = "/api/v1/metadata-schemas";
    let one = "/api/v1/metadata-schemas/costCentre";
    let property = json!({
        "name": "costCentre", "schema": {"type": "string"}, "assignments": {"server": "optional"},
    });
    vec![
        bare("GET /api/v1/metadata-schemas", base, KNOWN),
        row("POST /api/v1/metadata-schemas", base, [401, 403, 201], property),
        bare("GET /api/v1/metadata-schemas/{property}", one, KNOWN),
        row(
            "PATCH /api/v1/metadata-schemas/{property}",
            one,
            MANAGED,
            json!({"title": "Cost centre"}),
        ),
        bare("DELETE /api/v1/metadata-schemas/{property}", one, [401, 403, 204]),
        row(
            "PATCH /api/v1/servers/{name}",
            "/api/v1/servers/com.acme%2Fbilling",
            MANAGED,
            json!({"owners": ["user:ada"], "tags": ["finance"]}),
        ),
    ]
}

fn registry_rows() -> Vec<Row> {
    let one = "/api/v1/registries/partners";
    let partners = json!({"name": "partners"});
    vec![
        bare("GET /api/v1/registries", "/api/v1/registries", KNOWN),
        row(
            "POST /api/v1/registries",
            "/api/v1/registries",
            [401, 403, 201],
            partners,
        ),
        bare("GET /api/v1/registries/{registry}", one, KNOWN),
        row(
            "PATCH /api/v1/registries/{registry}",
            one,
            MANAGED,
            json!({"visibility": {"only": ["key:stranger"]}, "selection": {"tags": ["partner"]}}),
        ),
        bare("DELETE /api/v1/registries/{registry}", one, [401, 403, 204]),
    ]
}
