//! Writing the decision down.

use std::hint::black_box;
use std::path::Path;

use anyhow::Result;
use portreeve_core::audit::{ArgumentsDigest, AuditEvent, AuditOutcome};
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::ports::Journal as _;
use portreeve_core::time::{Clock as _, SystemClock};
use portreeve_store::{ChainHead, FileJournal, JournalSync};

use crate::{Numbers, step, steps};

pub(crate) fn measure(folder: &Path) -> Result<()> {
    let numbers = Numbers::default();
    step("identifier of an event", || EventId::new(&SystemClock, &numbers))?;
    let event = event(&numbers);
    step("audit event as JSON", || {
        serde_json::to_vec(black_box(&event)).map(|json| json.len())
    })?;
    let journal = FileJournal::open(&folder.join("audit"), JournalSync::Os, ChainHead::EMPTY)?;
    let mut failed = None;
    steps("audit event into the journal", |times| {
        for _ in 0..times {
            if let Err(error) = journal.append(&event) {
                failed = Some(error);
            }
        }
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// The event of a call with a key, a grant and a limit.
fn event(numbers: &Numbers) -> AuditEvent {
    let id = EventId::new(&SystemClock, numbers);
    let mut event = AuditEvent::new(id, SystemClock.now(), "tools/call", &Caller::anonymous());
    event.outcome = AuditOutcome::Permitted;
    event.actor = "key:bench".to_owned();
    event.principal = Some("key:01936f1c-0000-7000-8000-000000000000".to_owned());
    event.key = Some("01936f1c-0000-7000-8000-000000000000".to_owned());
    event.server = Some("com.example/bench".to_owned());
    event.route = Some("bench".to_owned());
    event.target = Some("echo".to_owned());
    event.arguments = Some(ArgumentsDigest {
        keys: vec!["text".to_owned()],
        hmac: "0123456789abcdef".repeat(4),
    });
    event.policies = vec![
        "grant:01936f1c-0000-7000-8000-000000000000".to_owned(),
        "rate_limit".to_owned(),
    ];
    event.status = Some(200);
    event.upstream_status = Some(200);
    event.latency_us = Some(212);
    event.request_id = Some(event.id.to_string());
    event
}
