//! Makes an entry of a listed server, with its variables filled in, and later a new version of that entry when the catalogue
//! moved and somebody asks for it. Who may publish may do so; the rules of approval are those of every entry.

use std::collections::BTreeMap;

use portreeve_core::caller::Caller;
use portreeve_core::deployment::{Deployment, DeploymentState};
use portreeve_core::name::{Environment, ServerName, VersionText};
use portreeve_core::partner::{PartnerPlace, RegisteredPartner, Withdrawal};
use portreeve_core::ports::{Entry, StoreError};
use portreeve_core::profile::Metadata;
use portreeve_core::server::Approval;
use portreeve_inspect::{FieldChange, document_diff};
use serde_json::{Map, Value, json};

use super::board::{Board, Item};
use super::listing::{Listing, variables};
use super::{Partners, no_server, template};
use crate::deployments::Declared;
use crate::error::RegistryError;
use crate::latest::is_semver;
use crate::publish::{Approve, Internal, Outcome, Submission, find};

/// How a listed server is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRegistration {
    /// What is filled in, by the names of its variables.
    pub variables: BTreeMap<String, String>,
    /// Whether it is approved at once.
    pub approve: Approve,
    /// Whether its private hosts are granted.
    pub internal: Internal,
    /// Where it runs; without it, in production.
    pub environment: Option<Environment>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// Its version here, and its route once that is approved.
    pub outcome: Outcome,
    /// It as it is listed now.
    pub listing: Listing,
}

/// What an update would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The entry.
    pub server: ServerName,
    /// The version that was made of the catalogue last.
    pub from: VersionText,
    /// The version that would be made.
    pub to: String,
    /// The versions of the catalogue, then and now.
    pub catalogue: (u64, u64),
    /// The fields of the document that would change.
    pub changes: Vec<FieldChange>,
    /// Variables that are new, and must be filled in.
    pub missing: Vec<String>,
}

// === impl Partners ===

impl Partners {
    /// Registers a listed server: its entry, its environment and its route, as far as the caller may.
    pub async fn register(
        &self,
        caller: &Caller,
        (partner, name): (&str, &str),
        new: NewRegistration,
    ) -> Result<Registration, RegistryError> {
        self.follow().await?;
        let board = self.board.load_full();
        let item = self.open_item(caller, &board, (partner, name))?;
        let document = item.document().ok_or_else(|| no_server(partner, name))?;
        let server = name_of(document)?;
        let registry = &self.parts.registry;
        registry.require_publish(caller, &server)?;
        if registry.parts.entries.entry(&server).await?.is_some() {
            return Err(match board.registered(&server) {
                Some(_) => already(&server),
                None => RegistryError::State {
                    what: format!("there is a server `{server}` already, and it was not made of a catalogue"),
                    hint: "remove that server first, or keep it as it is",
                },
            });
        }
        let values = template::values(document, &new.variables)?;
        let filled = template::filled(document, &values);
        let version = version_of(&filled)?;
        let declared = Declared {
            deployments: deployments_in(new.environment.clone(), &filled)?,
            ..Declared::default()
        };
        // What it was made of is known before the first call can be made: a revocation finds every route.
        let registered = self.note(caller, (item, &server, version), values);
        let claimed = self.parts.store.note_registered(&registered, None).await;
        claimed.map_err(|error| match error {
            StoreError::Conflict { .. } => already(&server),
            other => other.into(),
        })?;
        let submission = submission(&filled, &new);
        match registry.add_declared(caller, submission, declared).await {
            Ok(outcome) => {
                let event = self.noted("partner.register", caller, &registered);
                self.parts.store.note_registered(&registered, Some(event)).await?;
                self.registration(caller, (partner, name), outcome).await
            }
            Err(error) => {
                // Somebody who was at the same a moment earlier keeps what he made.
                if let Ok(None) = registry.parts.entries.entry(&server).await {
                    self.parts.store.forget_registered(&server).await?;
                }
                Err(error)
            }
        }
    }

