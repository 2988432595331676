//! The borders between crates: what cargo says must agree with the tables of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::repository::{names, packages, table, text};

/// The roof may depend on every room.
const ROOF: &str = "portreeve";
/// The crate that only tests depend on.
const TESTKIT: &str = "testkit";
/// The crate that nothing depends on: a program that stages of the whole test start.
const FIXTURE: &str = "fixture";
/// Test dependencies beyond the testkit and beyond what a crate may depend on anyway.
const TEST_EDGES: [(&str, &str); 1] = [
    // The audit chain is written by the store and signed by what inspect holds; the test needs both ends.
    ("store", "inspect"),
];

/// A package by the short name that the tables use.
fn room(package: &str) -> &str {
    package.strip_prefix("portreeve-").unwrap_or(package)
}

struct Dependency {
    from: String,
    to: String,
    for_tests: bool,
    ours: bool,
}

fn dependencies(packages: &[Value]) -> Vec<Dependency> {
    let mut found = Vec::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            let ours = dependency["path"].is_string();
            let name = dependency["name"].as_str().unwrap();
            found.push(Dependency {
                from: room(package["name"].as_str().unwrap()).to_owned(),
                to: if ours {
                    room(name).to_owned()
                } else {
                    name.to_owned()
                },
                for_tests: dependency["kind"] == "dev",
                ours,
            });
        }
    }
    found
}

fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let architecture = text("ARCHITECTURE.md");
    let rows = table(&architecture, "### Who may depend on whom");
    let rooms: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    let every_room = || {
        rooms
            .iter()
            .filter(|room| !["xtask", "bench", TESTKIT, FIXTURE, ROOF].contains(&room.as_str()))
            .cloned()
    };
    rows.iter()
        .map(|row| {
            let may = if row[0] == ROOF {
                every_room().collect()
            } else {
                names(&row[1]).into_iter().collect()
            };
            (row[0].clone(), may)
        })
        .collect()
}

#[test]
fn the_table_names_every_crate_and_no_other() {
    let listed: BTreeSet<String> = allowed().into_keys().collect();
    let real: BTreeSet<String> = packages()
        .iter()
        .map(|package| room(package["name"].as_str().unwrap()).to_owned())
        .collect();
    assert_eq!(
        listed, real,
        "the table \"Who may depend on whom\" against the workspace"
    );
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let allowed = allowed();
    let forbidden: Vec<String> = dependencies(&packages())
        .iter()
        .filter(|dependency| dependency.ours && !dependency.for_tests)
        .filter(|dependency| !allowed[&dependency.from].contains(&dependency.to))
        .map(|dependency| format!("{} -> {}", dependency.from, dependency.to))
        .collect();
    assert!(
        forbidden.is_empty(),
        "edges that ARCHITECTURE.md does not allow: {forbidden:?}"
    );
}

#[test]
fn tests_add_only_the_testkit() {
    let allowed = allowed();
    let extra = |dependency: &Dependency| {
        let edge = (dependency.from.as_str(), dependency.to.as_str());
        dependency.to == TESTKIT
            || TEST_EDGES.contains(&edge)
            || allowed[&dependency.from].contains(&dependency.to)
    };
    let forbidden: Vec<String> = dependencies(&packages())
        .iter()
        .filter(|dependency| dependency.ours && dependency.for_tests && !extra(dependency))
        .map(|dependency| format!("{} -> {}", dependency.from, dependency.to))
        .collect();
    assert!(
        forbidden.is_empty(),
        "test dependencies that are not allowed: {forbidden:?}"
    );
}

#[test]
fn the_table_is_acyclic_and_the_two_stories_do_not_meet() {
    let allowed = allowed();
    let reach = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(next) = open.pop() {
            for to in &allowed[&next] {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    for room in allowed.keys() {
        assert!(
            !reach(room).contains(room),
            "`{room}` depends on itself in the end"
        );
    }
    assert!(
        !reach("gateway").contains("registry"),
        "the gateway must not know the registry"
    );
    assert!(
        !reach("registry").contains("gateway"),
        "the registry must not know the gateway"
    );
}

#[test]
fn heavy_crates_stay_in_their_room() {
    let architecture = text("ARCHITECTURE.md");
    let homes: BTreeMap<String, Vec<String>> = table(&architecture, "### Heavy crates and their rooms")
        .iter()
        .flat_map(|row| {
            names(&row[0])
                .into_iter()
                .map(|heavy| (heavy, names(&row[1])))
                .collect::<Vec<_>>()
        })
        .collect();
    let strays: Vec<String> = dependencies(&packages())
        .iter()
        .filter(|dependency| !dependency.ours && !dependency.for_tests)
        .filter(|dependency| {
            homes
                .get(&dependency.to)
                .is_some_and(|rooms| !rooms.contains(&dependency.from))
        })
        .map(|dependency| format!("{} in {}", dependency.to, dependency.from))
        .collect();
    assert!(strays.is_empty(), "heavy crates outside their room: {strays:?}");
}
