//! What each form of source becomes.

use portreeve_core::import::ImportKind;
use portreeve_core::limits::Limits;
use portreeve_mcp::server_json::form_problems;
use portreeve_registry::import::{Candidate, Record, SourceStatus, importer};
use serde_json::{Value, json};

use super::corpus;
use crate::world::{URL, package, remote};

fn read(kind: ImportKind, text: &str) -> Vec<Candidate> {
    let record = Record {
        place: "here".to_owned(),
        text: text.to_owned(),
    };
    importer(kind).read(&record, &Limits::default())
}

fn one(kind: ImportKind, text: &str) -> Candidate {
    let mut found = read(kind, text);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn document(candidate: &Candidate) -> Value {
    serde_json::from_str(&candidate.document).unwrap()
}

#[test]
fn the_oldest_form_is_written_anew_and_kept() {
    let old = r#"{
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-07-09/server.schema.json",
        "name": "com.acme/notes", "description": "Notes", "status": "deprecated", "version": "1.0.2",
        "website_url": "https://acme.example",
        "packages": [{"registry_type": "npm", "registry_base_url": "https://registry.npmjs.org",
            "identifier": "@acme/notes", "version": "1.0.2", "runtime_hint": "npx",
            "runtime_arguments": [{"type": "positional", "value_hint": "file", "is_required": true}],
            "environment_variables": [{"name": "KEY", "is_secret": true, "is_required": true}]}],
        "_meta": {"com.acme/own": {"is_secret": "stays as it is"}}
    }"#;
    let candidate = one(ImportKind::Git, old);
    assert_eq!(candidate.findings, []);
    assert_eq!(candidate.status, SourceStatus::Deprecated);
    assert_eq!(candidate.raw.as_deref(), Some(old));
    assert_eq!(
        document(&candidate),
        json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": "com.acme/notes", "description": "Notes", "version": "1.0.2",
            "websiteUrl": "https://acme.example",
            "packages": [{"registryType": "npm", "registryBaseUrl": "https://registry.npmjs.org",
                "identifier": "@acme/notes", "version": "1.0.2", "runtimeHint": "npx",
                "runtimeArguments": [{"type": "positional", "valueHint": "file", "isRequired": true}],
                "environmentVariables": [{"name": "KEY", "isSecret": true, "isRequired": true}],
                "transport": {"type": "stdio"}}],
            "_meta": {"com.acme/own": {"is_secret": "stays as it is"}}
        })
    );
}

#[test]
fn documents_of_all_six_dates_are_taken_byte_for_byte() {
    for date in [
        "2025-09-16",
        "2025-09-29",
        "2025-10-11",
        "2025-10-17",
        "2025-12-11",
    ] {
        let text = package("com.acme/notes", "1.0.0").replacen(
            '{',
            &format!(
                r#"{{"$schema": "https://static.modelcontextprotocol.io/schemas/{date}/server.schema.json", "#
            ),
            1,
        );
        let with_mark = format!("\u{feff}{text}");
        let candidate = one(ImportKind::Git, &with_mark);
        assert_eq!(
            (candidate.document.as_str(), candidate.raw.as_ref()),
            (&*text, None),
            "{date}"
        );
        assert_eq!(candidate.findings, [], "{date}");
    }
}

#[test]
fn what_is_odd_is_flagged_and_what_is_no_entry_is_refused() {
    let odd = r##"{"$schema": "#/definitions/ServerDetail", "name": "com.acme/odd", "description": "Odd", "version": "1",
        "repository": {}, "packages": [{"registryType": "npm", "identifier": "a", "version": "latest"}]}"##;
    let candidate = one(ImportKind::Git, odd);
    let paths: Vec<&str> = candidate
        .findings
        .iter()
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "repository.url",
            "repository.source",
            "packages[0].version",
            "packages[0].transport",
            "$schema"
        ]
    );
    assert!(candidate.name.is_some() && !candidate.needs_eyes);
    for text in ["", "[]", "{", r#"{"name":"a","name":"b"}"#, "\u{0}"] {
        let refused = one(ImportKind::Git, text);
        assert!(
            refused.name.is_none() && refused.findings[0].path == "$",
            "{text:?}"
        );
    }
    let nameless = one(
        ImportKind::Git,
        r#"{"name": "no slash", "version": "^1", "description": "x"}"#,
    );
    assert!(nameless.name.is_none() && nameless.version.is_none());
    let link = remote("com.acme/link", "1", URL).replacen('{', r#"{"websiteUrl": "javascript:alert(1)","#, 1);
    assert!(one(ImportKind::Git, &link).needs_eyes);
}