    /// What an update would change; refused where there is none.
    pub async fn changes(&self, caller: &Caller, place: (&str, &str)) -> Result<Update, RegistryError> {
        self.follow().await?;
        let board = self.board.load_full();
        let item = self.open_item(caller, &board, place)?;
        let (entry, registered) = self.behind(caller, &board, item).await?;
        let document = item.document().ok_or_else(|| no_server(place.0, place.1))?;
        let kept = still_declared(document, registered);
        let missing = variables(document)
            .into_iter()
            .filter(|one| one.is_required && !kept.contains_key(&one.name));
        let missing: Vec<String> = missing.map(|one| one.name).collect();
        let mut filled = template::filled(document, &kept);
        let to = free_version(&mut filled, &entry, item.catalogue_version)?;
        let before = find(&entry, &registered.version)?;
        Ok(Update {
            server: registered.server.clone(),
            from: registered.version.clone(),
            to: to.to_string(),
            catalogue: (registered.catalogue_version, item.catalogue_version),
            changes: document_diff(&before.document, &Value::Object(filled).to_string()),
            missing,
        })
    }

    /// Takes in what the catalogue changed: a new version of the entry, which is approved as every other.
    pub async fn update(
        &self,
        caller: &Caller,
        place: (&str, &str),
        new: NewRegistration,
    ) -> Result<Registration, RegistryError> {
        self.follow().await?;
        let board = self.board.load_full();
        let item = self.open_item(caller, &board, place)?;
        let (entry, registered) = self.behind(caller, &board, item).await?;
        let document = item.document().ok_or_else(|| no_server(place.0, place.1))?;
        let mut given = still_declared(document, registered);
        given.extend(new.variables.clone());
        let values = template::values(document, &given)?;
        let mut filled = template::filled(document, &values);
        let version = free_version(&mut filled, &entry, item.catalogue_version)?;
        let declared = Declared {
            deployments: moved(&entry, &registered.version, &filled),
            ..Declared::default()
        };
        let submission = submission(&filled, &new);
        let outcome = self
            .parts
            .registry
            .add_declared(caller, submission, declared)
            .await?;
        let now = self.note(caller, (item, &registered.server, version), values);
        let event = self.noted("partner.update", caller, &now);
        self.parts.store.note_registered(&now, Some(event)).await?;
        self.registration(caller, place, outcome).await
    }

    async fn registration(
        &self,
        caller: &Caller,
        (partner, name): (&str, &str),
        outcome: Outcome,
    ) -> Result<Registration, RegistryError> {
        self.in_force().await?;
        let listing = self.one(caller, partner, name)?;
        Ok(Registration { outcome, listing })
    }

    /// A listed server that may be taken up.
    fn open_item<'a>(
        &self,
        caller: &Caller,
        board: &'a Board,
        (partner, name): (&str, &str),
    ) -> Result<&'a Item, RegistryError> {
        let item = board
            .find(partner, name)
            .ok_or_else(|| no_server(partner, name))?;
        match board.withdrawn(item) {
            Some(one) if one.what == Withdrawal::Revoked => Err(RegistryError::State {
                what: format!(
                    "server `{name}` of partner `{partner}` was revoked: {}",
                    one.reason
                ),
                hint: "nobody may register or call it until that is taken back",
            }),
            // For who does not see it, it does not exist.
            Some(_) if !self.may_withdraw(caller) => {
                let known = board
                    .registered_from(item)
                    .filter(|one| self.may_know(caller, &one.server));
                known.map(|_| item).ok_or_else(|| no_server(partner, name))
            }
            _ => Ok(item),
        }
    }

    /// What was made of a listed server that is another one now, for who may publish it.
    async fn behind<'a>(
        &self,
        caller: &Caller,
        board: &'a Board,
        item: &Item,
    ) -> Result<(Entry, &'a RegisteredPartner), RegistryError> {
        let server = name_of(
            item.document()
                .ok_or_else(|| no_server(&item.about.partner.name, &item.name))?,
        )?;
        self.parts.registry.require_publish(caller, &server)?;
        let registered = board
            .registered_from(item)
            .filter(|one| self.may_know(caller, &one.server));
        let Some(registered) = registered else {
            return Err(RegistryError::State {
                what: format!(
                    "server `{}` of partner `{}` is not registered here",
                    item.name, item.about.partner.name
                ),
                hint: "`portreeve partner register` registers it",
            });
        };
        self.parts.registry.require_publish(caller, &registered.server)?;
        // A version under another name would be an entry that no revocation reaches.
        if registered.server != server {
            return Err(RegistryError::State {
                what: format!("the catalogue calls `{}` `{server}` now", registered.server),
                hint: "register it under its new name with `portreeve partner register`",
            });
        }
        let entry = self.parts.registry.load(&registered.server).await?;
        // What a reviewer sent back may be asked for again.
        let is_rejected =
            find(&entry, &registered.version).is_ok_and(|one| one.approval == Approval::Rejected);
        if registered.document_hash == item.document_hash && !is_rejected {
            return Err(RegistryError::State {
                what: format!("`{}` is as the catalogue says", registered.server),
                hint: "there is nothing to update; `portreeve partner status` says which catalogue is here",
            });
        }
        Ok((entry, registered))
    }

    fn note(
        &self,
        caller: &Caller,
        (item, server, version): (&Item, &ServerName, VersionText),
        values: BTreeMap<String, String>,
    ) -> RegisteredPartner {
        RegisteredPartner {
            server: server.clone(),
            place: PartnerPlace {
                partner: item.about.partner.name.clone(),
                name: item.name.clone(),
            },
            version,
            catalogue_version: item.catalogue_version,
            content_hash: item.about.content_hash.clone(),
            document_hash: item.document_hash.clone(),
            signed_by: item.signed_by.clone(),
            variables: values.into_iter().collect(),
            registered_by: caller.label.to_string(),
            registered_at: self.now(),
        }
    }

    fn noted(
        &self,
        action: &str,
        caller: &Caller,
        now: &RegisteredPartner,
    ) -> portreeve_core::audit::AuditEvent {
        let mut event = self.event(
            caller,
            action,
            format!("{}/{}", now.place.partner, now.place.name),
        );
        event.server = Some(now.server.to_string());
        event.detail = Some(json!({
            "version": now.version, "catalogueVersion": now.catalogue_version, "contentHash": now.content_hash,
            "signedBy": now.signed_by,
        }));
        event.policies = self.parts.registry.allowed_by(caller, action, &now.server);
        event
    }
}

