//! One server is replaced, and no other byte of the file.

use portreeve_registry::clients::Form;
use serde_json::{Value, json};

use super::{read, replace};

fn way(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

fn replaced(form: Form, text: &str, steps: &[&str], value: Value) -> String {
    replace(form, text, &way(steps), &value).unwrap_or_else(|reason| panic!("{reason}: {text}"))
}

#[test]
fn json_keeps_comments_commas_and_what_stands_beside() {
    let text = "\u{feff}{\n  // mine\n  \"servers\": {\n    /* one */ \"a\": {\n      \"url\": \"http://x\", // old\n    },\n    \
                \"b\": {\"url\": \"http://y\"},\n  },\n}\n";
    let new = json!({"type": "http", "url": "https://gw"});
    assert_eq!(
        replaced(Form::Json, text, &["servers", "a"], new.clone()),
        "\u{feff}{\n  // mine\n  \"servers\": {\n    /* one */ \"a\": {\n      \"type\": \"http\",\n      \"url\": \
         \"https://gw\"\n    },\n    \"b\": {\"url\": \"http://y\"},\n  },\n}\n"
    );
    let second = replaced(Form::Json, text, &["servers", "b"], new);
    assert!(
        second.ends_with("\"b\": {\"type\":\"http\",\"url\":\"https://gw\"},\n  },\n}\n"),
        "{second}"
    );
    assert!(second.contains("// old"), "{second}");
    assert!(replace(Form::Json, text, &way(&["servers", "c"]), &json!({})).is_err());
}

#[test]
fn toml_replaces_a_table_with_its_inner_ones() {
    let text = "# mine\nmodel = \"x\"\n\n[mcp_servers.\"a b\"]\ncommand = \"npx\" # old\n\n[mcp_servers.\"a b\".env]\nKEY = \
                \"v\"\n\n# next\n[mcp_servers.c]\nurl = \"http://y\"\n[tools]\nweb = true\n";
    assert_eq!(
        replaced(
            Form::Toml,
            text,
            &["mcp_servers", "a b"],
            json!({"url": "https://gw", "enabled": true})
        ),
        "# mine\nmodel = \"x\"\n\n[mcp_servers.\"a b\"]\nurl = \"https://gw\"\nenabled = true\n\n# next\n[mcp_servers.c]\nurl = \
         \"http://y\"\n[tools]\nweb = true\n"
    );
    // A form that is not known is left alone.
    let inline = "[mcp_servers]\na = { command = \"npx\" }\n";
    assert!(replace(Form::Toml, inline, &way(&["mcp_servers", "a"]), &json!({})).is_err());
    let odd = "text = \"\"\"\n[mcp_servers.a]\n\"\"\"\n[mcp_servers.a]\ncommand = \"x\"\n";
    assert!(replace(Form::Toml, odd, &way(&["mcp_servers", "a"]), &json!({"url": "u"})).is_err());
}

#[test]
fn yaml_replaces_a_block_and_keeps_what_is_around() {
    let text = "GOOSE_MODEL: x # mine\nextensions:\n  # one\n  a:\n    type: stdio\n    cmd: npx\n    envs:\n      K: v\n\n  # \
                two\n  b:\n    type: sse\n    uri: http://y\nlast: 1\n";
    assert_eq!(
        replaced(
            Form::Yaml,
            text,
            &["extensions", "a"],
            json!({"type": "streamable_http", "uri": "https://gw"})
        ),
        "GOOSE_MODEL: x # mine\nextensions:\n  # one\n  a:\n    \"type\": \"streamable_http\"\n    \"uri\": \"https://gw\"\n\n  # \
         two\n  b:\n    type: sse\n    uri: http://y\nlast: 1\n"
    );
    let flow = "extensions: {a: {cmd: npx}}\n";
    assert!(replace(Form::Yaml, flow, &way(&["extensions", "a"]), &json!({})).is_err());
}

#[test]
fn what_is_broken_is_told_with_its_line_and_without_its_text() {
    for (form, text, line) in [
        (Form::Json, "{\n  \"a\": {\n    \"KEY\" \"s3cr3t\"\n  }\n}", 3),
        (Form::Json, "{\"a\": 1\n", 2),
        (Form::Json, "{\n\"a\": s3cr3t}", 2),
        (Form::Toml, "a = 1\nKEY = s3cr3t\n", 2),
        (Form::Yaml, "a: 1\nb: [s3cr3t\n", 2),
    ] {
        let broken = read(form, text).unwrap_err();
        assert!(!broken.message.contains("s3cr3t"), "{broken:?}");
        assert!(broken.line.abs_diff(line) <= 1, "{text}: {broken:?}");
    }
    assert_eq!(read(Form::Json, " \n"), Ok(json!({})));
    let deep = "[".repeat(100_000);
    assert!(read(Form::Json, &deep).is_err());
}
