//! Drops the catalogue whose key is trusted no more, and falls back to the newest one that a trusted key signed, or to the
//! carried one. So a stolen key that signed a very high version blocks the keepers until an operator takes it away, and no longer.
//!
//! What the dropped catalogue revoked here stays closed: a switch that kills is taken back by a person. Entries that were made of
//! it stay as they are, and are shown as what they are.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::partner::{KeptCatalogue, PullOutcome, Withdrawal, Withdrawn, WithdrawnBy};
use portreeve_core::ports::{PartnerState, StoreError};
use serde_json::json;

use super::super::catalogue::Catalogue;
use super::board::Pulled;
use super::withdraw::said_in;
use super::{Partners, shown};
use crate::error::RegistryError;

// === impl Partners ===

impl Partners {
    /// Drops a catalogue, if its key is trusted no more and no other node was faster.
    pub(super) async fn fall_back(&self, state: &PartnerState, pulled: &Pulled) -> Result<(), RegistryError> {
        let Some(key) = pulled.distrusted() else {
            return Ok(());
        };
        let instead = self.still_trusted().await?;
        let (now, caller) = (self.now(), Caller::system());
        let (dropped, version) = (
            pulled.version(),
            instead.as_ref().map_or(0, |(kept, _)| kept.version),
        );
        let mut after = instead
            .as_ref()
            .map(|(_, catalogue)| said_in(catalogue, now))
            .unwrap_or_default();
        let closed = still_closed(state, &after, &format!("catalogue {dropped}, dropped"));
        let now_in_force = match &instead {
            Some(_) => format!("version {version}"),
            None => "none that was pulled".to_owned(),
        };
        let message = format!(
            "version {dropped} was dropped, its key is not trusted any more: {now_in_force} is in force"
        );
        tracing::warn!(%key, "partner catalogue: {message}");
        let url = self.parts.settings.url.as_ref().map(shown).unwrap_or_default();
        let mut event = self.event(&caller, "partner.drop-catalogue", format!("catalogue {dropped}"));
        let made = state.registered.iter();
        let made = made.filter(|one| one.signed_by.as_deref() == Some(key));
        event.detail = Some(json!({
            "version": dropped, "instead": version, "key": key, "message": message,
            "servers": made.map(|one| one.server.as_str()).collect::<Vec<_>>(), "stillRevoked": closed.len(),
        }));
        let mut events = vec![event];
        let before = without(&state.withdrawn, &closed);
        events.extend(self.withdrawal_events(&caller, (&before, &after), version));
        after.extend(closed);
        let outcome = PullOutcome {
            at: now,
            url,
            code: "dropped".to_owned(),
            message,
        };
        let kept = instead.as_ref().map(|(kept, _)| kept);
        match self
            .parts
            .store
            .drop_catalogue((dropped, pulled.hash()), (kept, &after), (&outcome, &events))
            .await
        {
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The newest of those before it that is believed today.
    async fn still_trusted(&self) -> Result<Option<(KeptCatalogue, Catalogue)>, RegistryError> {
        let formers = self.parts.store.former_catalogues().await?;
        let mut believed = formers.into_iter().filter_map(|kept| {
            let reader = self.parts.settings.reader_of(&kept);
            let catalogue = reader.read(kept.body.as_bytes()).ok()?;
            Some((kept, catalogue))
        });
        Ok(believed.next())
    }
}

type Place<'a> = (&'a str, Option<&'a str>);

fn place(one: &Withdrawn) -> Place<'_> {
    (&one.partner, one.name.as_deref())
}

/// What is taken back with the catalogue: what stays closed is not.
fn without(all: &[Withdrawn], closed: &[Withdrawn]) -> Vec<Withdrawn> {
    let stays: BTreeSet<Place<'_>> = closed.iter().map(place).collect();
    let taken_back = all.iter().filter(|one| !stays.contains(&place(one)));
    taken_back.cloned().collect()
}

/// What the dropped catalogue revoked of what is registered here, unless it is revoked anyway: from now on said here, so that
/// an administrator can take it back.
fn still_closed(state: &PartnerState, after: &[Withdrawn], actor: &str) -> Vec<Withdrawn> {
    let own = state.withdrawn.iter().filter(|one| one.by == WithdrawnBy::Admin);
    let anyway: BTreeSet<Place<'_>> = own
        .chain(after)
        .filter(|one| one.what == Withdrawal::Revoked)
        .map(place)
        .collect();
    let here: BTreeSet<Place<'_>> = state
        .registered
        .iter()
        .flat_map(|one| {
            let partner = one.place.partner.as_str();
            [(partner, None), (partner, Some(one.place.name.as_str()))]
        })
        .collect();
    let dropped = state.withdrawn.iter();
    dropped
        .filter(|one| one.by == WithdrawnBy::Catalogue && one.what == Withdrawal::Revoked)
        .filter(|one| here.contains(&place(one)) && !anyway.contains(&place(one)))
        .map(|one| Withdrawn {
            by: WithdrawnBy::Admin,
            actor: actor.to_owned(),
            ..one.clone()
        })
        .collect()
}