fn already(server: &ServerName) -> RegistryError {
    RegistryError::State {
        what: format!("`{server}` is registered already"),
        hint: "`portreeve partner update` takes in what the catalogue changed",
    }
}

fn submission(document: &Map<String, Value>, new: &NewRegistration) -> Submission {
    Submission {
        document: Value::Object(document.clone()).to_string(),
        internal: new.internal,
        approve: new.approve,
    }
}

fn name_of(document: &Map<String, Value>) -> Result<ServerName, RegistryError> {
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default();
    name.parse()
        .map_err(|error: portreeve_core::name::InvalidName| RegistryError::invalid("name", error.to_string()))
}

fn version_of(document: &Map<String, Value>) -> Result<VersionText, RegistryError> {
    let version = document
        .get("version")
        .and_then(Value::as_str)
        .unwrap_or_default();
    version
        .parse()
        .map_err(|error: portreeve_core::name::InvalidName| {
            RegistryError::invalid("version", error.to_string())
        })
}

/// The address at which it is reached, if it has one.
fn address(document: &Map<String, Value>) -> Option<&str> {
    let remotes = document.get("remotes")?.as_array()?;
    let of = |kind: &str| {
        let mut of_kind = remotes
            .iter()
            .filter(|one| one.get("type").and_then(Value::as_str) == Some(kind));
        of_kind.find_map(|one| one.get("url")?.as_str())
    };
    of("streamable-http").or_else(|| of("sse"))
}

fn deployments_in(
    environment: Option<Environment>,
    document: &Map<String, Value>,
) -> Result<Option<Vec<Deployment>>, RegistryError> {
    let Some(environment) = environment else {
        return Ok(None);
    };
    let url = address(document).ok_or_else(|| {
        RegistryError::invalid(
            "environment",
            "the server has no address that could run somewhere",
        )
    })?;
    Ok(Some(vec![Deployment {
        environment,
        major: None,
        version: None,
        url: url.to_owned(),
        state: DeploymentState::Active,
        metadata: Metadata::new(),
    }]))
}

/// What was declared at the old address is declared at the new one; nothing, if nothing was. The old one is that of what was
/// approved last: a version that was rejected has moved nothing.
fn moved(entry: &Entry, before: &VersionText, document: &Map<String, Value>) -> Option<Vec<Deployment>> {
    let mut approved = entry
        .versions
        .iter()
        .filter(|one| one.approval == Approval::Approved);
    let old = approved.next().or_else(|| find(entry, before).ok())?;
    let old: Map<String, Value> = serde_json::from_str(&old.document).ok()?;
    let (old, new) = (address(&old)?, address(document)?);
    let mut all = entry.server.deployments.current.clone();
    if old == new || !all.iter().any(|one| one.url == old) {
        return None;
    }
    for one in all.iter_mut().filter(|one| one.url == old) {
        new.clone_into(&mut one.url);
    }
    Some(all)
}

