//! What is said about a document before it is published: every problem with its place, and what kind it is.

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

fn with(path: &str, value: Value) -> Value {
    let mut document = good();
    *document.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
    document
}

fn added(path: &str, field: &str, value: Value) -> Value {
    let mut document = good();
    document.pointer_mut(path).unwrap()[field] = value;
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

/// Where one thing is changed, one issue is told, at that place.
#[test]
fn every_problem_is_told_once_with_its_place() {
    use IssueKind::{Schema, Semantic};
    let cases = [
        (with("/name", json!("nope")), "name", Schema),
        (with("/name", json!(7)), "name", Schema),
        (with("/title", json!("")), "title", Schema),
        (
            with("/description", json!("x".repeat(101))),
            "description",
            Schema,
        ),
        (with("/version", json!("latest")), "version", Schema),
        (
            with("/$schema", json!("https://acme.example/s.json")),
            "$schema",
            Semantic,
        ),
        (
            with(
                "/$schema",
                json!("https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json"),
            ),
            "$schema",
            Semantic,
        ),
        (
            with("/websiteUrl", json!("http://acme.example")),
            "websiteUrl",
            Semantic,
        ),
        (
            with("/websiteUrl", json!("javascript:alert(1)")),
            "websiteUrl",
            Schema,
        ),
        (
            with("/repository/url", json!("ftp://x")),
            "repository.url",
            Schema,
        ),
        (
            with("/repository/source", json!(null)),
            "repository.source",
            Schema,
        ),
        (
            with("/repository/subfolder", json!("../x")),
            "repository.subfolder",
            Semantic,
        ),
        (
            with("/icons/0/src", json!("http://acme.example/i.png")),
            "icons[0].src",
            Schema,
        ),
        (
            with("/icons/0/mimeType", json!("text/html")),
            "icons[0].mimeType",
            Schema,
        ),
        (with("/icons/0/sizes/0", json!("48")), "icons[0].sizes[0]", Schema),
        (with("/icons/0/theme", json!("pink")), "icons[0].theme", Schema),
        (with("/remotes/0/type", json!("stdio")), "remotes[0].type", Schema),
        (with("/remotes/0/url", json!("ftp://a")), "remotes[0].url", Schema),
        (
            with("/remotes/0/url", json!("https://u:p@acme.example/mcp")),
            "remotes[0].url",
            Semantic,
        ),
        (
            with("/remotes/0/url", json!("https://gw.example/s/x/mcp")),
            "remotes[0].url",
            Semantic,
        ),
        (
            with("/remotes/0/headers/0/isRequired", json!("yes")),
            "remotes[0].headers[0].isRequired",
            Schema,
        ),
        (
            with("/remotes/0/headers/0/format", json!("date")),
            "remotes[0].headers[0].format",
            Schema,
        ),
        (
            with("/remotes/0/headers/0/choices", json!([1])),
            "remotes[0].headers[0].choices[0]",
            Schema,
        ),
        (
            with("/packages/0/version", json!("^1.0")),
            "packages[0].version",
            Semantic,
        ),
        (
            with("/packages/0/transport", json!({"type": "ws"})),
            "packages[0].transport.type",
            Schema,
        ),
        (
            with("/packages/0/runtimeArguments/0", json!({"type": "positional"})),
            "packages[0].runtimeArguments[0]",
            Semantic,
        ),
        (
            with("/packages/0/packageArguments/0/name", json!("--a <b>")),
            "packages[0].packageArguments[0].name",
            Semantic,
        ),
        (
            with("/packages/0/packageArguments/0/value", json!("--mode=x")),
            "packages[0].packageArguments[0].value",
            Semantic,
        ),
        (
            added("/packages/0", "fileSha256", json!("ab".repeat(32))),
            "packages[0].fileSha256",
            Semantic,
        ),
        (
            added("/packages/0", "fileSha256", json!("XY")),
            "packages[0].fileSha256",
            Schema,
        ),
        (
            added("/packages/0", "registryBaseUrl", json!("not a url")),
            "packages[0].registryBaseUrl",
            Schema,
        ),
        (with("/_meta", json!([])), "_meta", Schema),
        (
            with(
                "/_meta/io.modelcontextprotocol.registry~1publisher-provided",
                json!({"x": "y".repeat(5_000)}),
            ),
            "_meta.io.modelcontextprotocol.registry/publisher-provided",
            Semantic,
        ),
        (with("/remotes", json!({})), "remotes", Schema),
    ];
    for (document, path, kind) in cases {
        let verdict = check(&document);
        let found: Vec<_> = verdict
            .issues
            .iter()
            .map(|issue| (&*issue.path, issue.kind, issue.severity))
            .collect();
        assert_eq!(found, [(path, kind, Severity::Error)], "{verdict:?}");
        assert!(!verdict.valid);
    }
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
