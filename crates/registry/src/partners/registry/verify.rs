//! Looks at listed servers again: those that are registered here, and so many of the others. What is found replaces what the
//! catalogue says of them, so a tier ends with the run that finds it gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::limits::Limits;
use portreeve_core::partner::{HealthState, PartnerHealth, PartnerPlace};
use portreeve_core::time::Timestamp;
use serde_json::{Value, json};

use super::super::catalogue::Listed;
use super::super::check::{Evidence, Finding, Level, Outcome};
use super::super::folder::{Files, Folder, IconFile, Submitted};
use super::super::sight::Outlook;
use super::board::{Board, Item};
use super::{Examiner, Partners};
use crate::error::RegistryError;
use crate::lease::{self, Turn};

/// Partners that are looked at at once.
const AT_ONCE: usize = 4;
/// From how many partners on a run in which nobody can be reached says more about this network than about them.
const CROWD: usize = 3;
/// How long a run keeps others from beginning one.
const TURN: Duration = Duration::from_secs(15 * 60);
const LOCK: &str = "partners.verify";
/// The checks that look at a server; what else is found is for the keepers of the catalogue.
const LIVE: [&str; 6] = ["domain-proof", "tls", "challenge", "oauth", "handshake", "tools"];
/// Those that ask other places than the server: pages and pictures, of which one that does not answer once says little.
const BESIDE: [&str; 2] = ["icon", "links"];
/// Findings in these fields are about what is written, and were so on the day when it was listed.
const WRITTEN: &str = "_meta";

#[async_trait]
impl Examiner for Outlook {
    async fn examine(&self, partner: &Submitted, now: Timestamp) -> Evidence {
        let sight = self.look(partner, now).await;
        let folder = Folder {
            partners: vec![partner.clone()],
        };
        Evidence::of(&folder, partner, (Some(&sight), now), &self.limits)
    }
}

/// A partner to be looked at.
struct Due {
    about: Arc<Listed>,
    last: Option<Timestamp>,
    is_registered: bool,
}

// === impl Partners ===

impl Partners {
    /// Looks at what it is time for, if no other node does.
    pub async fn verify_if_due(&self) -> Result<(), RegistryError> {
        let locks = self.parts.locks.as_ref();
        let Turn::Ours(lease) = lease::take(locks, LOCK, &self.parts.holder, TURN).await else {
            return Ok(());
        };
        let done = match self.follow().await {
            Ok(()) => self.verify().await,
            Err(error) => Err(error),
        };
        if let Some(lease) = lease {
            lease::give_back(locks, &lease).await;
        }
        done
    }

    async fn verify(&self) -> Result<(), RegistryError> {
        let board = self.board.load_full();
        let now = self.now();
        let limits = &self.parts.registry.parts.limits;
        let due = self.due(&board, now);
        if due.is_empty() {
            return Ok(());
        }
        let looking: Vec<BoxFuture<'_, (Arc<Listed>, Evidence)>> = due
            .into_iter()
            .map(|due| {
                let look = async move {
                    let submitted = submitted(&due.about, limits);
                    let evidence = self.parts.examiner.examine(&submitted, now).await;
                    (due.about, evidence)
                };
                look.boxed()
            })
            .collect();
        let looked: Vec<(Arc<Listed>, Evidence)> = futures_util::stream::iter(looking)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        if looked.len() >= CROWD && looked.iter().all(|(_, evidence)| !is_reached(evidence)) {
            tracing::warn!(
                partners = looked.len(),
                "no server of any partner can be reached: that is taken for this network, and says nothing about them"
            );
            return Ok(());
        }
        let mut found = Vec::new();
        let mut events = Vec::new();
        for (about, evidence) in looked {
            for server in &about.servers {
                let Some(item) = board.find(&about.partner.name, &server.name) else {
                    continue;
                };
                let health = judged(item, &evidence, now);
                events.extend(self.told(&board, item, &health));
                found.push(health);
            }
        }
        self.parts.store.note_health(&found, &events).await?;
        self.follow().await
    }

    /// All that are registered and were not looked at for so long, and some of the others: those whose turn is longest ago.
    fn due(&self, board: &Board, now: Timestamp) -> Vec<Due> {
        let Some(every) = self.parts.settings.verify_every else {
            return Vec::new();
        };
        let mut all: BTreeMap<&str, Due> = BTreeMap::new();
        for item in board.items() {
            let last = item.health().map(|health| health.checked_at);
            let is_registered = board.registered_from(item).is_some();
            let one = all.entry(&item.about.partner.name).or_insert_with(|| Due {
                about: Arc::clone(&item.about),
                last,
                is_registered: false,
            });
            one.last = one.last.min(last);
            one.is_registered |= is_registered;
        }
        let is_due = |one: &Due| one.last.is_none_or(|last| last.plus(every) <= now);
        let (mut due, mut others): (Vec<Due>, Vec<Due>) = all
            .into_values()
            .filter(is_due)
            .partition(|one| one.is_registered);
        others.sort_by_key(|one| one.last);
        others.truncate(self.parts.settings.verify_listed);
        due.append(&mut others);
        due
    }

