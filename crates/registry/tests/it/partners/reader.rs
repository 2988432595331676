//! A catalogue is read, or refused with a reason of its own: forged, replayed, older, expired, truncated, oversized, of a key
//! that nobody knows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::limits::Limits;
use portreeve_core::ports::CheckpointSigner as _;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::Timestamp;
use portreeve_inspect::{Ed25519Signer, from_hex};
use portreeve_registry::partners::{
    Approval, Catalogue, Evidence, Files, Folder, Held, Reader, Refusal, Rotation, Tier, check_ids, law,
    seal, shipped, skeleton, standing,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&SecretKey::new([seed; 32]))
}

fn public(signer: &Ed25519Signer) -> String {
    STANDARD.encode(from_hex(signer.public_key()).unwrap())
}

fn folder() -> Folder {
    let (partner, server) = skeleton("acme");
    let files = Files {
        slug: "acme".to_owned(),
        partner: Some(Ok(json!(partner))),
        servers: vec![("acme".to_owned(), Value::Object(server).to_string())],
        ..Files::default()
    };
    Folder::read(vec![files], &Limits::default())
}

fn catalogue(version: u64) -> Catalogue {
    Catalogue::of(
        &folder(),
        &BTreeMap::new(),
        version,
        (NOW.minus(DAY), NOW.plus(DAY * 30)),
    )
}

fn file(version: u64) -> Vec<u8> {
    seal(catalogue(version), &signer(1), Vec::new()).unwrap()
}

fn reader() -> Reader {
    Reader {
        keys: vec![public(&signer(1))],
        revoked: Vec::new(),
        held: None,
        now: NOW,
    }
}

fn held(version: u64) -> Reader {
    let hash = catalogue(version).hash().unwrap();
    Reader {
        held: Some(Held { version, hash }),
        ..reader()
    }
}

#[test]
fn a_genuine_newer_catalogue_is_read() {
    assert_eq!(reader().read(&file(3)), Ok(catalogue(3)));
    assert_eq!(held(2).read(&file(3)), Ok(catalogue(3)));
}

#[test]
fn a_revoked_key_signs_nothing_and_leads_nowhere() {
    let revoked = |key: u8| Reader {
        revoked: vec![public(&signer(key))],
        ..reader()
    };
    let unknown = |key: u8| Err(Refusal::UnknownKey(public(&signer(key))));
    assert_eq!(revoked(1).read(&file(3)), unknown(1));
    let handed = Rotation::sign(&signer(1), &public(&signer(2)), NOW.minus(DAY * 2));
    let late = seal(catalogue(3), &signer(2), vec![handed.clone()]).unwrap();
    assert_eq!(reader().read(&late), Ok(catalogue(3)));
    assert_eq!(revoked(2).read(&late), unknown(2));
    assert_eq!(revoked(1).read(&late), unknown(2));
    assert!(
        reader()
            .trusts(std::slice::from_ref(&handed))
            .contains(&public(&signer(2)))
    );
    assert!(!revoked(2).trusts(&[handed]).contains(&public(&signer(2))));
}

#[test]
fn every_other_catalogue_is_refused_with_its_own_reason() {
    let good = file(3);
    let text = String::from_utf8(good.clone()).unwrap();
    let refused = |reader: &Reader, bytes: &[u8]| reader.read(bytes).unwrap_err();

    let forged = text.replace("FILL IN: one line", "Trust me: one line");
    assert_eq!(refused(&reader(), forged.as_bytes()), Refusal::Forged);
    assert_eq!(refused(&held(3), &good), Refusal::Replayed(3));
    assert_eq!(refused(&held(4), &good), Refusal::Older { offered: 3, held: 4 });
    let mut other = catalogue(3);
    other.partners.clear();
    let fork = seal(other, &signer(1), Vec::new()).unwrap();
    assert_eq!(refused(&held(3), &fork), Refusal::Forked(3));
    let later = Reader {
        now: NOW.plus(DAY * 30),
        ..reader()
    };
    assert_eq!(refused(&later, &good), Refusal::Expired(NOW.plus(DAY * 30)));
    let early = Reader {
        now: NOW.minus(DAY * 2),
        ..reader()
    };
    assert_eq!(refused(&early, &good), Refusal::NotYet(NOW.minus(DAY)));
    assert_eq!(refused(&reader(), &good[..good.len() / 2]), Refusal::Truncated);
    assert_eq!(
        refused(&reader(), &vec![b' '; 33 * 1024 * 1024]),
        Refusal::Oversized
    );
    assert!(matches!(refused(&reader(), b"{}"), Refusal::Malformed(_)));
    let stranger = seal(catalogue(3), &signer(2), Vec::new()).unwrap();
    assert_eq!(
        refused(&reader(), &stranger),
        Refusal::UnknownKey(public(&signer(2)))
    );
    let mut liar = catalogue(3);
    liar.partners[0].partner.title = "Somebody else".to_owned();
    let liar = seal(liar, &signer(1), Vec::new()).unwrap();
    assert_eq!(refused(&reader(), &liar), Refusal::Content("acme".to_owned()));
    // A member twice is two catalogues in one file.
    let twice = text.replacen("{\"catalogue\"", "{\"key\":\"x\",\"catalogue\"", 1);
    assert!(matches!(
        refused(&reader(), twice.as_bytes()),
        Refusal::Malformed(_)
    ));
}

