//! What is said about a document before it is published: every problem with its place, and what kind it is.

use portreeve_registry::IssueKind::{Schema, Semantic};
use portreeve_registry::{IssueKind, Severity, Verdict};
use serde_json::{Value, json};

use crate::world::World;

fn good() -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.acme/billing", "title": "Billing", "description": "Invoices", "version": "1.0.0",
        "websiteUrl": "https://acme.example", "repository": {"url": "https://git.acme.example/b", "source": "git",
            "subfolder": "src/billing"},
        "icons": [{"src": "https://acme.example/i.png", "mimeType": "image/png", "sizes": ["48x48", "any"],
            "theme": "dark"}],
        "remotes": [{"type": "streamable-http", "url": "https://mcp.acme.example/mcp",
            "headers": [{"name": "X-Team", "isRequired": true, "format": "string", "choices": ["a", "b"]}]}],
        "packages": [{"registryType": "npm", "identifier": "@acme/billing", "version": "1.0.0",
            "transport": {"type": "stdio"},
            "runtimeArguments": [{"type": "positional", "valueHint": "path"}],
            "packageArguments": [{"type": "named", "name": "--mode", "value": "fast"}],
            "environmentVariables": [{"name": "KEY", "isSecret": true}]}],
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided": {"tool": "x"}}
    })
}

fn check(document: &Value) -> Verdict {
    World::new().registry.check(&document.to_string())
}

/// The good document with another value at one place; the last part of the place may be new.
fn with(path: &str, value: Value) -> Value {
    let mut document = good();
    if let Some(place) = document.pointer_mut(path) {
        *place = value;
        return document;
    }
    let (parent, field) = path.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[field] = value;
    document
}

#[test]
fn a_good_document_has_no_issues() {
    assert_eq!(
        check(&good()),
        Verdict {
            valid: true,
            issues: Vec::new()
        }
    );
}

#[test]
fn a_text_that_is_no_document_is_an_issue_and_no_error() {
    for text in ["", "{", "[]", "{\"a\":1,\"a\":2}", "\u{0}"] {
        let verdict = World::new().registry.check(text);
        assert!(!verdict.valid, "{text}");
        assert_eq!(verdict.issues.len(), 1, "{text}");
        assert_eq!(verdict.issues[0].kind, IssueKind::Json, "{text}");
        assert_eq!(verdict.issues[0].path, "", "{text}");
    }
}