#[test]
fn a_record_says_what_its_registry_said() {
    let text = format!(
        r#"{{"servers": [{{"server": {}, "_meta": {{"io.modelcontextprotocol.registry/official":
            {{"status": "deleted", "publishedAt": "2025-10-09T17:05:17.793149Z", "isLatest": true}}}}}},
            {}]}}"#,
        package("com.acme/a", "1.0.0"),
        package("com.acme/b", "1.0.0")
    );
    let found = read(ImportKind::Dump, &text);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].place, "here#servers[0]");
    assert_eq!(found[0].document, package("com.acme/a", "1.0.0"));
    assert_eq!(found[0].status, SourceStatus::Deleted);
    assert_eq!(
        found[0].published_at.unwrap().to_string(),
        "2025-10-09T17:05:17.793Z"
    );
    assert_eq!(found[1].name.as_ref().unwrap().as_str(), "com.acme/b");
    assert_eq!(
        (found[1].status, found[1].published_at),
        (SourceStatus::Active, None)
    );
}

#[test]
fn b5_all_partner_files_are_taken_and_nothing_of_them_is_lost() {
    let Some(text) = corpus("azure-mcp-partners-2026-08.json") else {
        return;
    };
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let mut names = std::collections::BTreeSet::new();
    let mut files = 0;
    for file in bundle["files"].as_array().unwrap() {
        let place = file["path"].as_str().unwrap();
        if !place.starts_with("partners/servers/") {
            continue;
        }
        files += 1;
        let candidate = one(ImportKind::Partners, &file["json"].to_string());
        let name = candidate
            .name
            .clone()
            .unwrap_or_else(|| panic!("{place}: {candidate:?}"));
        assert!(candidate.version.is_some(), "{place}: {:?}", candidate.findings);
        assert!(names.insert(name.to_string()), "{name} twice");
        let kept = &document(&candidate)["_meta"]["com.azure.mcp/partner"];
        assert_eq!(kept, &file["json"], "{place}");
    }
    assert_eq!((files, names.len()), (96, 96));
    assert!(
        names.contains("com.atlassian/atlassian-remote-mcp-server")
            || names.iter().any(|name| name.starts_with("com."))
    );
}

#[test]
fn every_file_of_the_docker_catalogue_is_taken() {
    let Some(text) = corpus("docker-mcp-registry-2026-07.json") else {
        return;
    };
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let (mut files, mut remotes, mut packages) = (0, 0, 0);
    for file in bundle["files"].as_array().unwrap() {
        let Some(yaml) = file["yaml"].as_str() else {
            continue;
        };
        files += 1;
        let candidate = one(ImportKind::Docker, yaml);
        assert!(
            candidate.name.is_some(),
            "{}: {:?}",
            file["path"],
            candidate.findings
        );
        let document = document(&candidate);
        remotes += usize::from(document["remotes"].is_array());
        packages += usize::from(document["packages"].is_array());
        assert!(
            !candidate.needs_eyes,
            "{}: {:?}",
            file["path"], candidate.findings
        );
    }
    assert_eq!(files, 328);
    assert!(remotes > 20 && packages > 200, "{remotes} {packages}");
}