#[test]
fn an_old_key_leads_to_a_new_one_and_a_strangers_does_not() {
    let sealed = |rotations| seal(catalogue(3), &signer(3), rotations).unwrap();
    let hand = |from: u8, to: u8, at| Rotation::sign(&signer(from), &public(&signer(to)), at);
    let chain = vec![hand(2, 3, NOW), hand(1, 2, NOW)];
    assert_eq!(reader().read(&sealed(chain.clone())), Ok(catalogue(3)));
    let unknown = Err(Refusal::UnknownKey(public(&signer(3))));
    assert_eq!(reader().read(&sealed(vec![hand(2, 3, NOW)])), unknown);
    assert_eq!(reader().read(&sealed(vec![hand(1, 3, NOW.plus(DAY))])), unknown);
    let mut forged = chain;
    forged[1].at = NOW.minus(DAY);
    assert_eq!(reader().read(&sealed(forged)), unknown);
}

#[test]
fn a_key_that_handed_over_signs_nothing_more() {
    let hand = |from: u8, to: u8, at| Rotation::sign(&signer(from), &public(&signer(to)), at);
    let read = |by: u8, rotations| reader().read(&seal(catalogue(3), &signer(by), rotations).unwrap());
    // The catalogue is a day old.
    let (before, after) = (NOW.minus(DAY * 2), NOW);
    let retired = |by: u8| Err(Refusal::RetiredKey(public(&signer(by)), before));
    assert_eq!(read(1, vec![hand(1, 2, before)]), retired(1));
    assert_eq!(read(1, vec![hand(1, 2, after)]), Ok(catalogue(3)));
    assert_eq!(read(2, vec![hand(1, 2, before)]), Ok(catalogue(3)));
    let unknown = |by: u8| Err(Refusal::UnknownKey(public(&signer(by))));
    // It hands over once: its second word leads nowhere, and nobody hands back to it.
    assert_eq!(read(3, vec![hand(1, 3, after), hand(1, 2, before)]), unknown(3));
    assert_eq!(read(1, vec![hand(1, 2, before), hand(2, 1, before)]), retired(1));
    // What nobody who is trusted says retires nobody.
    assert_eq!(read(1, vec![hand(2, 1, before)]), Ok(catalogue(3)));
}

#[test]
fn an_official_partner_is_a_verified_one_that_a_known_reviewer_signed() {
    let folder = folder();
    let hash = folder.partners[0].content_hash.clone();
    let mut evidence: Evidence = serde_json::from_value(json!({
        "name": "acme", "contentHash": hash, "at": NOW, "checks": {}, "findings": [],
        "servers": {"acme": {"eras": ["legacy"], "tools": 1, "toolsHash": "h", "authorizationServers": []}},
    }))
    .unwrap();
    evidence.checks = check_ids()
        .map(|id| (id.to_owned(), portreeve_registry::partners::Outcome::Passed))
        .collect();
    let approval = Approval::sign(&signer(7), "Ada", NOW, &hash);
    let tier = |approval: &Approval, reviewers: &[String]| {
        standing(&hash, (Some(&evidence), Some(approval)), reviewers, NOW).tier
    };
    let known = [public(&signer(7))];
    assert_eq!(tier(&approval, &known), Tier::Official);
    assert_eq!(tier(&approval, &[public(&signer(8))]), Tier::Verified);
    assert_eq!(tier(&approval, &[]), Tier::Verified);
    let other = Approval::sign(&signer(7), "Ada", NOW, "another content");
    assert_eq!(tier(&other, &known), Tier::Verified);
    let renamed = Approval {
        reviewer: "Eve".to_owned(),
        ..approval
    };
    assert_eq!(tier(&renamed, &known), Tier::Verified);
}

#[test]
fn a_server_that_nobody_saw_is_named_without_tools() {
    let folder = folder();
    let evidence = Evidence::of(&folder, &folder.partners[0], (None, NOW), &Limits::default());
    let seen = &evidence.servers["acme"];
    assert_eq!((seen.tools, seen.tools_hash.as_ref()), (None, None));
}

#[test]
fn the_shipped_catalogue_is_read_in_no_time() {
    let begun = Instant::now();
    let read = shipped().unwrap();
    assert!(
        begun.elapsed() < Duration::from_millis(100),
        "{:?}",
        begun.elapsed()
    );
    let names: Vec<&str> = read
        .partners
        .iter()
        .map(|one| one.partner.name.as_str())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    assert!(
        read.partners
            .iter()
            .all(|one| one.evidence.is_none() && one.approval.is_none())
    );
}

proptest! {
    #[test]
    fn any_bytes_keep_the_law(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        law(&bytes, &reader());
    }

    #[test]
    fn one_changed_byte_is_never_read(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = file(3);
        let at = at.index(bytes.len() - 1);
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        law(&bytes, &reader());
        // White space and another spelling of the same text are the same catalogue; nothing else is read.
        if let Ok(read) = reader().read(&bytes) {
            prop_assert_eq!(read, catalogue(3));
        }
    }

    #[test]
    fn every_beginning_is_refused(length in any::<prop::sample::Index>()) {
        let bytes = file(3);
        let cut = &bytes[..length.index(bytes.len() - 1)];
        prop_assert_eq!(reader().read(cut), Err(Refusal::Truncated));
    }

    #[test]
    fn the_version_never_goes_back(offered in 1_u64..20, known in 1_u64..20) {
        let read = held(known).read(&file(offered));
        prop_assert_eq!(read.is_ok(), offered > known);
        law(&file(offered), &held(known));
    }
}
