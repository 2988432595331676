//! What the view says about documents, good and bad.

use super::{RemoteKind, Unreadable, parse};

const LIMIT: usize = 64 * 1024;

fn problems(text: &str) -> Vec<String> {
    let reading = parse(text, LIMIT).unwrap();
    reading
        .problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.path, problem.message))
        .collect()
}

#[test]
fn a_good_document_has_no_problems() {
    let reading = parse(
        r#"{"$schema":"https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name":"com.acme/billing","title":"Billing","description":"Invoices","version":"1.4.0","x":{"kept":1},
            "remotes":[{"type":"sse","url":"https://a.example/sse"},
                       {"type":"streamable-http","url":"https://a.example/mcp","headers":[
                         {"name":"Authorization","value":"Bearer {key}","isSecret":true,
                          "variables":{"key":{"isRequired":true,"isSecret":true}}}]}],
            "packages":[{"registryType":"npm","identifier":"@acme/billing","version":"1.4.0",
                         "transport":{"type":"stdio"},
                         "packageArguments":[{"type":"named","name":"--mode","value":"fast"},
                                             {"type":"positional","valueHint":"path"}],
                         "environmentVariables":[{"name":"KEY","isSecret":true,"default":3}]}]}"#,
        LIMIT,
    )
    .unwrap();
    assert_eq!(reading.problems, []);
    assert_eq!(reading.warnings, []);
    assert!(reading.raw.contains_key("x"));
    let upstream = reading.view.upstream().unwrap();
    assert_eq!(upstream.kind, RemoteKind::StreamableHttp);
    assert_eq!(upstream.url, "https://a.example/mcp");
    assert_eq!(upstream.headers[0].input.variables[0].0, "key");
    let package = &reading.view.packages[0];
    assert_eq!(package.package_arguments[0].name.as_deref(), Some("--mode"));
    assert_eq!(package.package_arguments[1].value_hint.as_deref(), Some("path"));
    assert_eq!(package.environment[0].input.default.as_deref(), Some("3"));
}

#[test]
fn every_problem_is_named_with_its_path() {
    let found = problems(
        r#"{"name":"nope","title":"  ","description":"","version":"latest","websiteUrl":"javascript:alert(1)",
            "repository":[],"_meta":3,"icons":[{"src":"http://a/b.png"}],
            "remotes":[{"type":"ws","url":"https://a.example"},{"type":"sse","url":"ftp://a"},7,
                       {"type":"streamable-http","url":"https://{tenant}.example/mcp","headers":[{"value":"x"}]}],
            "packages":[{"identifier":"a"},{"registryType":"npm","identifier":"--evil","transport":{"type":"stdio"},
                         "version":"latest","packageArguments":[{"type":"named"}]},
                        {"registryType":"mcpb","identifier":"https://a/b.mcpb","transport":{"type":"x"}}]}"#,
    );
    let paths: Vec<&str> = found.iter().map(|line| line.split_once(':').unwrap().0).collect();
    let expected = [
        "websiteUrl",
        "repository",
        "icons[0].src",
        "_meta",
        "name",
        "version",
        "title",
        "description",
        "remotes[2]",
        "remotes[0].type",
        "remotes[1].url",
        "remotes[3].url",
        "remotes[3].headers[0].name",
        "packages[0].registryType",
        "packages[1].identifier",
        "packages[1].version",
        "packages[1].packageArguments[0].name",
        "packages[2].fileSha256",
        "packages[2].transport.type",
    ];
    assert_eq!(paths, expected, "{found:#?}");
}