#[test]
fn an_api_of_api_center_is_taken_in_both_its_forms() {
    let managed = json!({"name": "billing", "properties": {"kind": "mcp", "title": "Billing", "summary": "Invoices",
        "lifecycleStage": "deprecated", "customProperties": {"dataClass": "low"}},
        "versions": [{"name": "v1", "properties": {"title": "1.4.0"}}],
        "deployments": [{"properties": {"server": {"runtimeUri": ["https://mcp.acme.example/mcp"]}}}]});
    let candidate = one(ImportKind::ApiCenter, &managed.to_string());
    let shown = document(&candidate);
    assert_eq!(shown["name"], "com.azure.api-center/billing");
    assert_eq!(
        (&shown["version"], &shown["title"]),
        (&json!("1.4.0"), &json!("Billing"))
    );
    assert_eq!(
        shown["remotes"],
        json!([{"type": "streamable-http", "url": "https://mcp.acme.example/mcp"}])
    );
    assert_eq!(shown["_meta"]["com.azure.api-center/api"], managed);
    assert_eq!(candidate.status, SourceStatus::Deprecated);
    let served = format!(
        r#"{{"server": {}, "_meta": {{"x-ms-icon": "i"}}}}"#,
        package("com.acme/a", "1.0.0")
    );
    let candidate = one(ImportKind::ApiCenter, &served);
    assert_eq!(candidate.document, package("com.acme/a", "1.0.0"));
    let rest = one(ImportKind::ApiCenter, r#"{"name": "pets", "kind": "rest"}"#);
    assert!(rest.name.is_none() && rest.findings[0].path == "kind");
}

/// Our rules and the official schema are of one mind about every record: 275 are not of its form.
#[test]
fn a2_what_the_official_schema_refuses_is_flagged_and_nothing_else() {
    let (Some(schema), Some(dump)) = (
        corpus("schemas/2025-12-11.server.schema.json"),
        corpus("official-registry-dump-2026-01-11.json"),
    ) else {
        return;
    };
    let schema: Value = serde_json::from_str(&schema).unwrap();
    // What is a URI readers take differently, and an empty `$schema` stands in real records: the figure is without formats.
    let official = jsonschema::options()
        .should_validate_formats(false)
        .build(&schema)
        .unwrap();
    let dump: Value = serde_json::from_str(&dump).unwrap();
    let mut refused = 0;
    for record in dump["servers"].as_array().unwrap() {
        let server = &record["server"];
        let is_ours = form_problems(server.as_object().unwrap()).is_empty();
        assert_eq!(official.is_valid(server), is_ours, "{server}");
        refused += usize::from(!is_ours);
    }
    assert_eq!(refused, 275);
    // The same for documents that are bent in one place each.
    let bent = |pointer: &str, value: Value| {
        let mut server: Value = serde_json::from_str(&package("com.acme/a", "1.0.0")).unwrap();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        server.pointer_mut(parent).unwrap()[key] = value;
        server
    };
    for (pointer, value) in [
        ("/title", json!("")),
        ("/title", json!(7)),
        ("/description", json!("x".repeat(101))),
        ("/name", json!("no slash")),
        (
            "/icons",
            json!([{"src": "https://a.example/i.png", "sizes": ["48x48", "any"]}]),
        ),
        (
            "/icons",
            json!([{"src": "https://a.example/i.png", "sizes": ["48"]}]),
        ),
        ("/icons", json!([{"mimeType": "image/gif"}])),
        ("/repository", json!({"url": "https://github.com/a/b"})),
        ("/remotes", json!([{"type": "sse", "url": "https://{host}/sse"}])),
        ("/remotes", json!([{"type": "stdio"}])),
        ("/remotes", json!([{"type": "sse", "url": "ftp://x"}])),
        (
            "/_meta",
            json!({"io.modelcontextprotocol.registry/publisher-provided": 1}),
        ),
        ("/packages/0/fileSha256", json!("ABC")),
        ("/packages/0/transport", json!({"type": "streamable-http"})),
        ("/packages/0/environmentVariables", json!([{"value": "x"}])),
        (
            "/packages/0/environmentVariables",
            json!([{"name": "A", "isSecret": "yes"}]),
        ),
        (
            "/packages/0/environmentVariables",
            json!([{"name": "A", "variables": {"b": {"format": "integer"}}}]),
        ),
        (
            "/packages/0/packageArguments",
            json!([{"type": "named", "name": "--x", "choices": [1]}]),
        ),
        (
            "/packages/0/runtimeArguments",
            json!([{"type": "positional", "isRepeated": true}]),
        ),
    ] {
        let server = bent(pointer, value);
        let is_ours = form_problems(server.as_object().unwrap()).is_empty();
        assert_eq!(official.is_valid(&server), is_ours, "{pointer}: {server}");
    }
}
