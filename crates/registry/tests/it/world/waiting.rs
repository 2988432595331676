//! What waits, in memory: versions alone. The contract suites look at the rest on real stores.

use async_trait::async_trait;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{
    StoreError, Waiting, WaitingCounts, WaitingKind, WaitingPlace, WaitingQuery, WaitingStore,
};
use portreeve_core::server::{Approval, Lifecycle, Version};

use super::store::Memory;

fn waits(version: &Version) -> bool {
    version.approval == Approval::Submitted && version.lifecycle != Lifecycle::Retired
}

fn order(place: &WaitingPlace) -> (i64, String, String) {
    (place.since.as_millis(), place.server.clone(), place.part.clone())
}

impl Memory {
    fn waiting_version(&self, version: Version) -> Waiting {
        let key = (version.name.clone(), version.version.clone());
        let assessed = self.assessments().get(&key).cloned();
        let assessed = assessed.filter(|assessed| assessed.content_hash == version.content_hash);
        Waiting {
            kind: WaitingKind::Version,
            server: version.name,
            version: Some(version.version),
            route: None,
            count: 1,
            by: Some(version.submitted_by),
            since: version.status_changed_at,
            content_hash: Some(version.content_hash),
            assessed: assessed.map(|assessed| assessed.findings),
            import: None,
        }
    }
}

#[async_trait]
impl WaitingStore for Memory {
    async fn waiting(&self, query: &WaitingQuery) -> Result<PageOf<Waiting>, StoreError> {
        let versions = self.versions().into_iter().filter(waits);
        let mut items: Vec<Waiting> = versions.map(|version| self.waiting_version(version)).collect();
        items.retain(|item| {
            let is_after = |after: &WaitingPlace| order(&item.place()) > order(after);
            query.wants(item.kind) && query.after.as_ref().is_none_or(is_after)
        });
        items.sort_by_key(|item| order(&item.place()));
        let more = items.len() > query.limit as usize;
        items.truncate(query.limit as usize);
        Ok(PageOf { items, more })
    }

    async fn waiting_counts(&self, most: u32) -> Result<WaitingCounts, StoreError> {
        let versions = self.versions().iter().filter(|version| waits(version)).count() as u64;
        Ok(WaitingCounts {
            versions: versions.min(u64::from(most)),
            ..WaitingCounts::default()
        })
    }
}