/// What was filled in and is still asked for.
fn still_declared(document: &Map<String, Value>, registered: &RegisteredPartner) -> BTreeMap<String, String> {
    let declared = variables(document);
    let known = registered.variables.iter();
    known
        .filter(|(name, _)| declared.iter().any(|one| one.name == *name))
        .cloned()
        .collect()
}

/// The version that the document becomes. A partner who changes a document under its old number is no reason to change what was
/// approved: it becomes a version right behind that one.
fn free_version(
    document: &mut Map<String, Value>,
    entry: &Entry,
    catalogue: u64,
) -> Result<VersionText, RegistryError> {
    unused(document, catalogue, |version| {
        // What was never approved, and is not under review, may still change.
        find(entry, version).map_or(true, |one| {
            matches!(one.approval, Approval::Draft | Approval::Rejected)
        })
    })
}

fn unused(
    document: &mut Map<String, Value>,
    catalogue: u64,
    is_free: impl Fn(&VersionText) -> bool,
) -> Result<VersionText, RegistryError> {
    let said = version_of(document)?;
    if is_free(&said) {
        return Ok(said);
    }
    let text = behind(said.as_str(), catalogue);
    let mut number = 0_u64;
    loop {
        // The carried catalogue is always number 0, so a document may change twice under one number.
        let next = match number {
            0 => text.clone(),
            _ => format!("{text}.{number}"),
        };
        document.insert("version".to_owned(), next.into());
        let version = version_of(document)?;
        if is_free(&version) {
            return Ok(version);
        }
        number = number.saturating_add(1);
    }
}

/// `1.2.3` of catalogue 42 becomes `1.2.4-catalogue.42`: above it, and below what the partner may call the next one.
fn behind(version: &str, catalogue: u64) -> String {
    let plain = version.split('+').next().unwrap_or(version);
    let parts: Vec<&str> = plain.split('.').collect();
    match parts.as_slice() {
        [major, minor, patch] if is_semver(plain) => match patch.parse::<u64>() {
            Ok(patch) => format!(
                "{major}.{minor}.{}-catalogue.{catalogue}",
                patch.saturating_add(1)
            ),
            Err(_) => format!("{plain}.catalogue.{catalogue}"),
        },
        _ if is_semver(plain) && plain.contains('-') => format!("{plain}.catalogue.{catalogue}"),
        _ => format!("{plain}-catalogue.{catalogue}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{VersionText, behind, unused};
    use crate::latest::is_semver;

    #[test]
    fn a_document_that_changed_under_its_number_becomes_a_version_right_behind_it() {
        assert_eq!(behind("1.2.3", 42), "1.2.4-catalogue.42");
        assert_eq!(behind("1.2.3+build", 42), "1.2.4-catalogue.42");
        assert_eq!(
            behind("1.2.4-catalogue.42", 43),
            "1.2.4-catalogue.42.catalogue.43"
        );
        assert_eq!(behind("1.2.3-beta.1", 42), "1.2.3-beta.1.catalogue.42");
        assert_eq!(behind("2026-08", 42), "2026-08-catalogue.42");
        assert!(is_semver(&behind("1.2.3", 42)) && is_semver(&behind("1.2.3-beta.1", 42)));
    }

    #[test]
    fn a_catalogue_without_a_number_changes_a_document_more_than_once() {
        let mut taken: Vec<String> = Vec::new();
        for expected in ["1.0.0", "1.0.1-catalogue.0", "1.0.1-catalogue.0.1"] {
            let mut document = json!({"version": "1.0.0"}).as_object().unwrap().clone();
            let is_free = |one: &VersionText| !taken.iter().any(|taken| taken == one.as_str());
            let free = unused(&mut document, 0, is_free).unwrap();
            assert_eq!(free.as_str(), expected);
            assert_eq!(document["version"], expected);
            assert!(is_semver(expected));
            taken.push(expected.to_owned());
        }
    }
}
