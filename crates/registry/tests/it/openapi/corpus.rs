//! Documents of the world: each of them is read, each operation becomes a tool or is skipped with its reason.

use std::path::{Path, PathBuf};

use portreeve_core::limits::Limits;
use portreeve_registry::import::openapi::{Bundle, Curation, Imported, Options, Profile, import};
use serde_json::Value;
use url::Url;

use super::assert_sound;

/// The folder with the documents, where it exists.
fn corpus() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("PORTREEVE_TEST_DATA")
        .map_or_else(|| here.join("../../../shared/data"), PathBuf::from);
    let folder = folder.join("openapi");
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stdout, reason = "the stage summary shows what did not run")]
    {
        println!("not run: no corpus");
    }
    None
}

/// The documents, each by its first file.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_part = path
                .components()
                .any(|part| part.as_os_str() == "resources" || part.as_os_str() == "shared")
                && path.to_string_lossy().contains("multifile")
                && !path.ends_with("lob-api-public.yml");
            let known = path
                .extension()
                .is_some_and(|ext| ["json", "yml", "yaml"].iter().any(|e| ext == *e));
            if path.is_dir() && !path.ends_with("resources") {
                open.push(path);
            } else if known && (!is_part || path.ends_with("lob-api-public.yml")) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn bundled(path: &Path) -> Value {
    let limits = Limits::default();
    let place = Url::from_file_path(path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut bundle = Bundle::begin(place, &text, &limits).unwrap_or_else(|error| panic!("{error}"));
    loop {
        let missing = bundle.missing();
        if missing.is_empty() {
            return bundle.finish();
        }
        for place in missing {
            match place
                .to_file_path()
                .ok()
                .and_then(|path| std::fs::read_to_string(path).ok())
            {
                Some(text) => bundle.add(place, &text, &limits).unwrap(),
                None => bundle.refuse(place),
            }
        }
    }
}

fn import_with(document: &Value, profile: Profile) -> Result<Imported, String> {
    let curation = Curation {
        profile,
        ..Curation::default()
    };
    let source = Url::parse("https://api.example.com/openapi.json").unwrap();
    let limits = Limits::default();
    let options = Options {
        source: Some(&source),
        base_url: None,
        curation: &curation,
        limits: &limits,
    };
    import(document, &options).map_err(|error| error.to_string())
}

/// The operations of a document, counted by hand.
fn operations(document: &Value) -> usize {
    const METHODS: &[&str] = &[
        "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
    ];
    let follow = |item: &Value| -> Value {
        match item.get("$ref").and_then(Value::as_str) {
            Some(place) => {
                let place =
                    percent_encoding::percent_decode_str(place.trim_start_matches('#')).decode_utf8_lossy();
                document.pointer(&place).cloned().unwrap_or_default()
            }
            None => item.clone(),
        }
    };
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths
        .into_iter()
        .flatten()
        .filter(|(path, _)| !path.starts_with("x-"));
    items
        .filter_map(|(_, item)| follow(item).as_object().cloned())
        .map(|item| {
            item.keys()
                .filter(|name| METHODS.contains(&name.as_str()))
                .count()
        })
        .sum()
}

#[test]
fn the_whole_corpus_imports_and_every_operation_is_accounted_for() {
    let Some(folder) = corpus() else { return };
    let found = documents(&folder);
    assert!(found.len() > 20, "{found:?}");
    let mut summary = Vec::new();
    for path in &found {
        let document = bundled(path);
        let name = path.strip_prefix(&folder).unwrap().display();
        for profile in [Profile::Full, Profile::Flat] {
            let imported = import_with(&document, profile).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(imported.report.operations.len(), operations(&document), "{name}");
            assert_sound(&imported);
            let skipped: Vec<_> = imported
                .report
                .operations
                .iter()
                .filter(|operation| {
                    matches!(
                        operation.outcome,
                        portreeve_registry::import::openapi::OperationOutcome::Skipped { .. }
                    )
                })
                .map(|operation| (operation.pointer.clone(), operation.outcome.clone()))
                .collect();
            summary.push((name.to_string(), imported.report.tools(), skipped));
            if profile == Profile::Flat {
                assert_flat(&imported);
            }
        }
    }
    let tools: usize = summary.iter().map(|(_, tools, _)| tools).sum();
    let skipped: Vec<_> = summary
        .iter()
        .filter(|(_, _, skipped)| !skipped.is_empty())
        .collect();
    // Nearly everything that people wrote can be called.
    assert!(tools > 3_000, "{summary:#?}");
    let lost: usize = skipped.iter().map(|(_, _, skipped)| skipped.len()).sum();
    assert!(lost * 100 < tools, "{skipped:#?}");
}

/// Nothing that hosts of the flat profile drop.
fn assert_flat(imported: &Imported) {
    for tool in &imported.tools {
        let definition: Value = serde_json::from_str(&tool.definition.definition).unwrap();
        for member in ["inputSchema", "outputSchema"] {
            let mut open: Vec<&Value> = definition.get(member).into_iter().collect();
            while let Some(value) = open.pop() {
                match value {
                    Value::Object(object) => {
                        let is_schema = !object.contains_key("properties") || object.contains_key("type");
                        for word in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "not"] {
                            let is_used = object
                                .get(word)
                                .is_some_and(|value| value.is_array() || word == "$ref" && value.is_string());
                            assert!(!(is_schema && is_used), "{} {word}", tool.definition.name);
                        }
                        assert!(
                            !object.get("type").is_some_and(Value::is_array),
                            "{}",
                            tool.definition.name
                        );
                        open.extend(
                            object
                                .iter()
                                .filter(|(word, _)| !matches!(word.as_str(), "default" | "examples" | "enum"))
                                .map(|(_, value)| value),
                        );
                    }
                    Value::Array(items) => open.extend(items),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn the_document_of_github_is_767_operations_with_stable_names() {
    let Some(folder) = corpus() else { return };
    let document = bundled(&folder.join("github-3.0.json"));
    let imported = import_with(&document, Profile::Full).unwrap();
    assert_eq!(
        (imported.report.operations.len(), imported.report.tools()),
        (767, 767)
    );
    let names: Vec<&str> = imported
        .tools
        .iter()
        .map(|tool| tool.definition.name.as_str())
        .collect();
    for name in ["issues_create", "repos_get", "pulls_merge"] {
        assert!(names.contains(&name), "{name}");
    }
    let text = imported.bindings.text().unwrap();
    assert!(
        text.len() < Limits::default().rest_bindings_bytes,
        "{}",
        text.len()
    );
}
