//! Keys and what is signed with them: a content by its domain, by its reviewer, and a new key by an old one. A private key is
//! 64 hexadecimal digits in a file of its own; it is never printed.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::ports::CheckpointSigner as _;
use portreeve_core::random::Rng as _;
use portreeve_core::time::Timestamp;
use portreeve_inspect::{Ed25519Signer, from_hex};
use portreeve_registry::partners::{Approval, Proof, Rotation, proof_statement};
use serde_json::json;

use super::super::{Failure, Reply};
use super::{SignArgs, files};
use crate::data;
use crate::randomness::SystemRng;

/// Makes a key.
pub(super) fn key(file: &Path) -> Result<Reply, Failure> {
    if file.exists() {
        return Err(Failure::new(format!("`{}` is there already", file.display()))
            .hint("a key that is written over is lost: name another file"));
    }
    let mut bytes = [0_u8; 32];
    SystemRng.fill(&mut bytes);
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    data::write_private(file, text.as_bytes())
        .map_err(|error| Failure::new(format!("`{}` cannot be written: {error}", file.display())))?;
    let public = public(&signer(file)?);
    let record = format!("v=MCPv1; k=ed25519; p={public}");
    let text = format!(
        "Public key: {public}\nRecord:     {record}\nThe private half is in `{}`; keep it to yourself.",
        file.display()
    );
    Ok(Reply::new(
        json!({"publicKey": public, "record": record, "file": file.display().to_string()}),
        text,
    ))
}

/// Signs for the domain.
pub(super) fn sign(args: &SignArgs) -> Result<Reply, Failure> {
    let submitted = files::read_one(&args.directory)?;
    let partner = submitted.partner.as_ref().ok_or_else(shapeless)?;
    let (domain, hash) = (partner.domain.as_str(), submitted.content_hash.as_str());
    let Some(file) = &args.key else {
        let statement = proof_statement(domain, hash);
        let body = json!({"statement": statement, "contentHash": hash});
        return Ok(Reply::new(body, statement.trim_end_matches('\n')));
    };
    let proof = Proof::sign(&signer(file)?, domain, hash);
    write(&args.directory.join("proof.json"), &json!(proof))?;
    let text = format!(
        "Signed for `{domain}`. The domain must show the key: put\n  {}\ninto a TXT record of `{domain}`, or into `https://{domain}/.well-known/mcp-registry-auth`.",
        proof.key
    );
    Ok(Reply::new(
        json!({"domain": domain, "contentHash": hash, "record": proof.key}),
        text,
    ))
}

/// Signs as the reviewer.
pub(super) fn approve(
    directory: &Path,
    key: &Path,
    (reviewer, now): (&str, Timestamp),
) -> Result<Reply, Failure> {
    let submitted = files::read_one(directory)?;
    if submitted.partner.is_none() {
        return Err(shapeless());
    }
    if reviewer.contains(char::is_control) || reviewer.trim().is_empty() {
        return Err(Failure::new("`--reviewer` must be a name in one line"));
    }
    let approval = Approval::sign(&signer(key)?, reviewer, now, &submitted.content_hash);
    write(&directory.join("approval.json"), &json!(approval))?;
    let text = format!("Approved by {reviewer}: content {}.", submitted.content_hash);
    Ok(Reply::new(
        json!({"contentHash": submitted.content_hash, "key": approval.key}),
        text,
    ))
}

/// Lets an old key hand over to a new one.
pub(super) fn rotate(key: &Path, (to, now): (&str, Timestamp), out: &Path) -> Result<Reply, Failure> {
    if STANDARD.decode(to).is_ok_and(|key| key.len() == 32) {
        let rotation = Rotation::sign(&signer(key)?, to, now);
        write(out, &json!(rotation))?;
        let text = format!(
            "`{}` says that `{to}` signs from now on. Give it to `portreeve partner bundle --rotation`.",
            out.display()
        );
        return Ok(Reply::new(json!(rotation), text));
    }
    Err(Failure::new(format!("`{to}` is no public key"))
        .hint("write it as `portreeve partner key` prints it"))
}

/// The key pair of a file.
pub(super) fn signer(file: &Path) -> Result<Ed25519Signer, Failure> {
    let fail = |problem: String| Failure::new(format!("the key `{}` {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fail(format!("cannot be read: {error}")))?;
    let key = data::parse_key(text.trim()).ok_or_else(|| {
        fail("is not 64 hexadecimal digits".to_owned()).hint("`portreeve partner key FILE` makes one")
    })?;
    Ok(Ed25519Signer::from_seed(&key))
}

/// The public half as it is written everywhere here.
pub(super) fn public(signer: &Ed25519Signer) -> String {
    STANDARD.encode(from_hex(signer.public_key()).unwrap_or_default())
}

fn write(path: &Path, value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
    files::write(path, format!("{text}\n").as_bytes())
}

fn shapeless() -> Failure {
    Failure::new("partner.toml does not have its form")
        .hint("`portreeve partner check DIR --offline` says what is wrong")
}