    /// What is told of a server that is not as it was.
    fn told(&self, board: &Board, item: &Item, now: &PartnerHealth) -> Option<AuditEvent> {
        let before = item.health().map_or(HealthState::Healthy, |health| health.state);
        if before == now.state {
            return None;
        }
        let action = match now.state {
            HealthState::Healthy => "partner.recover",
            HealthState::Failing => "partner.fail",
            HealthState::ToolsChanged => "partner.change-tools",
        };
        let target = format!("{}/{}", now.place.partner, now.place.name);
        let mut event = self.event(&Caller::system(), action, target);
        event.server = board.registered_from(item).map(|one| one.server.to_string());
        event.detail = Some(json!({
            "from": before, "to": now.state, "message": now.detail, "contentHash": now.content_hash,
        }));
        Some(event)
    }
}

/// How a server was found.
fn judged(item: &Item, evidence: &Evidence, now: Timestamp) -> PartnerHealth {
    let seen = evidence
        .servers
        .get(&item.name)
        .and_then(|one| one.tools_hash.as_deref());
    let before = item.health();
    let known = item
        .told_tools()
        .or_else(|| before.and_then(|one| one.tools_hash.as_deref()));
    let wrong = wrong(&item.name, evidence);
    let (state, detail) = match (wrong, known, seen) {
        (Some(detail), ..) => (HealthState::Failing, detail),
        (None, Some(known), Some(seen)) if known != seen => {
            let detail = "its tools are others than those that were checked: they must be reviewed again";
            (HealthState::ToolsChanged, detail.to_owned())
        }
        _ => (HealthState::Healthy, String::new()),
    };
    let since = before
        .filter(|one| one.state == state)
        .map_or(now, |one| one.since);
    PartnerHealth {
        place: PartnerPlace {
            partner: item.about.partner.name.clone(),
            name: item.name.clone(),
        },
        state,
        since,
        checked_at: now,
        detail,
        content_hash: item.about.content_hash.clone(),
        tools_hash: known.or(seen).map(str::to_owned),
        evidence: kept(item, evidence),
    }
}

/// The first thing that must be mended at this server, or at its partner as a whole.
fn wrong(name: &str, evidence: &Evidence) -> Option<String> {
    let file = format!("servers/{name}.json");
    let promise = format!("servers.{name}.");
    let finding = evidence.findings.iter().find(|one| {
        let is_here = one.file == file && !one.field.starts_with(WRITTEN);
        let is_promised = one.file == "partner.toml" && one.field.starts_with(&promise);
        one.level == Level::Refused
            && LIVE.contains(&one.check.as_str())
            && (is_here || is_promised || one.check == "domain-proof")
    })?;
    Some(match &finding.evidence {
        Some(shown) => format!("{}: {} ({shown})", finding.check, finding.message),
        None => format!("{}: {}", finding.check, finding.message),
    })
}

/// Whether any server of a partner answered.
fn is_reached(evidence: &Evidence) -> bool {
    let names: Vec<&String> = evidence.servers.keys().collect();
    names.is_empty() || names.into_iter().any(|name| wrong(name, evidence).is_none())
}

/// The evidence as it is kept: the icon is in the catalogue, and a check beside the server that is refused for the first time
/// ends as it did before. Its finding stays, so the next look knows of it.
fn kept(item: &Item, evidence: &Evidence) -> String {
    let mut evidence = evidence.clone();
    evidence.icon = None;
    let before = item.evidence();
    let before = before.filter(|before| before.content_hash == evidence.content_hash);
    if let Some(before) = before {
        for check in BESIDE {
            let is_of_it = |one: &Finding| one.check == check && one.level == Level::Refused;
            let was_refused = before.findings.iter().any(is_of_it);
            let is_refused = evidence.checks.get(check) == Some(&Outcome::Refused);
            if let Some(former) = before.checks.get(check)
                && is_refused
                && !was_refused
            {
                evidence.checks.insert(check.to_owned(), *former);
            }
        }
    }
    json!(evidence).to_string()
}

/// A listed partner as it was handed in.
fn submitted(listed: &Listed, limits: &Limits) -> Submitted {
    let json = |value: Value| value.to_string();
    let icon = listed.icon.as_ref().zip(listed.partner.icon.as_ref());
    let icon = icon.filter(|(_, name)| !name.contains("://"));
    let mut submitted = Submitted::read(
        Files {
            slug: listed.partner.name.clone(),
            partner: Some(Ok(json!(listed.partner))),
            servers: listed
                .servers
                .iter()
                .map(|one| (one.name.clone(), json(Value::Object(one.document.clone()))))
                .collect(),
            icon: icon.map(|(icon, name)| IconFile {
                name: name.clone(),
                bytes: STANDARD.decode(&icon.data).unwrap_or_default(),
            }),
            proof: listed.proof.as_ref().map(|proof| json(json!(proof))),
            approval: listed.approval.as_ref().map(|approval| json(json!(approval))),
            strays: Vec::new(),
        },
        limits,
    );
    // The icon is here as it is shown, not as it was handed in; the reader of the catalogue has compared the rest.
    submitted.content_hash.clone_from(&listed.content_hash);
    submitted
}
