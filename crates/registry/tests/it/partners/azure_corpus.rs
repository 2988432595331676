//! All files of the Azure catalogue become ours, and go out again equal in content; what its own checks let through is found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portreeve_core::limits::Limits;
use portreeve_core::time::Timestamp;
use portreeve_registry::partners::{
    Evidence, Files, Folder, Partner, Submitted, from_azure, skeleton, to_azure,
};
use serde_json::{Map, Value, json};

/// The files of the catalogue's folder; `None` where there is no corpus.
fn corpus() -> Option<Vec<Map<String, Value>>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says where the corpus is"
    )]
    let folder = std::env::var("PORTREEVE_TEST_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("registry/azure-mcp-partners-2026-08.json")) else {
        #[expect(clippy::print_stdout, reason = "the stage summary shows what did not run")]
        {
            println!("not run: no corpus");
        }
        return None;
    };
    let read: Value = serde_json::from_str(&text).unwrap();
    let files = read["files"].as_array().unwrap().iter();
    let files = files.filter(|file| file["path"].as_str().unwrap().starts_with("partners/servers/"));
    Some(
        files
            .map(|file| file["json"].as_object().unwrap().clone())
            .collect(),
    )
}

fn submitted(slug: &str, partner: &Partner, (stem, server): (&str, &Map<String, Value>)) -> Files {
    Files {
        slug: slug.to_owned(),
        partner: Some(Ok(json!(partner))),
        servers: vec![(stem.to_owned(), Value::Object(server.clone()).to_string())],
        ..Files::default()
    }
}

/// The folder that all files together become.
fn folder(files: &[Map<String, Value>]) -> Folder {
    let files = files.iter().map(|file| {
        let converted = from_azure(file).unwrap();
        submitted(
            &converted.partner.name,
            &converted.partner,
            (&converted.stem, &converted.server),
        )
    });
    Folder::read(files.collect(), &Limits::default())
}

/// The findings of an offline check, by the check.
fn findings(folder: &Folder, partner: &Submitted) -> BTreeMap<String, Vec<String>> {
    let judged = Evidence::of(folder, partner, (None, Timestamp::default()), &Limits::default());
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let refused = judged
        .findings
        .into_iter()
        .filter(|finding| finding.level == portreeve_registry::partners::Level::Refused);
    for finding in refused {
        let said = format!(
            "{} {}: {}",
            finding.file,
            finding.field,
            finding.evidence.unwrap_or_default()
        );
        found.entry(finding.check).or_default().push(said);
    }
    found
}

#[test]
fn all_files_of_the_azure_catalogue_go_there_and_back_equal_in_content() {
    let Some(files) = corpus() else { return };
    assert_eq!(files.len(), 96);
    for file in &files {
        let converted = from_azure(file).unwrap();
        // Through the text of the file, as a person would have it.
        let text = Value::Object(converted.server.clone()).to_string();
        let server: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let back = to_azure(&converted.partner, &server);
        assert_eq!(
            Value::Object(back),
            Value::Object(file.clone()),
            "{}",
            file["name"]
        );
    }
}

#[test]
fn what_both_forms_know_is_derived_and_not_kept_twice() {
    let Some(files) = corpus() else { return };
    for file in &files {
        let mut converted = from_azure(file).unwrap();
        converted.partner.description = "Another description".to_owned();
        converted.partner.support.name = "Another desk".to_owned();
        let back = to_azure(&converted.partner, &converted.server);
        assert_eq!(back["description"], "Another description", "{}", file["name"]);
        assert_eq!(back["supportContactInfo"]["name"], "Another desk");
    }
}

#[test]
fn every_converted_file_has_its_form_and_what_is_wrong_with_it_is_named() {
    let Some(files) = corpus() else { return };
    let folder = folder(&files);
    let mut partners_with: BTreeMap<String, usize> = BTreeMap::new();
    let mut shapeless = Vec::new();
    for partner in &folder.partners {
        let found = findings(&folder, partner);
        for check in found.keys() {
            *partners_with.entry(check.clone()).or_default() += 1;
        }
        shapeless.extend(
            found
                .get("schema")
                .into_iter()
                .flatten()
                .map(|said| format!("{}/{said}", partner.slug)),
        );
    }
    // Three servers have packages in the version `latest`, which is none.
    shapeless.retain(|said| !said.contains("`latest` is not a version"));
    assert_eq!(shapeless, Vec::<String>::new());
    // Nine placeholder endpoints and nine placeholder icons among them, four without an endpoint, twenty with undeclared
    // variables, one of which is written in angle brackets.
    assert_eq!(partners_with.get("endpoint"), Some(&4), "{partners_with:?}");
    assert_eq!(partners_with.get("variables"), Some(&20), "{partners_with:?}");
    assert!(partners_with["placeholders"] >= 9, "{partners_with:?}");
    assert!(partners_with["oauth"] >= 15, "{partners_with:?}");
    assert!(!partners_with.contains_key("scheme-keys"), "{partners_with:?}");
    assert!(!partners_with.contains_key("names"), "{partners_with:?}");
}

#[test]
fn a_new_partner_lacks_only_what_the_partner_alone_can_say() {
    let (partner, server) = skeleton("acme");
    let folder = Folder::read(
        vec![submitted("acme", &partner, ("acme", &server))],
        &Limits::default(),
    );
    let found = findings(&folder, &folder.partners[0]);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["placeholders"], "{found:#?}");
}
