//! Operations that are called elsewhere than the rest of their API: people read where, before and after the import.

use serde_json::{Value, json};

use super::{assert_sound, binding, imported, with_paths};

fn with_servers(url: &str) -> Value {
    with_paths(&json!({
        "/here": {"get": {"operationId": "here"}},
        "/there": {"get": {"operationId": "there", "servers": [{"url": url}]}},
    }))
}

#[test]
fn an_operation_at_another_origin_is_told_in_the_report() {
    for (url, is_told) in [
        ("https://other.example/v1", true),
        ("http://api.example.com/v1", true),
        ("https://api.example.com:8443/v1", true),
        ("https://api.example.com/upload", false),
    ] {
        let imported = imported(&with_servers(url));
        assert_sound(&imported);
        let [here, there] = imported.report.operations.as_slice() else {
            panic!("{:?}", imported.report);
        };
        assert_eq!(here.base_url, None);
        assert_eq!(there.base_url.as_deref(), Some(url));
        assert_eq!(binding(&imported, "there")["baseUrl"], url);
        let notes: Vec<&str> = there.notes.iter().map(|note| note.message.as_str()).collect();
        let found = notes
            .iter()
            .any(|note| note.contains(url) && note.contains("credential"));
        assert_eq!(found, is_told, "{url}: {notes:?}");
        assert!(here.notes.is_empty());
    }
    let same = imported(&with_servers("https://api.example.com/v1"));
    assert_eq!(same.report.operations[1].base_url, None);
}
