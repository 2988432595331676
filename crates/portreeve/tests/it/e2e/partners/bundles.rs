//! A folder becomes a signed catalogue, and a catalogue is believed or refused: with the binary, from the first key to the
//! last handover.

use std::fs;

use serde_json::Value;

use super::desk::{Desk, portreeve, portreeve_json};

/// A key of the catalogue's keepers; returns its public half.
fn key(desk: &Desk, name: &str) -> String {
    let (code, made) = portreeve_json(&["partner", "key", &desk.text(name)]);
    assert_eq!(code, 0);
    made["publicKey"].as_str().unwrap().to_owned()
}

fn bundle(desk: &Desk, key: &str, out: &str, more: &[&str]) -> Value {
    let (folder, key, out) = (desk.folder(), desk.text(key), desk.text(out));
    let fixed = ["partner", "bundle", &folder, "--key", &key, "--out", &out];
    let (code, made) = portreeve_json(&[&fixed, more].concat());
    assert_eq!(code, 0, "{made}");
    made
}

fn verify(desk: &Desk, file: &str, keys: &str, more: &[&str]) -> (i32, Value) {
    let file = desk.text(file);
    let fixed = ["partner", "verify", &file, "--keys", keys];
    portreeve_json(&[&fixed, more].concat())
}

fn reason(desk: &Desk, file: &str, keys: &str, more: &[&str]) -> String {
    let (code, verdict) = verify(desk, file, keys, more);
    assert_eq!(code, 1, "{verdict}");
    verdict["reason"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_and_signed_decides_the_tier_in_the_catalogue() {
    let desk = Desk::start().await;
    let (keeper, reviewer) = (key(&desk, "keeper.key"), key(&desk, "reviewer.key"));
    // A private key is for its owner alone.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(desk.at("keeper.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    bundle(&desk, "keeper.key", "one.json", &[]);
    let (_, listed) = verify(&desk, "one.json", &keeper, &[]);
    assert_eq!(
        listed["items"][0]["tier"], "unverified",
        "nobody looked: {listed}"
    );

    let approved = portreeve(&[
        "partner",
        "approve",
        &desk.partner("harbour"),
        "--key",
        &desk.text("reviewer.key"),
        "--reviewer",
        "Ada",
    ]);
    assert!(approved.status.success(), "{approved:?}");
    let evidence = desk.text("evidence.json");
    let (folder, config) = (desk.folder(), desk.text("check.toml"));
    let check = [
        "partner",
        "check",
        &folder,
        "--internal",
        "--config",
        &config,
        "--evidence",
        &evidence,
    ];
    assert_eq!(portreeve_json(&check).0, 0);
    let made = bundle(
        &desk,
        "keeper.key",
        "two.json",
        &["--evidence", &evidence, "--after", &desk.text("one.json")],
    );
    assert_eq!(
        (made["version"].as_u64(), made["withEvidence"].as_u64()),
        (Some(2), Some(1))
    );
    let tier = |more: &[&str]| verify(&desk, "two.json", &keeper, more).1["items"][0]["tier"].clone();
    assert_eq!(tier(&[]), "verified");
    assert_eq!(tier(&["--reviewers", &reviewer]), "official partner");
    assert_eq!(tier(&["--reviewers", &keeper]), "verified");

    // The evidence was about this content; after a change it is about nothing.
    let manifest = desk.at("partners/harbour/partner.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("Finds berths", "Finds berths fast")).unwrap();
    desk.sign(&desk.at("partners/harbour"));
    bundle(
        &desk,
        "keeper.key",
        "three.json",
        &["--evidence", &evidence, "--after", &desk.text("two.json")],
    );
    let (_, listed) = verify(&desk, "three.json", &keeper, &["--reviewers", &reviewer]);
    assert_eq!(listed["items"][0]["tier"], "unverified", "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_is_not_to_be_believed_is_refused_with_its_reason() {
    let desk = Desk::start().await;
    let (keeper, other) = (key(&desk, "keeper.key"), key(&desk, "other.key"));
    bundle(&desk, "keeper.key", "one.json", &[]);
    let one = desk.text("one.json");
    bundle(&desk, "keeper.key", "two.json", &["--after", &one]);
    let two = desk.text("two.json");
    assert_eq!(verify(&desk, "two.json", &keeper, &["--held", &one]).0, 0);
    assert_eq!(reason(&desk, "one.json", &keeper, &["--held", &two]), "older");
    assert_eq!(reason(&desk, "two.json", &keeper, &["--held", &two]), "replayed");
    assert_eq!(reason(&desk, "two.json", &other, &[]), "unknown-key");

    let text = fs::read_to_string(&two).unwrap();
    fs::write(
        desk.at("forged.json"),
        text.replace("Finds berths", "Finds cargo"),
    )
    .unwrap();
    assert_eq!(reason(&desk, "forged.json", &keeper, &[]), "forged");
    fs::write(desk.at("cut.json"), &text.as_bytes()[..text.len() / 2]).unwrap();
    assert_eq!(reason(&desk, "cut.json", &keeper, &[]), "truncated");
    fs::write(desk.at("large.json"), vec![b' '; 33 * 1024 * 1024]).unwrap();
    assert_eq!(reason(&desk, "large.json", &keeper, &[]), "oversized");

    // A new key signs, and the old one says that it may.
    bundle(&desk, "other.key", "three.json", &["--after", &two]);
    assert_eq!(
        reason(&desk, "three.json", &keeper, &["--held", &two]),
        "unknown-key"
    );
    let handover = desk.text("handover.json");
    let rotated = portreeve(&[
        "partner",
        "rotate",
        "--key",
        &desk.text("keeper.key"),
        "--to",
        &other,
        "--out",
        &handover,
    ]);
    assert!(rotated.status.success(), "{rotated:?}");
    bundle(
        &desk,
        "other.key",
        "three.json",
        &["--after", &two, "--rotation", &handover],
    );
    assert_eq!(verify(&desk, "three.json", &keeper, &["--held", &two]).0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_does_not_pass_becomes_no_catalogue() {
    let desk = Desk::start().await;
    key(&desk, "keeper.key");
    let mut server = desk.server("harbour");
    server["remotes"][0]["url"] = "https://placeholder.harbour-double.systems/mcp".into();
    desk.write("harbour", &desk.manifest("harbour"), &server);
    let out = desk.text("one.json");
    let refused = portreeve(&[
        "partner",
        "bundle",
        &desk.folder(),
        "--key",
        &desk.text("keeper.key"),
        "--out",
        &out,
    ]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("harbour/servers/harbour.json remotes[0].url: is a placeholder"),
        "{said}"
    );
    assert!(!desk.at("one.json").exists());
    assert!(!desk.public.is_empty());
}