#[test]
fn missing_fields_are_named() {
    let found = problems("{}");
    assert_eq!(
        found,
        [
            "name: it is required",
            "version: it is required",
            "description: it is required"
        ]
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    let document = |description: &str, title: &str| {
        format!(r#"{{"name":"a.b/cd","version":"1","description":"{description}","title":"{title}"}}"#)
    };
    assert_eq!(problems(&document(&"ü".repeat(100), &"ß".repeat(100))), [""; 0]);
    assert_eq!(
        problems(&document(&"ü".repeat(101), "t")),
        ["description: it must have 1 to 100 characters, and has 101"]
    );
    assert_eq!(problems(&document("d", &"t".repeat(101))).len(), 1);
}

#[test]
fn ranges_are_not_versions() {
    for range in [
        "^1.2",
        "~1.2",
        ">=1",
        "=1.0",
        "1.x",
        "1.2.*",
        "1 - 2",
        "1.2 || 1.3",
        "latest",
        "<2",
        "",
    ] {
        let text = format!(r#"{{"name":"a.b/cd","version":"{range}","description":"d"}}"#);
        assert_eq!(problems(&text).len(), 1, "{range}");
    }
}

#[test]
fn an_empty_repository_is_only_a_warning() {
    let text = r#"{"name":"a.b/cd","version":"1","description":"d","repository":{}}"#;
    let reading = parse(text, LIMIT).unwrap();
    assert_eq!(reading.problems, []);
    let paths: Vec<&str> = reading.warnings.iter().map(|w| w.path.as_str()).collect();
    assert_eq!(paths, ["$schema", "repository"]);
}

#[test]
fn what_is_given_on_as_an_address_is_one() {
    let with = |schema: &str, base: &str| {
        format!(
            r#"{{"$schema":"{schema}","name":"a.b/cd","version":"1","description":"d",
            "packages":[{{"registryType":"npm","identifier":"c","version":"1","registryBaseUrl":"{base}",
            "transport":{{"type":"stdio"}}}}]}}"#
        )
    };
    let known = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
    assert_eq!(problems(&with(known, "https://registry.npmjs.org")), [""; 0]);
    assert_eq!(
        problems(&with("", "")),
        [""; 0],
        "the official registry has those"
    );
    assert_eq!(
        problems(&with("1e400", "npm")),
        [
            "$schema: it must be an http or https URL",
            "packages[0].registryBaseUrl: it must be an http or https URL"
        ]
    );
    assert_eq!(problems(&with("2025-12-11", "")).len(), 1);
    let number = with(known, "").replace(r#""registryBaseUrl":"""#, r#""registry_base_url":5"#);
    assert_eq!(
        problems(&number),
        ["packages[0].registry_base_url: it must be an http or https URL"]
    );
}

#[test]
fn what_is_no_document_is_refused() {
    assert_eq!(parse("{}", 1), Err(Unreadable::TooLarge { size: 2, limit: 1 }));
    assert_eq!(parse("[]", LIMIT), Err(Unreadable::NotAnObject));
    assert_eq!(parse("null", LIMIT), Err(Unreadable::NotAnObject));
    for text in [
        "",
        "{",
        "{} {}",
        "{\"a\":1e999}",
        r#"{"name":"a","name":"b"}"#,
        r#"{"x":[{"y":1,"\u0079":2}]}"#,
        &"[".repeat(4000),
    ] {
        assert!(
            matches!(parse(text, LIMIT), Err(Unreadable::NotJson { .. })),
            "{:?}",
            text.get(..40)
        );
    }
    let error = parse(r#"{"x":[{"y":1,"y":2}]}"#, LIMIT).unwrap_err().to_string();
    assert!(error.contains("the key `y` appears twice"), "{error}");
}

#[test]
fn the_snake_case_of_2025_07_09_is_understood() {
    let text = r#"{"name":"a.b/cd","version":"1","description":"d","packages":[{"registry_type":"npm",
        "identifier":"p","transport":{"type":"stdio"},"runtime_arguments":[{"type":"positional","value":"-y"}],
        "environment_variables":[{"name":"K","is_secret":true,"is_required":true}]}]}"#;
    let reading = parse(text, LIMIT).unwrap();
    assert_eq!(reading.problems, []);
    let package = &reading.view.packages[0];
    assert!(package.environment[0].input.is_secret && package.environment[0].input.is_required);
    assert_eq!(package.runtime_arguments[0].input.value.as_deref(), Some("-y"));
}
