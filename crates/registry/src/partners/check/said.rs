//! What was not said: texts and addresses that stand there until somebody fills them in.

use serde_json::{Map, Value, json};
use url::Url;

use super::super::skeleton::FILL_IN;
use super::{Notes, Subject, file_of};

/// Words that nobody means.
const WORDS: [&str; 4] = [FILL_IN, "TODO", "CHANGEME", "lorem ipsum"];
/// Zones in which nobody has a server (RFC 2606, RFC 6761).
const ZONES: [&str; 6] = [
    "example",
    "example.com",
    "example.org",
    "example.net",
    "invalid",
    "test",
];
/// What a server's document says for others to read as an example.
const EXAMPLES: [&str; 4] = ["variables", "packages", "headers", "_meta"];

/// Nothing is left to fill in.
pub(super) fn placeholders(subject: &Subject<'_>, notes: &mut Notes) {
    if let Some(partner) = &subject.partner.partner {
        if let Value::Object(tree) = json!(partner) {
            walk("partner.toml", "", &tree, notes);
        }
        if is_nobodys(&partner.domain) {
            say(("partner.toml", "domain"), &partner.domain, notes);
        }
    }
    for server in &subject.partner.servers {
        walk(&file_of(server), "", &server.document, notes);
    }
}

fn walk(file: &str, path: &str, object: &Map<String, Value>, notes: &mut Notes) {
    for (key, value) in object.iter().filter(|(key, _)| !EXAMPLES.contains(&key.as_str())) {
        let field = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        look(file, &field, value, notes);
    }
}

fn look(file: &str, field: &str, value: &Value, notes: &mut Notes) {
    match value {
        Value::String(text) => {
            let is_word = WORDS.iter().any(|word| text.contains(word));
            let host = Url::parse(text)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned));
            let mailbox = text.split_once('@').map(|(_, host)| host.to_owned());
            if is_word || host.or(mailbox).is_some_and(|host| is_nobodys(&host)) {
                say((file, field), text, notes);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                look(file, &format!("{field}[{at}]"), item, notes);
            }
        }
        Value::Object(object) => walk(file, field, object, notes),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn say(at: (&str, &str), text: &str, notes: &mut Notes) {
    let mend = "write what is meant";
    notes.refuse(at, "is a placeholder", format!("`{text}`"), mend);
}

fn is_nobodys(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host.split('.').any(|label| label == "placeholder")
        || ZONES
            .iter()
            .any(|zone| host == *zone || host.ends_with(&format!(".{zone}")))
}
