//! What a source says of a version that it brought: active, deprecated, deleted. A source may make things stricter, and may
//! take back what it did itself; what was decided here stands.
//!
//! Before: `desk` found that the source says something else than before. After: the version's stage, its event, and what
//! the source may take back one day.

use portreeve_core::import::{Finding, StageBefore};
use portreeve_core::server::{Approval, Lifecycle, Version};
use serde_json::json;

use super::desk::Desk;
use super::{SourceStatus, finding};
use crate::approve;
use crate::assess::submitted::Which;

/// The stage that a version shall have, and what its source may take back then.
struct Turn {
    lifecycle: Lifecycle,
    message: Option<String>,
    stage_before: Option<StageBefore>,
}

// === impl Desk ===

impl Desk<'_> {
    /// What the source said of a version so far.
    pub(super) fn status_before(&self, which: &Which) -> SourceStatus {
        let origin = self.origin_of(which);
        origin.map_or(SourceStatus::Active, |origin| {
            SourceStatus::from_word(&origin.source_status)
        })
    }

    /// Brings a version to the stage that its source says, as far as it may, and says what became of that.
    pub(super) fn follow(&mut self, which: &Which, status: SourceStatus) -> Vec<Finding> {
        let before = self.status_before(which);
        let Some(present) = self.version(which) else {
            return Vec::new();
        };
        if status == before {
            return Vec::new();
        }
        let turn = self.turn_of(which, present, (before, status));
        let is_told = status == SourceStatus::Deleted && self.origins.contains_key(which);
        if is_told {
            let detail = json!({
                "origin": self.run.origin, "approval": present.approval, "contentHash": present.content_hash,
            });
            self.tell("server.upstream-deleted", which, detail);
        }
        let mut said = vec![finding(
            "$",
            match status {
                SourceStatus::Deleted => "its source deleted it".to_owned(),
                other => format!("its source says `{}` of it now", other.as_str()),
            },
        )];
        match &turn {
            Some(turn) => self.bring(which, turn),
            None => said.push(finding("$", "what was decided here about its stage stays")),
        }
        self.note_status(which, status, turn.and_then(|turn| turn.stage_before));
        said
    }

    /// Where a version goes; `None`: nowhere, because somebody here decided otherwise.
    fn turn_of(
        &self,
        which: &Which,
        present: &Version,
        (before, status): (SourceStatus, SourceStatus),
    ) -> Option<Turn> {
        let taken_back = self.stage_to_take_back(which, present, before);
        let stage = taken_back.clone().unwrap_or_else(|| StageBefore {
            lifecycle: present.lifecycle,
            message: present.status_message.clone(),
        });
        let back = |stage: StageBefore| Turn {
            lifecycle: stage.lifecycle,
            message: stage.message,
            stage_before: None,
        };
        let sterner = |stage: StageBefore| Turn {
            lifecycle: lifecycle(status),
            message: self.said_of(status),
            stage_before: Some(stage),
        };
        match status {
            SourceStatus::Active => taken_back.map(back),
            // It was deprecated here before its source spoke at all.
            SourceStatus::Deprecated if stage.lifecycle.is_ended() => taken_back.map(back),
            SourceStatus::Deleted if stage.lifecycle == Lifecycle::Retired => None,
            SourceStatus::Deprecated | SourceStatus::Deleted => Some(sterner(stage)),
        }
    }

    /// The stage that the source changed, if that is how it left the version.
    fn stage_to_take_back(
        &self,
        which: &Which,
        present: &Version,
        before: SourceStatus,
    ) -> Option<StageBefore> {
        // The reason of a rejection stays in its place.
        let is_as_left = before != SourceStatus::Active
            && present.lifecycle == lifecycle(before)
            && (present.approval == Approval::Rejected || present.status_message == self.said_of(before));
        let stage = self
            .origin_of(which)
            .and_then(|origin| origin.stage_before.clone());
        // What was taken in before stages were kept was in production, or where it came from.
        let default = || StageBefore {
            lifecycle: present.former_lifecycle.unwrap_or(Lifecycle::Production),
            message: None,
        };
        is_as_left.then(|| stage.unwrap_or_else(default))
    }

    fn bring(&mut self, which: &Which, turn: &Turn) {
        let (registry, caller) = (self.registry, self.caller);
        let version = self.version_mut(which);
        let turn = approve::Turn {
            lifecycle: turn.lifecycle,
            message: turn.message.as_deref(),
            by: None,
        };
        let event = registry.turn(caller, version, &turn);
        if let Some(event) = event {
            self.keep(which, event);
        }
    }

    fn note_status(&mut self, which: &Which, status: SourceStatus, stage_before: Option<StageBefore>) {
        let Some(mut origin) = self.origin_of(which).cloned() else {
            return;
        };
        status.as_str().clone_into(&mut origin.source_status);
        origin.stage_before = stage_before;
        self.provenance.insert(which.clone(), origin);
    }

    /// What is said of a version that its source brought to a stage.
    fn said_of(&self, status: SourceStatus) -> Option<String> {
        let message = match status {
            SourceStatus::Active => return None,
            SourceStatus::Deprecated => format!("deprecated at {}", self.run.origin),
            SourceStatus::Deleted => format!("deleted at {}", self.run.origin),
        };
        Some(message.chars().take(500).collect())
    }
}

const fn lifecycle(status: SourceStatus) -> Lifecycle {
    match status {
        SourceStatus::Active => Lifecycle::Production,
        SourceStatus::Deprecated => Lifecycle::Deprecated,
        SourceStatus::Deleted => Lifecycle::Retired,
    }
}
