//! A store and an audit log in memory that can be told to fail, and an authorizer with one manager.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_core::audit::{AuditReport, ChainedEvent};
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Decision, Effect, Target};
use portreeve_core::page::PageOf;
use portreeve_core::ports::{AuditLog, AuditQuery, Authorizer, StoreError, UsageStore};
use portreeve_core::time::{Clock, Timestamp};
use portreeve_core::usage::{UsageEvent, UsageOutcome, UsageQuery, UsageRow};
use portreeve_core::visibility::Visibility;

pub(crate) fn event(number: u64) -> UsageEvent {
    UsageEvent {
        at: Timestamp::from_millis(1_763_900_000_000),
        server: "com.acme/billing".parse().unwrap(),
        method: "tools/call".into(),
        tool: Some("list_invoices".into()),
        caller: "key:test".into(),
        client: None,
        outcome: UsageOutcome::Ok,
        latency_us: number,
        bytes_in: 10,
        bytes_out: 20,
    }
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) batches: Mutex<Vec<Vec<u64>>>,
    pub(crate) away: AtomicBool,
    pub(crate) refuses: AtomicBool,
    pub(crate) purged: Mutex<Vec<Timestamp>>,
    pub(crate) audit_queries: Mutex<Vec<AuditQuery>>,
}

impl Memory {
    pub(crate) fn written(&self) -> Vec<u64> {
        self.batches.lock().unwrap().concat()
    }
}

#[async_trait]
impl UsageStore for Memory {
    async fn add_usage(&self, events: &[UsageEvent]) -> Result<(), StoreError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("connection refused".into()));
        }
        if self.refuses.load(Ordering::SeqCst) {
            return Err(StoreError::Corrupt {
                what: "a rollup".into(),
            });
        }
        let batch = events.iter().map(|event| event.latency_us).collect();
        self.batches.lock().unwrap().push(batch);
        Ok(())
    }

    async fn usage(&self, _query: &UsageQuery) -> Result<Vec<UsageRow>, StoreError> {
        Ok(vec![UsageRow {
            server: "com.acme/billing".parse().unwrap(),
            method: "tools/call".into(),
            tool: Some("list_invoices".into()),
            calls: 3,
            errors: 1,
            refused: 0,
            limited: 0,
            p50_us: Some(1_000),
            p95_us: Some(2_000),
            bytes_in: 30,
            bytes_out: 60,
        }])
    }

    async fn purge_usage(&self, before: Timestamp) -> Result<(), StoreError> {
        self.purged.lock().unwrap().push(before);
        Ok(())
    }
}

#[async_trait]
impl AuditLog for Memory {
    async fn page(&self, query: &AuditQuery) -> Result<(PageOf<ChainedEvent>, Option<String>), StoreError> {
        self.audit_queries.lock().unwrap().push(query.clone());
        let page = PageOf {
            items: Vec::new(),
            more: query.cursor.is_none(),
        };
        Ok((page, Some("7".into())))
    }

    async fn verify(&self) -> Result<AuditReport, StoreError> {
        Ok(AuditReport {
            events: 5,
            checkpoints: 1,
            findings: Vec::new(),
        })
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Only the system manages.
pub(crate) struct SystemManages;

impl Authorizer for SystemManages {
    fn may(&self, caller: &Caller, action: Action, target: &Target<'_>) -> Arc<Decision> {
        let managing = [Action::Audit, Action::Operate, Action::Manage];
        let yes =
            *caller == Caller::system() && managing.contains(&action) && *target == Target::Installation;
        Arc::new(Decision {
            effect: if yes { Effect::Permit } else { Effect::Deny },
            policies: Arc::default(),
        })
    }

    fn visibility(&self, _caller: &Caller) -> Visibility {
        Visibility::Listed
    }

    fn views_some(&self, caller: &Caller) -> bool {
        *caller == Caller::system()
    }

    fn policy_version(&self) -> u64 {
        1
    }
}

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-23T00:00:00Z").unwrap()
    }
}
