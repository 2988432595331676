//! `portreeve partner bundle` and `verify`: a folder becomes a signed catalogue, and a catalogue is believed or refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use portreeve_core::limits::Limits;
use portreeve_core::time::Timestamp;
use portreeve_registry::partners::{
    Catalogue, Evidence, Held, Level, ListedWithdrawal, Reader, Refusal, Report, Rotation, SignedCatalogue,
    opened, seal, shipped, standing,
};
use serde_json::json;

use super::super::reply::{Column, count, table, text, when};
use super::super::{Failure, Reply};
use super::{BundleArgs, VerifyArgs, files, sign};

/// Bytes of a catalogue, and of evidence. A little more than a reader takes, so that it can say so itself.
const BYTES: u64 = 40 * 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes a catalogue. Only a folder that passes the offline checks becomes one.
pub(super) fn bundle(args: &BundleArgs, now: Timestamp) -> Result<Reply, Failure> {
    let read = files::read(&args.directory)?;
    if read.one.is_some() {
        return Err(
            Failure::new(format!("`{}` is one partner", args.directory.display()))
                .hint("name the folder that holds the partners' folders"),
        );
    }
    require_passing(&read)?;
    let evidence = match &args.evidence {
        Some(file) => files::json::<Report>(file, BYTES)?.items,
        None => Vec::new(),
    };
    let evidence: BTreeMap<String, Evidence> =
        evidence.into_iter().map(|one| (one.name.clone(), one)).collect();
    let version = match &args.after {
        Some(file) => before(file)?.catalogue.version.saturating_add(1),
        None => 1,
    };
    let rotations = args
        .rotations
        .iter()
        .map(|file| files::json::<Rotation>(file, BYTES));
    let rotations: Vec<Rotation> = rotations.collect::<Result<_, _>>()?;
    let until = now.plus(DAY * args.days);
    let mut catalogue = Catalogue::of(&read.folder, &evidence, version, (now, until));
    if let Some(file) = &args.withdrawn {
        catalogue.withdrawn = files::json::<Vec<ListedWithdrawal>>(file, BYTES)?;
    }
    let judged = catalogue
        .partners
        .iter()
        .filter(|partner| partner.evidence.is_some())
        .count();
    let partners = catalogue.partners.len() as u64;
    let signer = sign::signer(&args.key)?;
    let bytes = seal(catalogue, &signer, rotations).map_err(|error| Failure::new(error.to_string()))?;
    files::write(&args.out, &bytes)?;
    let text = format!(
        "`{}`: version {version} with {}, {judged} with evidence; good until {until}.\nSigned by {}.",
        args.out.display(),
        count(partners, "partner"),
        sign::public(&signer)
    );
    let body = json!({
        "version": version, "partners": partners, "withEvidence": judged, "issuedAt": now, "expiresAt": until,
        "key": sign::public(&signer),
    });
    Ok(Reply::new(body, text))
}

fn require_passing(read: &files::Read) -> Result<(), Failure> {
    let limits = Limits::default();
    let judged = read
        .meant()
        .map(|partner| Evidence::of(&read.folder, partner, (None, Timestamp::default()), &limits));
    let refused: Vec<String> = judged
        .filter(Evidence::is_refused)
        .flat_map(|one| {
            let name = one.name.clone();
            let refused = one
                .findings
                .into_iter()
                .filter(|finding| finding.level == Level::Refused);
            refused
                .map(move |finding| format!("{name}/{} {}: {}", finding.file, finding.field, finding.message))
        })
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Failure::new("the folder does not pass its own checks")
        .details(refused)
        .hint("`portreeve partner check DIR --offline` says how to mend it"))
}

/// Says whether a catalogue is to be believed.
pub(super) fn verify(args: &VerifyArgs, now: Timestamp) -> Result<Reply, Failure> {
    let held = match &args.held {
        None => None,
        Some(file) => Some(held(&before(file)?.catalogue)?),
    };
    let reader = Reader {
        keys: args.keys.clone(),
        revoked: Vec::new(),
        held,
        now,
    };
    let bytes = files::bytes_within(&args.file, BYTES)?;
    match reader.read(&bytes) {
        Ok(catalogue) => Ok(listed(&catalogue, &args.reviewers, now)),
        Err(refusal) => Ok(refused(&args.file, &refusal)),
    }
}

/// Shows the catalogue that the binary carries.
pub(super) fn carried(now: Timestamp) -> Result<Reply, Failure> {
    let catalogue =
        shipped().map_err(|error| Failure::new(format!("the catalogue cannot be read: {error}")))?;
    Ok(listed(&catalogue, &[], now))
}

fn refused(file: &Path, refusal: &Refusal) -> Reply {
    let text = format!("`{}` is refused: {refusal}.", file.display());
    Reply::new(
        json!({"ok": false, "reason": refusal.code(), "message": refusal.to_string()}),
        text,
    )
    .bad_if(true)
}

fn listed(catalogue: &Catalogue, reviewers: &[String], now: Timestamp) -> Reply {
    let items = catalogue.partners.iter().map(|one| {
        let judged = (one.evidence.as_ref(), one.approval.as_ref());
        let standing = standing(&one.content_hash, judged, reviewers, now);
        json!({
            "name": one.partner.name, "title": one.partner.title, "servers": one.servers.len(),
            "contentHash": one.content_hash, "tier": standing.tier.as_str(), "expiresAt": standing.expires_at,
            "isExpired": standing.is_expired,
        })
    });
    let body = json!({
        "ok": true, "version": catalogue.version, "issuedAt": catalogue.issued_at, "expiresAt": catalogue.expires_at,
        "items": items.collect::<Vec<_>>(),
    });
    let columns: &[Column] = &[
        ("PARTNER", |item| text(item, "name")),
        ("SERVERS", |item| text(item, "servers")),
        ("TIER", |item| text(item, "tier")),
        ("UNTIL", |item| when(item, "expiresAt")),
    ];
    let head = format!(
        "Version {}, made {}, good until {}.",
        catalogue.version, catalogue.issued_at, catalogue.expires_at
    );
    let text = format!("{head}\n{}", table(&body, columns, "It lists nobody."));
    Reply::new(body, text)
}

/// A catalogue of one's own, of which only the version and the hash are taken.
fn before(file: &Path) -> Result<SignedCatalogue, Failure> {
    let bytes = files::bytes_within(file, BYTES)?;
    opened(&bytes)
        .map_err(|error| Failure::new(format!("`{}` is no signed catalogue: {error}", file.display())))
}

fn held(catalogue: &Catalogue) -> Result<Held, Failure> {
    let hash = catalogue
        .hash()
        .map_err(|error| Failure::new(error.to_string()))?;
    Ok(Held {
        version: catalogue.version,
        hash,
    })
}
