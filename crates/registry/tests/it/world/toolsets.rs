//! Toolsets in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{StoreError, Toolset, ToolsetStore};
use portreeve_core::rest::RestMark;
use portreeve_core::time::Timestamp;

use super::store::Memory;

pub(super) struct Kept {
    store: Arc<Memory>,
    kept: Mutex<BTreeMap<String, Toolset>>,
}

impl Kept {
    pub(super) fn new(store: Arc<Memory>) -> Self {
        Self {
            store,
            kept: Mutex::default(),
        }
    }
}

#[async_trait]
impl ToolsetStore for Kept {
    async fn keep_toolset(&self, toolset: &Toolset) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap();
        kept.entry(toolset.digest.clone())
            .or_insert_with(|| toolset.clone());
        Ok(())
    }

    async fn toolset(&self, digest: &str) -> Result<Option<Toolset>, StoreError> {
        Ok(self.kept.lock().unwrap().get(digest).cloned())
    }

    async fn toolset_of(
        &self,
        server: &ServerName,
        version: &VersionText,
    ) -> Result<Option<String>, StoreError> {
        let versions = self.store.versions();
        let found = versions
            .iter()
            .find(|known| known.name == *server && known.version == *version);
        Ok(found
            .and_then(|version| RestMark::of(&version.document))
            .map(|mark| mark.toolset))
    }

    async fn sweep_drafts(&self, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        let mut kept = self.kept.lock().unwrap();
        let is_draft = |digest: &str| digest.starts_with(Toolset::DRAFT);
        let drafts = kept.values().filter(|one| is_draft(&one.digest));
        let mut drafts: Vec<_> = drafts.map(|one| (one.created_at, one.digest.clone())).collect();
        drafts.sort();
        drafts.reverse();
        let gone = drafts
            .iter()
            .enumerate()
            .filter(|(index, (at, _))| *index >= most || *at < before);
        let gone: Vec<_> = gone.map(|(_, (_, digest))| digest.clone()).collect();
        for digest in &gone {
            kept.remove(digest);
        }
        Ok(gone.len() as u64)
    }

    async fn note_vanished(
        &self,
        digest: &str,
        vanished: &[String],
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap();
        let toolset = kept.get_mut(digest).ok_or_else(|| StoreError::NotFound {
            what: format!("toolset `{digest}`"),
        })?;
        toolset.vanished = vanished.to_vec();
        self.store.note(&[event]);
        Ok(())
    }

    async fn purge_toolsets(&self, before: Timestamp, event: AuditEvent) -> Result<u64, StoreError> {
        let named: Vec<String> = self
            .store
            .versions()
            .iter()
            .filter_map(|version| RestMark::of(&version.document))
            .map(|mark| mark.toolset)
            .collect();
        let mut kept = self.kept.lock().unwrap();
        let all = kept.len();
        kept.retain(|digest, toolset| named.contains(digest) || toolset.created_at >= before);
        let removed = all - kept.len();
        if removed > 0 {
            self.store.note(&[event]);
        }
        Ok(removed as u64)
    }
}
