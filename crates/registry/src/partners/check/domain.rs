//! Whether the domain vouches for the content: a signature over it, by a key that the domain shows.

use portreeve_inspect::PublicKey;

use super::{Notes, Subject};

const FILE: &str = "proof.json";

pub(super) fn domain_proof(subject: &Subject<'_>, notes: &mut Notes) {
    let own = subject.partner;
    let Some(partner) = &own.partner else {
        notes.not_made();
        return;
    };
    let Some(proof) = &own.proof else {
        let mend = "`portreeve partner sign DIR --key FILE`, and show the key in a TXT record of the domain";
        notes.note(
            (FILE, ""),
            "is missing: nobody has shown that the domain stands behind this",
            None,
            mend,
        );
        notes.not_made();
        return;
    };
    if PublicKey::of_record(&proof.key).is_none() {
        let mend = "write the key as the record does: `v=MCPv1; k=ed25519; p=BASE64`, or `k=ecdsap384`";
        notes.refuse(
            (FILE, "key"),
            "is no key that a domain can show",
            proof.key.clone(),
            mend,
        );
        return;
    }
    if own.proven_key().is_none() {
        let mend = "sign again after every change: `portreeve partner sign DIR --key FILE`";
        let evidence = format!("domain `{}`, content {}", partner.domain, own.content_hash);
        let message = "is not a signature over this content by this key";
        notes.refuse((FILE, "signature"), message, evidence, mend);
        return;
    }
    match subject.sight.and_then(|sight| sight.domain.as_ref()) {
        None => notes.not_made(),
        Some(Ok(_)) => {}
        Some(Err(why)) => {
            let mend = format!(
                "put `{}` into a TXT record of `{domain}`, or into `https://{domain}/.well-known/mcp-registry-auth`",
                proof.key,
                domain = partner.domain
            );
            notes.refuse(
                ("partner.toml", "domain"),
                "does not show the key that signed",
                why.clone(),
                &mend,
            );
        }
    }
}
