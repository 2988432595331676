//! One entry of every kind that a registry serves, as its installation.

use portreeve_core::route::{Access, Credentials};
use portreeve_registry::install::{Door, Installation};
use serde_json::{Value, json};

pub(super) const ORIGIN: &str = "https://gw.example";
pub(super) const URL: &str = "https://gw.example/s/billing/mcp";
/// What must never come out.
pub(super) const SECRET: &str = "s3cr3t";

/// How the gateway's route is entered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    TokensAndKeys,
    Tokens,
    Keys,
    Issuers,
}

pub(super) fn remote(is_open: bool) -> Value {
    let mut remote = json!({"type": "streamable-http", "url": URL});
    if !is_open {
        remote["headers"] = json!([{
            "name": "Authorization", "value": "Bearer {portreeve_key}", "isRequired": true, "isSecret": true,
            "variables": {"portreeve_key": {"description": "A Portreeve key", "isRequired": true, "isSecret": true,
                "default": SECRET}},
        }]);
    }
    remote
}

fn package(kind: &str, identifier: &str, more: &Value) -> Value {
    let mut package = json!({
        "registryType": kind, "identifier": identifier, "version": "1.2.3", "transport": {"type": "stdio"},
        "environmentVariables": [
            {"name": "API_KEY", "isSecret": true, "isRequired": true, "value": SECRET, "description": "Your key"},
            {"name": "REGION", "default": "eu"},
        ],
    });
    if let (Some(package), Some(more)) = (package.as_object_mut(), more.as_object()) {
        package.extend(more.clone());
    }
    package
}

pub(super) fn document(parts: &Value) -> Value {
    let mut document = json!({
        "name": "com.acme/billing", "title": "Billing: \"all\" of it", "version": "2.0.0",
        "description": "Invoices, payments & what is due",
    });
    if let (Some(document), Some(parts)) = (document.as_object_mut(), parts.as_object()) {
        document.extend(parts.clone());
    }
    document
}

pub(super) fn installation(document: &Value, takes: Takes) -> Installation {
    let credentials = match takes {
        Takes::TokensAndKeys => Credentials::default(),
        Takes::Tokens => Credentials {
            keys: false,
            ..Credentials::default()
        },
        Takes::Keys => Credentials {
            tokens: false,
            ..Credentials::default()
        },
        Takes::Issuers => Credentials {
            tokens: false,
            keys: false,
            issuers: vec!["entra".parse().unwrap()],
        },
    };
    let door = Door {
        slug: "billing".parse().unwrap(),
        url: URL.to_owned(),
        // An open route's document names no header.
        access: if document["remotes"][0]["headers"].is_null() {
            Access::Anonymous
        } else {
            Access::Credential
        },
        credentials,
    };
    Installation::of(
        document.as_object().unwrap(),
        Some(ORIGIN.to_owned()),
        (ORIGIN, &[door]),
    )
}

/// Every kind of entry, by its name.
pub(super) fn kinds() -> Vec<(&'static str, Installation)> {
    let local = |package: Value| document(&json!({"packages": [package]}));
    let gateway = |is_open| document(&json!({"remotes": [remote(is_open)]}));
    let arguments = json!({
        "runtimeArguments": [{"type": "positional", "value": "-y"}],
        "packageArguments": [
            {"type": "named", "name": "--mode", "value": "it's a \"test\""},
            {"type": "positional", "value": "$HOME `id` !! ; | é"},
        ],
    });
    let asks = json!({"packageArguments": [
        {"type": "named", "name": "--root", "isRequired": true, "description": "A folder"},
        {"type": "named", "name": "--url", "value": "https://{host}/x", "variables": {"host": {"isRequired": true}}},
    ]});
    let plain = json!({"environmentVariables": []});
    let bundle = json!({
        "registryType": "mcpb", "identifier": "https://dl.example/billing.mcpb?a=b&c=d", "version": "1.2.3",
        "transport": {"type": "stdio"},
        "fileSha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    });
    let header = {
        let mut remote = remote(true);
        remote["headers"] = json!([
            {"name": "X-Tenant", "value": "acme"},
            {"name": "X-Token", "isSecret": true, "isRequired": true, "value": SECRET},
        ]);
        document(&json!({"remotes": [remote]}))
    };
    vec![
        ("http-oauth", installation(&gateway(false), Takes::TokensAndKeys)),
        ("http-oauth-only", installation(&gateway(false), Takes::Tokens)),
        ("http-other-issuer", installation(&gateway(false), Takes::Issuers)),
        ("http-key", installation(&gateway(false), Takes::Keys)),
        ("http-open", installation(&gateway(true), Takes::TokensAndKeys)),
        ("http-secret-header", installation(&header, Takes::Keys)),
        (
            "npm",
            installation(&local(package("npm", "@acme/billing", &json!({}))), Takes::Keys),
        ),
        (
            "npm-plain",
            installation(&local(package("npm", "@acme/billing", &plain)), Takes::Keys),
        ),
        (
            "npm-hard-words",
            installation(&local(package("npm", "@acme/billing", &arguments)), Takes::Keys),
        ),
        (
            "npm-asks",
            installation(&local(package("npm", "@acme/billing", &asks)), Takes::Keys),
        ),
        (
            "pypi",
            installation(&local(package("pypi", "acme-billing", &json!({}))), Takes::Keys),
        ),
        (
            "nuget",
            installation(&local(package("nuget", "Acme.Billing", &json!({}))), Takes::Keys),
        ),
        (
            "oci",
            installation(
                &local(package("oci", "ghcr.io/acme/billing:1.2.3", &json!({}))),
                Takes::Keys,
            ),
        ),
        ("mcpb", installation(&local(bundle), Takes::Keys)),
    ]
}
