//! What was called, and what stands in the audit log.

use std::sync::Arc;

use portreeve_core::audit::AuditOutcome;
use portreeve_core::caller::Caller;
use portreeve_core::ports::{Journal, UsageStore};
use portreeve_core::time::Timestamp;
use portreeve_core::usage::{UsageEvent, UsageOutcome};

use crate::portal::world::{Result, World, now};

pub(super) async fn usage(world: &World) -> Result<()> {
    use UsageOutcome::{Limited, Ok as Fine, Refused, ToolError};
    let plan = [
        ("com.acme/billing", Some("list_invoices"), 482, 3, 0, 19, 38_000),
        (
            "com.github/github-mcp-server",
            Some("search_code"),
            228,
            12,
            4,
            0,
            412_000,
        ),
        ("com.acme/handbook", Some("find"), 94, 0, 0, 0, 12_400),
        ("com.acme/billing", None, 60, 0, 1, 0, 900),
        ("com.acme/calendar", Some("book_room"), 12, 1, 5, 0, 88_000),
        ("com.stripe/mcp", Some("create_refund"), 0, 0, 3, 0, 0),
    ];
    let mut events = Vec::new();
    for (server, tool, fine, errors, refused, limited, typical) in plan {
        for (outcome, count) in [
            (Fine, fine),
            (ToolError, errors),
            (Refused, refused),
            (Limited, limited),
        ] {
            for number in 0_u32..count {
                events.push(UsageEvent {
                    at: Timestamp::from_millis(now().as_millis() - 1_000 * i64::from(number)),
                    server: server.parse()?,
                    method: Arc::from(if tool.is_some() {
                        "tools/call"
                    } else {
                        "tools/list"
                    }),
                    tool: tool.map(Arc::from),
                    caller: "key:agents".into(),
                    client: None,
                    outcome,
                    latency_us: typical + typical * u64::from(number % 20) / 10,
                    bytes_in: 320,
                    bytes_out: 18_400,
                });
            }
        }
    }
    for batch in events.chunks(1_000) {
        world.store.add_usage(batch).await?;
    }
    Ok(())
}

pub(super) fn events(world: &World) -> Result<()> {
    use AuditOutcome::{Done, Failed, Permitted, Refused};
    let billing = Some("com.acme/billing");
    let plan = [
        (
            "server.approve",
            Done,
            "user:admin",
            Some("com.acme/handbook"),
            None,
            None,
        ),
        (
            "tools/call",
            Failed,
            "key:agents",
            Some("com.github/github-mcp-server"),
            Some("search_code"),
            Some("upstream-unreachable"),
        ),
        (
            "tools/call",
            Refused,
            "anonymous",
            Some("com.acme/calendar"),
            None,
            Some("unauthenticated"),
        ),
        (
            "tools.approve",
            Done,
            "user:admin",
            billing,
            Some("explain_invoice"),
            None,
        ),
        (
            "tools/call",
            Refused,
            "key:intern",
            billing,
            Some("prepare_refund"),
            Some("unknown-tool"),
        ),
        (
            "tools/call",
            Permitted,
            "key:agents",
            billing,
            Some("list_invoices"),
            None,
        ),
    ];
    for (action, outcome, actor, server, target, reason) in plan {
        let mut event = world.event(action);
        event.outcome = outcome;
        event.actor = actor.to_owned();
        event.principal = Some(Caller::anonymous().principal.to_string());
        event.server = server.map(str::to_owned);
        event.target = target.map(str::to_owned);
        event.reason = reason.map(str::to_owned);
        if outcome == Permitted {
            event.policies = vec!["grant:01930000-0000-7000-8000-0000000000aa".to_owned()];
            event.status = Some(200);
            event.latency_us = Some(38_412);
        }
        world.audit.journal.append(&event)?;
    }
    Ok(())
}
