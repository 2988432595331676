//! B6: whatever stands in a document, no secret value and no control character comes out, and what hosts read is what was
//! meant.

use portreeve_registry::install::{Launch, SnippetKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::decode::{meant, percent_decoded, read};
use super::entries::{SECRET, Takes, document, installation, remote};

/// Texts that hosts, shells, links and files could stumble over.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("$HOME"),
        Just("${env:X}"),
        Just("`id`"),
        Just("$(id)"),
        Just("'"),
        Just("\""),
        Just("\\"),
        Just("\n"),
        Just("\u{0}"),
        Just("\u{1b}[2J"),
        Just("\u{202e}"),
        Just("&"),
        Just("|calc"),
        Just("%PATH%"),
        Just("!!"),
        Just(" "),
        Just("--x"),
        Just("{a}"),
        Just("é"),
        Just("\u{201d}"),
        Just("\u{2018}"),
        Just("\u{2019}"),
        Just("\u{201a}"),
        Just("\u{201b}"),
        Just(";calc"),
        Just("]]>"),
        Just("</script>"),
        Just("javascript:alert(1)"),
        Just("key: value"),
        Just("#"),
        Just("="),
        Just("a"),
        Just("Z9"),
        Just("@b"),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn input() -> impl Strategy<Value = Value> {
    (text(), text(), any::<bool>(), any::<bool>(), 0..5u8).prop_map(
        |(value, description, required, secret, form)| {
            let value = if secret { format!("{SECRET}{value}") } else { value };
            let mut input = json!({"description": description, "isRequired": required, "isSecret": secret});
            match form {
                0 => input["value"] = json!(value),
                1 => input["default"] = json!(value),
                2 if !secret => {
                    input["value"] = json!(format!("{value}-{{inner}}"));
                    input["variables"] =
                        json!({"inner": {"isSecret": true, "default": SECRET, "value": SECRET}});
                }
                _ => {}
            }
            input
        },
    )
}

fn with(mut input: Value, more: Value) -> Value {
    if let (Some(input), Some(more)) = (input.as_object_mut(), more.as_object()) {
        input.extend(more.clone());
    }
    input
}

fn package() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        Just("npm"),
        Just("pypi"),
        Just("nuget"),
        Just("oci"),
        Just("mcpb")
    ];
    let identifier = prop_oneof![
        Just("@acme/p".to_owned()),
        Just("https://dl.example/a.mcpb".to_owned()),
        text()
    ];
    let name = prop_oneof![Just("A_KEY".to_owned()), Just("lower".to_owned()), text()];
    let variables = prop::collection::vec((input(), name), 0..3);
    let arguments = prop::collection::vec((input(), text(), any::<bool>()), 0..3);
    (kind, identifier, variables, arguments).prop_map(|(kind, identifier, variables, arguments)| {
        let variables: Vec<Value> = variables.into_iter().map(|(input, name)| with(input, json!({"name": name}))).collect();
        let arguments: Vec<Value> = arguments
            .into_iter()
            .map(|(input, name, named)| {
                let kind = if named { "named" } else { "positional" };
                with(input, json!({"type": kind, "name": name, "valueHint": name}))
            })
            .collect();
        json!({
            "registryType": kind, "identifier": identifier, "version": "1.0.0", "transport": {"type": "stdio"},
            "fileSha256": "ab".repeat(32), "environmentVariables": variables, "packageArguments": arguments,
        })
    })
}

fn entry() -> impl Strategy<Value = Value> {
    let header = prop_oneof![Just("X-Key".to_owned()), Just("Authorization".to_owned()), text()];
    let headers = prop::collection::vec((input(), header), 0..3);
    (text(), text(), headers, prop::collection::vec(package(), 0..2)).prop_map(|(title, description, headers, packages)| {
        let mut remote = remote(true);
        let headers = headers.into_iter().map(|(input, name)| with(input, json!({"name": name})));
        remote["headers"] = headers.collect();
        document(&json!({"title": title, "description": description, "remotes": [remote], "packages": packages}))
    })
}

fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn b6_nothing_secret_and_nothing_odd_comes_out(document in entry()) {
        for takes in [Takes::TokensAndKeys, Takes::Keys] {
            let found = installation(&document, takes);
            for offer in &found.offers {
                for snippet in offer.hosts.iter().flat_map(|host| &host.snippets) {
                    let decoded = percent_decoded(&snippet.text);
                    prop_assert!(!decoded.contains(SECRET), "{}", decoded);
                    prop_assert!(!snippet.shows.as_deref().unwrap_or_default().contains(SECRET));
                    let whole = matches!(snippet.kind, SnippetKind::File { .. });
                    for line in snippet.text.split(|c| whole && c == '\n') {
                        prop_assert!(!line.contains(is_odd), "{:?}", line);
                    }
                    if matches!(offer.setup.launch, Launch::Bundle { .. }) {
                        continue;
                    }
                    let setup = match (snippet.host, &offer.setup.keyed) {
                        ("copilot-coding-agent", Some(keyed)) => keyed,
                        _ => &offer.setup,
                    };
                    if let Some(told) = read(snippet, setup) {
                        prop_assert_eq!(told, meant(setup), "{}: {}", snippet.host, snippet.text);
                    }
                }
            }
            if let Some(connector) = &found.connector {
                let json: Value = serde_json::from_str(&connector.json()).unwrap();
                prop_assert_eq!(json, serde_saphyr::from_str::<Value>(&connector.yaml()).unwrap());
                prop_assert!(!connector.json().contains(SECRET));
            }
        }
    }
}
