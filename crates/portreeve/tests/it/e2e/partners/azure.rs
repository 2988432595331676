//! A file of the Azure catalogue becomes a partner, and comes out again equal in content.

use std::fs;

use serde_json::{Value, json};

use super::desk::{portreeve, portreeve_json, with_outcome};

fn azure() -> Value {
    json!({
        "name": "acme-billing", "title": "Acme Billing", "summary": "Invoices of Acme", "description": "Finds invoices.",
        "kind": "mcp", "vendor": "Partner", "remote": "https://{tenant-name}.acme-billing.systems/mcp",
        "icon": "https://acme-billing.systems/icon.svg", "license": {"name": "Terms", "url": "https://acme-billing.systems/terms"},
        "externalDocumentation": {"title": "Manual", "url": "https://acme-billing.systems/docs"},
        "supportContactInfo": {"name": "Desk", "email": "desk@acme-billing.systems"},
        "useCases": [{"name": "Late invoices", "description": "Who has not paid"}], "categories": "Finance, Sales",
        "tags": ["invoices"], "versionName": "original", "visibility": "true", "audience": "api://acme", "packages": [],
        "customProperties": {"x-ms-preview": true}, "connectorName": "acme", "authSchemas": ["OAuth2"],
        "securitySchemes": {"acmeOauth": {
            "type": "oauth2", "flows": ["authorizationCode"], "scopes": ["read"],
            "authorizationUrl": "https://id.acme-billing.systems/authorize", "tokenUrl": "https://id.acme-billing.systems/token",
        }},
    })
}

#[test]
fn a_file_of_the_azure_catalogue_goes_there_and_back() {
    let files = tempfile::TempDir::new().unwrap();
    let at = |name: &str| files.path().join(name).display().to_string();
    fs::write(at("azure.json"), azure().to_string()).unwrap();
    fs::create_dir(at("partners")).unwrap();
    let made = portreeve(&["partner", "init", &at("partners"), "--from", &at("azure.json")]);
    assert!(made.status.success(), "{made:?}");
    let manifest: toml::Table = fs::read_to_string(at("partners/acme-billing/partner.toml"))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(manifest["domain"].as_str(), Some("acme-billing.systems"));
    assert_eq!(manifest["namespace"].as_str(), Some("systems.acme-billing"));
    assert_eq!(manifest["categories"].as_array().unwrap().len(), 2);
    assert_eq!(
        manifest["servers"]["acme-billing"]["login"].as_str(),
        Some("oauth")
    );

    // What it does not say is found by name.
    let (code, verdict) = portreeve_json(&["partner", "check", &at("partners/acme-billing"), "--offline"]);
    assert_eq!(
        (code, with_outcome(&verdict["items"][0], "refused")),
        (1, vec!["variables"]),
        "{verdict:#}"
    );
    let findings = verdict["items"][0]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|one| {
        one["evidence"]
            .as_str()
            .is_some_and(|it| it.contains("{tenant-name}"))
    }));

    let out = portreeve(&[
        "partner",
        "export",
        &at("partners/acme-billing"),
        "--out",
        &at("out"),
    ]);
    assert!(out.status.success(), "{out:?}");
    let back: Value =
        serde_json::from_str(&fs::read_to_string(at("out/acme-billing.json")).unwrap()).unwrap();
    assert_eq!(back, azure());
}
