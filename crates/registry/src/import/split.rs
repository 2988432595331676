//! Files of a source, split into records: a list into its items, a bundle into its files. Each item stays byte for byte
//! what it is.
//!
//! Before: somebody read or uploaded a file. After: an importer reads each record.

use std::collections::BTreeMap;

use portreeve_core::import::ImportKind;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Record;
use super::page::items_of;

/// Characters of a place.
const PLACE: usize = 300;

/// The records of a file. A file that is neither a list of so many at most nor a bundle is one record.
pub fn records_of(kind: ImportKind, file: Record, most: usize) -> Vec<Record> {
    let text = file.text.trim_start_matches('\u{feff}');
    let found = match kind {
        ImportKind::ApiCenter => items(text, &["value", "items", "apis", "servers"], most),
        ImportKind::Partners | ImportKind::Docker => bundle(text, |place| is_of_source(kind, place))
            .or_else(|| items(text, &["servers", "items"], most).filter(|_| kind == ImportKind::Partners)),
        ImportKind::Dump => items(text, &["servers", "items"], most),
        _ => None,
    };
    found.unwrap_or_else(|| vec![record(&file.place, text.to_owned())])
}

/// Whether a file of that path is one that sources of this form have entries in.
pub fn is_of_source(kind: ImportKind, place: &str) -> bool {
    let name = place.rsplit('/').next().unwrap_or(place);
    match kind {
        ImportKind::Partners => {
            place.ends_with(".json") && !name.ends_with("-schema.json") && name != "package.json"
        }
        ImportKind::Docker => place.ends_with("server.yaml") || place.ends_with("server.yml"),
        ImportKind::Git => name == "server.json" || name.ends_with(".server.json"),
        _ => true,
    }
}

/// A record at a place of readable length.
pub fn record(place: &str, text: String) -> Record {
    Record {
        place: place.chars().take(PLACE).collect(),
        text,
    }
}

/// The items of a list, each as its own text: of the text itself, or of the first member that is one.
fn items(text: &str, members: &[&str], most: usize) -> Option<Vec<Record>> {
    let items = |name: &str, items: Vec<&RawValue>| {
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| record(&format!("{name}[{index}]"), item.get().to_owned()))
            .collect()
    };
    if text.trim_start().starts_with('[') {
        let list = items_of(serde_json::from_str(text).ok()?, most).ok()?;
        return Some(items("", list));
    }
    let object: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    members.iter().find_map(|name| {
        let list = items_of(object.get(*name)?, most).ok()?;
        Some(items(name, list))
    })
}

/// Files that somebody put into one: `{"files":[{"path", "json" | "yaml" | "text"}]}`.
fn bundle(text: &str, wanted: impl Fn(&str) -> bool) -> Option<Vec<Record>> {
    #[derive(serde::Deserialize)]
    struct Bundle {
        files: Vec<File>,
    }
    #[derive(serde::Deserialize)]
    struct File {
        path: String,
        json: Option<Value>,
        yaml: Option<String>,
        text: Option<String>,
    }
    let bundle: Bundle = serde_json::from_str(text).ok()?;
    let records = bundle.files.into_iter().filter(|file| wanted(&file.path));
    let records = records.filter_map(|file| {
        let json = file.json.map(|json| json.to_string());
        Some(record(&file.path, file.text.or(file.yaml).or(json)?))
    });
    Some(records.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(kind: ImportKind, text: &str) -> Vec<(String, String)> {
        let records = records_of(kind, record("file.json", text.to_owned()), 2).into_iter();
        records.map(|record| (record.place, record.text)).collect()
    }

    fn pair(place: &str, text: &str) -> (String, String) {
        (place.to_owned(), text.to_owned())
    }

    #[test]
    fn a_list_falls_into_its_items_byte_for_byte() {
        let text = r#"{"metadata":{}, "servers":[ {"a": 1.0}, {"b":2} ]}"#;
        let expected = [
            pair("servers[0]", r#"{"a": 1.0}"#),
            pair("servers[1]", r#"{"b":2}"#),
        ];
        assert_eq!(split(ImportKind::Dump, text), expected);
        assert_eq!(split(ImportKind::Dump, "\u{feff}[1]"), [pair("[0]", "1")]);
        let long = r#"{"servers":[1,2,3]}"#;
        assert_eq!(split(ImportKind::Dump, long), [pair("file.json", long)]);
        let one = r#"{"name":"a/b"}"#;
        assert_eq!(split(ImportKind::Dump, one), [pair("file.json", one)]);
        assert_eq!(
            split(ImportKind::Git, text),
            [pair("file.json", text)],
            "a file is a file"
        );
    }

    #[test]
    fn a_bundle_falls_into_the_files_that_are_entries() {
        let text = r#"{"files":[{"path":"a/server.yaml","yaml":"name: a"},{"path":"b.md","text":"x"},
            {"path":"c.json","json":{"name":"c"}},{"path":"x-schema.json","json":{}}]}"#;
        assert_eq!(
            split(ImportKind::Docker, text),
            [pair("a/server.yaml", "name: a")]
        );
        assert_eq!(
            split(ImportKind::Partners, text),
            [pair("c.json", r#"{"name":"c"}"#)]
        );
    }
}
