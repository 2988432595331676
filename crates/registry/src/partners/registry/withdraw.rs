//! Delists and revokes. Delisted: who does not have it does not see it. Revoked: the routes that were made of it are closed, on
//! every node, with the reason; nothing else can undo that but who said it.

use std::collections::BTreeMap;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::partner::{Withdrawal, Withdrawn, WithdrawnBy};
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;
use serde_json::json;

use super::super::catalogue::Catalogue;
use super::{Partners, no_server};
use crate::error::RegistryError;

/// Characters of a reason.
const REASON: usize = 500;

/// What shall become of a partner, or of one of its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    /// The partner.
    pub partner: String,
    /// The server; `None`: all of the partner's.
    pub name: Option<String>,
    /// What shall become of it.
    pub what: Withdrawing,
    /// Why: whoever calls what is revoked reads it.
    pub reason: String,
}

/// What shall become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawing {
    /// Not shown any more to who does not have it.
    Delist,
    /// Closed to everybody.
    Revoke,
    /// As if nothing had been said here.
    Reinstate,
}

// === impl Partners ===

impl Partners {
    /// Withdraws, or takes that back.
    pub async fn withdraw(&self, caller: &Caller, wish: Withdraw) -> Result<(), RegistryError> {
        let what = match wish.what {
            Withdrawing::Delist => Some(Withdrawal::Delisted),
            Withdrawing::Revoke => Some(Withdrawal::Revoked),
            Withdrawing::Reinstate => None,
        };
        let registry = &self.parts.registry;
        let words = format!("withdraw partner `{}`", wish.partner);
        registry.require_here(caller, Action::Approve, &words)?;
        let name = wish.name.as_deref();
        // What left the catalogue may still be closed, and opened again.
        let board = self.board.load_full();
        let is_known = board.knows_partner(&wish.partner, name)
            || board
                .all_withdrawn()
                .iter()
                .any(|one| one.partner == wish.partner && one.name == wish.name);
        if !is_known {
            return Err(match name {
                Some(name) => no_server(&wish.partner, name),
                None => RegistryError::NotFound {
                    what: format!("partner `{}`", wish.partner),
                },
            });
        }
        let reason = wish.reason.trim().to_owned();
        let target = target(&wish.partner, name);
        let mut event = self.event(caller, action(what), target.clone());
        event.detail = Some(json!({"message": reason}));
        match what {
            Some(what) => {
                checked(&reason)?;
                let withdrawn = Withdrawn {
                    partner: wish.partner,
                    name: wish.name,
                    what,
                    by: WithdrawnBy::Admin,
                    reason,
                    actor: caller.label.to_string(),
                    at: self.now(),
                };
                self.parts.store.withdraw_partner(&withdrawn, event).await?;
            }
            None => {
                let place = (wish.partner.as_str(), name);
                let done = self
                    .parts
                    .store
                    .reinstate_partner(place, WithdrawnBy::Admin, event)
                    .await;
                match done {
                    Err(StoreError::NotFound { .. }) => {
                        return Err(RegistryError::State {
                            what: format!("`{target}` was not withdrawn here"),
                            hint: "what the catalogue withdrew comes back with a newer catalogue; what a whole partner lost, with the partner",
                        });
                    }
                    done => done?,
                }
            }
        }
        self.in_force().await
    }

    /// What a catalogue withdraws anew, or otherwise than the one before it, and what it gives back, one event each.
    pub(super) fn withdrawal_events(
        &self,
        caller: &Caller,
        (before, after): (&[Withdrawn], &[Withdrawn]),
        version: u64,
    ) -> Vec<AuditEvent> {
        let (before, after) = (said_by_catalogue(before), said_by_catalogue(after));
        let told = |(partner, name): (&str, Option<&str>), what: Option<Withdrawal>, message: &str| {
            let mut event = self.event(caller, action(what), target(partner, name));
            event.detail = Some(json!({"message": message, "by": format!("catalogue {version}")}));
            event
        };
        let mut events = Vec::new();
        for (place, one) in &after {
            let had = before.get(place);
            if had.is_none_or(|had| had.what != one.what || had.reason != one.reason) {
                events.push(told(*place, Some(one.what), &one.reason));
            }
        }
        for place in before.keys().filter(|place| !after.contains_key(*place)) {
            events.push(told(*place, None, "the catalogue withdraws it no more"));
        }
        events
    }

    pub(super) fn may_withdraw(&self, caller: &Caller) -> bool {
        self.parts
            .registry
            .may(caller, Action::Approve, &Target::Installation)
    }
}

/// The word of the audit log for what became of it; `None`: it was given back.
const fn action(what: Option<Withdrawal>) -> &'static str {
    match what {
        Some(Withdrawal::Delisted) => "partner.delist",
        Some(Withdrawal::Revoked) => "partner.revoke",
        None => "partner.reinstate",
    }
}

fn target(partner: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{partner}/{name}"),
        None => partner.to_owned(),
    }
}

/// What the keepers of the catalogue withdrew, by partner and server; of two that speak of the same, the later one holds.
fn said_by_catalogue(all: &[Withdrawn]) -> BTreeMap<(&str, Option<&str>), &Withdrawn> {
    all.iter()
        .filter(|one| one.by == WithdrawnBy::Catalogue)
        .map(|one| ((one.partner.as_str(), one.name.as_deref()), one))
        .collect()
}

/// What a catalogue withdraws.
pub(super) fn said_in(catalogue: &Catalogue, now: Timestamp) -> Vec<Withdrawn> {
    let said = catalogue.withdrawn.iter();
    said.map(|one| Withdrawn {
        partner: one.partner.clone(),
        name: one.server.clone(),
        what: one.what,
        by: WithdrawnBy::Catalogue,
        reason: one.reason.chars().take(REASON).collect(),
        actor: format!("catalogue {}", catalogue.version),
        at: now,
    })
    .collect()
}

fn checked(reason: &str) -> Result<(), RegistryError> {
    if reason.is_empty() {
        return Err(RegistryError::invalid("reason", "it must say why"));
    }
    if reason.chars().count() > REASON || reason.chars().any(char::is_control) {
        let message = format!("it is one line of at most {REASON} characters");
        return Err(RegistryError::invalid("reason", message));
    }
    Ok(())
}
