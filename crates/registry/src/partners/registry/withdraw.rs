//! Delists and revokes. Delisted: who does not have it does not see it. Revoked: the routes that were made of it are closed, on
//! every node, with the reason; nothing else can undo that but who said it.

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::partner::{Withdrawal, Withdrawn, WithdrawnBy};
use portreeve_core::ports::StoreError;
use serde_json::json;

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
        let (what, action) = match wish.what {
            Withdrawing::Delist => (Some(Withdrawal::Delisted), "partner.delist"),
            Withdrawing::Revoke => (Some(Withdrawal::Revoked), "partner.revoke"),
            Withdrawing::Reinstate => (None, "partner.reinstate"),
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
        let target = match name {
            Some(name) => format!("{}/{name}", wish.partner),
            None => wish.partner.clone(),
        };
        let mut event = self.event(caller, action, target.clone());
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

    pub(super) fn may_withdraw(&self, caller: &Caller) -> bool {
        self.parts
            .registry
            .may(caller, Action::Approve, &Target::Installation)
    }
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
