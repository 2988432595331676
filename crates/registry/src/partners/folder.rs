//! A folder of partners, read: every file as what it is, and every file that cannot be read as a finding.
//!
//! Before: somebody read the files' bytes (`portreeve partner` from a disk). After: `check` judges each partner among the others.

use portreeve_core::limits::Limits;
use portreeve_inspect::{PublicKey, content_hash, sha256_hex};
use portreeve_mcp::server_json::{self, Problem, ServerJson};
use serde_json::{Map, Value, json};

use super::format::{Partner, ServerNote};
use super::proof::{Approval, Proof};

/// How the reader of documents ends what it says of an undeclared variable.
const UNDECLARED: &str = "is not declared in `variables`";

/// The files of one partner as they came.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// What its folder is called.
    pub slug: String,
    /// `partner.toml` as a tree; an error is why it is none.
    pub partner: Option<Result<Value, String>>,
    /// `servers/NAME.json`, each with its name.
    pub servers: Vec<(String, String)>,
    /// The icon that lies beside them.
    pub icon: Option<IconFile>,
    /// `proof.json`.
    pub proof: Option<String>,
    /// `approval.json`.
    pub approval: Option<String>,
    /// Files that nobody reads.
    pub strays: Vec<String>,
}

/// An icon as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IconFile {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A partner as it was handed in.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// What its folder is called.
    pub slug: String,
    /// What it says of itself, if that can be read.
    pub partner: Option<Partner>,
    /// Its servers.
    pub servers: Vec<SubmittedServer>,
    /// Its icon, if it lies beside.
    pub icon: Option<IconFile>,
    /// The signature of its domain.
    pub proof: Option<Proof>,
    /// The signature of a reviewer.
    pub approval: Option<Approval>,
    /// SHA-256 over everything that it says, in canonical form. Proof and approval are over this.
    pub content_hash: String,
    /// What cannot be read: file, field, what is wrong.
    pub(super) problems: Vec<(String, Problem)>,
}

/// A server of a partner.
#[derive(Debug, Clone)]
pub struct SubmittedServer {
    /// What its file is called, without the ending.
    pub stem: String,
    /// The document.
    pub document: Map<String, Value>,
    /// What it says.
    pub view: ServerJson,
    /// What is promised of it.
    pub note: ServerNote,
}

/// A whole folder.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Its partners, by their names.
    pub partners: Vec<Submitted>,
}

// === impl Folder ===

impl Folder {
    /// Reads it.
    pub fn read(files: Vec<Files>, limits: &Limits) -> Self {
        let mut partners: Vec<Submitted> = files
            .into_iter()
            .map(|one| Submitted::read(one, limits))
            .collect();
        partners.sort_by(|one, other| one.slug.cmp(&other.slug));
        Self { partners }
    }
}

// === impl Submitted ===

impl Submitted {
    /// Reads the files of one partner.
    pub fn read(files: Files, limits: &Limits) -> Self {
        let mut problems = Vec::new();
        let mut say = |file: &str, field: &str, message: String| {
            let path = field.to_owned();
            problems.push((file.to_owned(), Problem { path, message }));
        };
        let tree = match files.partner {
            Some(Ok(tree)) => Some(tree),
            Some(Err(why)) => {
                say("partner.toml", "", format!("it cannot be read: {why}"));
                None
            }
            None => {
                say("partner.toml", "", "it is missing".to_owned());
                None
            }
        };
        let partner = match tree.as_ref().map(Partner::read) {
            Some(Ok(partner)) => Some(partner),
            Some(Err(wrong)) => {
                for one in wrong {
                    say("partner.toml", &dotted(&one.pointer), one.message);
                }
                None
            }
            None => None,
        };
        for stray in &files.strays {
            say(stray, "", "nobody reads it: a partner has partner.toml, servers/NAME.json, an icon, proof.json and approval.json".to_owned());
        }
        let proof = read_json::<Proof>("proof.json", files.proof.as_deref(), &mut say);
        let approval = read_json::<Approval>("approval.json", files.approval.as_deref(), &mut say);
        if files.servers.is_empty() {
            say("servers/", "", "there is no server".to_owned());
        }
        let mut servers = Vec::new();
        for (stem, text) in files.servers {
            let file = format!("servers/{stem}.json");
            match server_json::parse(&text, limits.document_bytes) {
                Err(error) => say(&file, "", error.to_string()),
                Ok(reading) => {
                    let form = server_json::form_problems(&reading.raw);
                    // Variables have a check of their own, which says how to declare them.
                    let is_ours = |one: &Problem| !one.message.ends_with(UNDECLARED);
                    for one in reading.problems.into_iter().chain(form).filter(is_ours) {
                        say(&file, &one.path, one.message);
                    }
                    servers.push(SubmittedServer {
                        note: partner
                            .as_ref()
                            .map(|partner| partner.note(&stem))
                            .unwrap_or_default(),
                        stem,
                        document: reading.raw,
                        view: reading.view,
                    });
                }
            }
        }
        servers.sort_by(|one: &SubmittedServer, other| one.stem.cmp(&other.stem));
        problems.dedup();
        let documents = servers
            .iter()
            .map(|server| (server.stem.as_str(), &server.document));
        let icon = files.icon.as_ref().map(|icon| sha256_hex(&icon.bytes));
        let said = partner.as_ref().map(|partner| json!(partner)).or(tree);
        let content_hash = hash_of(said.as_ref(), documents, icon.as_deref());
        Self {
            slug: files.slug,
            partner,
            servers,
            icon: files.icon,
            proof,
            approval,
            content_hash,
            problems,
        }
    }

    /// The proof, if it is over this content and was made with its key.
    pub fn proven_key(&self) -> Option<PublicKey> {
        let partner = self.partner.as_ref()?;
        self.proof.as_ref()?.key_for(&partner.domain, &self.content_hash)
    }
}

/// One hash over everything that a partner says.
pub(super) fn hash_of<'a>(
    partner: Option<&Value>,
    servers: impl Iterator<Item = (&'a str, &'a Map<String, Value>)>,
    icon: Option<&str>,
) -> String {
    let servers: Map<String, Value> = servers
        .map(|(stem, document)| (stem.to_owned(), Value::Object(document.clone())))
        .collect();
    let whole = json!({"partner": partner, "servers": servers, "icon": icon});
    // What has no canonical form (a number beyond all doubles) has no content either; the schema told of it.
    content_hash(&whole.to_string()).unwrap_or_default()
}

fn read_json<T: serde::de::DeserializeOwned>(
    file: &str,
    text: Option<&str>,
    say: &mut impl FnMut(&str, &str, String),
) -> Option<T> {
    match serde_json::from_str(text?) {
        Ok(read) => Some(read),
        Err(error) => {
            say(file, "", error.to_string());
            None
        }
    }
}

/// `/support/email` as people write it.
fn dotted(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace('/', ".")
        .replace("~1", "/")
        .replace("~0", "~")
}
