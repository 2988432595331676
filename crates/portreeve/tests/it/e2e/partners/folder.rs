//! The repository's own folder of partners: it passes its checks, its schema is the one that is printed, and the binary carries
//! it as it is.

use std::fs;

use portreeve_core::limits::Limits;
use portreeve_core::time::Timestamp;
use portreeve_registry::partners::{Catalogue, Files, Folder, partner_schema, shipped};
use serde_json::{Value, json};

use super::desk::{portreeve, portreeve_json};
use crate::repository::{root, text};

/// The folder, read as the command line reads it.
fn folder() -> Folder {
    let mut all = Vec::new();
    for entry in fs::read_dir(root().join("partners")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let manifest: Value =
            toml::from_str(&fs::read_to_string(path.join("partner.toml")).unwrap()).unwrap();
        let servers = fs::read_dir(path.join("servers")).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            (stem, fs::read_to_string(&path).unwrap())
        });
        all.push(Files {
            slug: path.file_name().unwrap().to_string_lossy().into_owned(),
            partner: Some(Ok(manifest)),
            servers: servers.collect(),
            ..Files::default()
        });
    }
    Folder::read(all, &Limits::default())
}

fn golden(path: &str, found: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says that a golden file is to be written"
    )]
    let is_wanted = std::env::var("UPDATE_GOLDEN").is_ok();
    if is_wanted {
        fs::write(root().join(path), found).unwrap();
    }
    let kept = fs::read_to_string(root().join(path)).unwrap_or_default();
    assert!(
        kept == found,
        "{path} is not what the program makes; UPDATE_GOLDEN=1 writes it anew"
    );
}

#[test]
fn the_partners_folder_passes_its_own_checks() {
    let (code, verdict) = portreeve_json(&[
        "partner",
        "check",
        root().join("partners").to_str().unwrap(),
        "--offline",
    ]);
    let refused: Vec<&Value> = verdict["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item["findings"].as_array().unwrap())
        .filter(|finding| finding["level"] == "refused")
        .collect();
    assert_eq!((code, refused), (0, Vec::<&Value>::new()));
    assert!(verdict["items"].as_array().unwrap().len() >= 25);
    assert!(
        verdict["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["tier"] == "unverified")
    );
}

#[test]
fn the_binary_carries_the_partners_folder_as_it_is() {
    let made = Timestamp::parse("2026-11-26T00:00:00Z").unwrap();
    let until = Timestamp::parse("2027-11-26T00:00:00Z").unwrap();
    let catalogue = Catalogue::of(&folder(), &Default::default(), 1, (made, until));
    let text = serde_json::to_string_pretty(&catalogue).unwrap();
    golden("partners/catalogue.json", &format!("{text}\n"));
    assert_eq!(json!(shipped().unwrap()), json!(catalogue));
    let (code, listed) = portreeve_json(&["partner", "list"]);
    assert_eq!(
        (code, listed["items"].as_array().unwrap().len()),
        (0, catalogue.partners.len())
    );
}

#[test]
fn the_schema_of_a_partner_is_as_committed() {
    let printed = portreeve(&["partner", "schema"]);
    golden(
        "partners/partner.schema.json",
        &String::from_utf8_lossy(&printed.stdout),
    );
    assert_eq!(
        serde_json::from_str::<Value>(&text("partners/partner.schema.json")).unwrap(),
        partner_schema()
    );
}

#[test]
fn the_pull_request_check_has_no_more_rights_than_it_needs() {
    let rights = [
        ("partners", "check", json!({"contents": "read"})),
        // What writes sees nothing of the pull request but the verdict's text.
        (
            "partners-comment",
            "comment",
            json!({"actions": "read", "pull-requests": "write"}),
        ),
    ];
    for (file, job, rights) in rights {
        let workflow: Value =
            serde_saphyr::from_str(&text(&format!(".github/workflows/{file}.yml"))).unwrap();
        assert_eq!(workflow["permissions"], json!({}), "nothing unless a job says so");
        let jobs = workflow["jobs"].as_object().unwrap();
        assert_eq!(jobs.keys().collect::<Vec<_>>(), [job]);
        assert_eq!(jobs[job]["permissions"], rights);
        for step in jobs[job]["steps"].as_array().unwrap() {
            if let Some(uses) = step["uses"].as_str() {
                let is_pinned = uses.split_once('@').is_some_and(|(_, at)| at.len() == 40);
                assert!(is_pinned, "`{uses}` is not pinned to a commit");
            }
            // What a stranger wrote never becomes part of a script.
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{run}");
        }
    }
}