/// What is changed, to what, where that is told, and as what.
const CASES: &[(&str, &str, &str, IssueKind)] = &[
    ("/name", r#""nope""#, "name", Schema),
    ("/name", "7", "name", Schema),
    ("/title", r#""""#, "title", Schema),
    ("/version", r#""latest""#, "version", Schema),
    (
        "/$schema",
        r#""https://acme.example/s.json""#,
        "$schema",
        Semantic,
    ),
    (
        "/$schema",
        r#""https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json""#,
        "$schema",
        Semantic,
    ),
    ("/websiteUrl", r#""http://acme.example""#, "websiteUrl", Semantic),
    ("/websiteUrl", r#""javascript:alert(1)""#, "websiteUrl", Schema),
    ("/repository/url", r#""ftp://x""#, "repository.url", Schema),
    ("/repository/source", "null", "repository.source", Schema),
    (
        "/repository/subfolder",
        r#""../x""#,
        "repository.subfolder",
        Semantic,
    ),
    (
        "/icons/0/src",
        r#""http://acme.example/i.png""#,
        "icons[0].src",
        Schema,
    ),
    ("/icons/0/mimeType", r#""text/html""#, "icons[0].mimeType", Schema),
    ("/icons/0/sizes/0", r#""48""#, "icons[0].sizes[0]", Schema),
    ("/icons/0/theme", r#""pink""#, "icons[0].theme", Schema),
    ("/remotes/0/type", r#""stdio""#, "remotes[0].type", Schema),
    ("/remotes/0/url", r#""ftp://a""#, "remotes[0].url", Schema),
    (
        "/remotes/0/url",
        r#""https://u:p@acme.example/mcp""#,
        "remotes[0].url",
        Semantic,
    ),
    (
        "/remotes/0/url",
        r#""https://gw.example/s/x/mcp""#,
        "remotes[0].url",
        Semantic,
    ),
    (
        "/remotes/0/headers/0/isRequired",
        r#""yes""#,
        "remotes[0].headers[0].isRequired",
        Schema,
    ),
    (
        "/remotes/0/headers/0/format",
        r#""date""#,
        "remotes[0].headers[0].format",
        Schema,
    ),
    (
        "/remotes/0/headers/0/choices",
        "[1]",
        "remotes[0].headers[0].choices[0]",
        Schema,
    ),
    ("/remotes", "{}", "remotes", Schema),
    (
        "/packages/0/version",
        r#""^1.0""#,
        "packages[0].version",
        Semantic,
    ),
    (
        "/packages/0/transport",
        r#"{"type": "ws"}"#,
        "packages[0].transport.type",
        Schema,
    ),
    (
        "/packages/0/runtimeArguments/0",
        r#"{"type": "positional"}"#,
        "packages[0].runtimeArguments[0]",
        Semantic,
    ),
    (
        "/packages/0/packageArguments/0/name",
        r#""--a <b>""#,
        "packages[0].packageArguments[0].name",
        Semantic,
    ),
    (
        "/packages/0/packageArguments/0/value",
        r#""--mode=x""#,
        "packages[0].packageArguments[0].value",
        Semantic,
    ),
    (
        "/packages/0/fileSha256",
        r#""XY""#,
        "packages[0].fileSha256",
        Schema,
    ),
    (
        "/packages/0/registryBaseUrl",
        r#""not a url""#,
        "packages[0].registryBaseUrl",
        Schema,
    ),
    ("/_meta", "[]", "_meta", Schema),
];

/// Where one thing is changed, one issue is told, at that place.
#[test]
fn every_problem_is_told_once_with_its_place() {
    for (pointer, value, path, kind) in CASES {
        told_once(&with(pointer, serde_json::from_str(value).unwrap()), path, *kind);
    }
    let publisher = "/_meta/io.modelcontextprotocol.registry~1publisher-provided";
    let said = "_meta.io.modelcontextprotocol.registry/publisher-provided";
    told_once(
        &with("/description", json!("x".repeat(101))),
        "description",
        Schema,
    );
    told_once(
        &with("/packages/0/fileSha256", json!("ab".repeat(32))),
        "packages[0].fileSha256",
        Semantic,
    );
    told_once(&with(publisher, json!({"x": "y".repeat(5_000)})), said, Semantic);
}

fn told_once(document: &Value, path: &str, kind: IssueKind) {
    let verdict = check(document);
    let found: Vec<_> = verdict
        .issues
        .iter()
        .map(|issue| (&*issue.path, issue.kind, issue.severity))
        .collect();
    assert_eq!(found, [(path, kind, Severity::Error)], "{verdict:?}");
    assert!(!verdict.valid);
}

#[test]
fn an_oci_package_says_its_version_in_its_name() {
    let document = with(
        "/packages/0",
        json!({"registryType": "oci", "identifier": "ghcr.io/acme/b:1", "version": "1.0.0",
            "registryBaseUrl": "https://ghcr.io", "transport": {"type": "stdio"}}),
    );
    let paths: Vec<String> = check(&document)
        .issues
        .into_iter()
        .map(|issue| issue.path)
        .collect();
    assert_eq!(paths, ["packages[0].version", "packages[0].registryBaseUrl"]);
}

#[test]
fn an_older_schema_and_plain_http_are_warned_of() {
    let mut document = with("/remotes/0/url", json!("http://mcp.acme.example/mcp"));
    document["$schema"] =
        json!("https://static.modelcontextprotocol.io/schemas/2025-10-17/server.schema.json");
    let verdict = check(&document);
    assert!(verdict.valid, "{verdict:?}");
    let found: Vec<_> = verdict
        .issues
        .iter()
        .map(|issue| (&*issue.path, issue.kind, issue.severity))
        .collect();
    let warning = |path| (path, IssueKind::Linter, Severity::Warning);
    assert_eq!(found, [warning("$schema"), warning("remotes[0].url")]);
}

#[test]
fn more_remotes_than_anybody_needs_are_refused() {
    let remotes: Vec<Value> = (0..101)
        .map(|number| json!({"type": "sse", "url": format!("https://{number}.acme.example/sse")}))
        .collect();
    let verdict = check(&with("/remotes", json!(remotes)));
    assert_eq!(verdict.issues[0].path, "remotes", "{verdict:?}");
}

#[test]
fn a_document_full_of_problems_is_told_a_bounded_number_of_them() {
    let mut document = good();
    document["remotes"] = json!(vec![1; 60_000]);
    document["packages"] = json!(vec![json!([]); 10_000]);
    let verdict = check(&document);
    assert!(!verdict.valid);
    assert!(verdict.issues.len() <= 3 * 500, "{}", verdict.issues.len());
}
