//! Tells that the catalogue moved past what was made of it: once for each entry and each document that it could have instead,
//! whichever node sees it first. Nothing changes by that; `register` makes the update when somebody asks for it.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use serde_json::{Value, json};

use super::Partners;
use super::board::{Board, Item};
use crate::error::RegistryError;

/// What this node told or found told, so that the store is asked once.
#[derive(Debug, Default)]
pub(super) struct Told {
    generation: Option<i64>,
    offers: BTreeSet<(ServerName, String)>,
}

// === impl Partners ===

impl Partners {
    /// Tells of every update that is there and was not told of.
    pub(super) async fn tell_offers(&self, told: &mut Told) -> Result<(), RegistryError> {
        let board = self.board.load_full();
        if told.generation == Some(board.generation()) {
            return Ok(());
        }
        let mut offers = BTreeSet::new();
        for item in board.items() {
            let Some((server, event)) = self.offer(&board, item) else {
                continue;
            };
            let offer = (server, item.document_hash.clone());
            if !told.offers.contains(&offer) {
                self.parts.store.note_offer(&offer.0, &offer.1, event).await?;
            }
            offers.insert(offer);
        }
        *told = Told {
            generation: Some(board.generation()),
            offers,
        };
        Ok(())
    }

    /// The entry that a listed server would update, and what is told of it. Of what is withdrawn nobody takes an update.
    fn offer(&self, board: &Board, item: &Item) -> Option<(ServerName, portreeve_core::audit::AuditEvent)> {
        let entry = board.registered_from(item)?;
        if entry.document_hash == item.document_hash || board.withdrawn(item).is_some() {
            return None;
        }
        let target = format!("{}/{}", item.about.partner.name, item.name);
        let mut event = self.event(&Caller::system(), "partner.offer", target);
        event.server = Some(entry.server.to_string());
        let offered = item.document().and_then(|document| document.get("version"));
        event.detail = Some(json!({
            "from": entry.version, "to": offered.and_then(Value::as_str),
            "fromCatalogue": entry.catalogue_version, "catalogueVersion": item.catalogue_version,
            "contentHash": item.about.content_hash,
        }));
        Some((entry.server.clone(), event))
    }
}
