//! `portreeve partner check`: the same checks on a partner's machine, in a pull request and at the keepers of a catalogue.

use std::sync::Arc;

use portreeve_core::limits::Limits;
use portreeve_core::time::Timestamp;
use portreeve_net::{DnsTexts, Egress, Reach};
use portreeve_registry::partners::{Evidence, Outlook, Report, Submitted};
use serde_json::{Value, json};

use super::super::{Failure, Reply};
use super::{CheckArgs, files, render};
use crate::config::Config;
use crate::randomness::SystemRng;

/// Checks.
pub(super) async fn run(args: &CheckArgs, now: Timestamp) -> Result<Reply, Failure> {
    let read = files::read(&args.path)?;
    let limits = Arc::new(Limits::default());
    let outlook = match args.offline {
        true => None,
        false => Some(outlook(args, &limits)?),
    };
    let mut report = Report { items: Vec::new() };
    for partner in read.meant() {
        let sight = match &outlook {
            Some(outlook) => Some(outlook.look(partner, now).await),
            None => None,
        };
        let evidence = Evidence::of(&read.folder, partner, (sight.as_ref(), now), &limits);
        report.items.push(evidence);
    }
    if let Some(file) = &args.evidence {
        let text = serde_json::to_string(&report).map_err(|error| Failure::new(error.to_string()))?;
        files::write(file, text.as_bytes())?;
    }
    let body = body(&report, read.meant(), now);
    let text = match args.markdown {
        true => render::markdown(&body),
        false => render::people(&body),
    };
    Ok(Reply::new(body, text).bad_if(report.is_refused()))
}

fn outlook(args: &CheckArgs, limits: &Arc<Limits>) -> Result<Outlook, Failure> {
    let config = Config::read(args.config.as_deref(), Vec::new())?;
    let failed = |error: portreeve_net::NetError| Failure::new(error.to_string());
    Ok(Outlook {
        egress: Egress::new(&config.egress()?).map_err(failed)?,
        reach: if args.internal {
            Reach::Operator
        } else {
            Reach::Public
        },
        texts: Arc::new(DnsTexts::new(config.registry.auth.name_server).map_err(failed)?),
        limits: Arc::clone(limits),
        rng: Arc::new(SystemRng),
    })
}

/// The evidence with the tier that it earns, as scripts read it. Who approves is not known here.
fn body<'a>(report: &Report, partners: impl Iterator<Item = &'a Submitted>, now: Timestamp) -> Value {
    let items = report.items.iter().zip(partners).map(|(evidence, partner)| {
        let judged = (Some(evidence), partner.approval.as_ref());
        let standing = portreeve_registry::partners::standing(&partner.content_hash, judged, &[], now);
        let mut item = json!(evidence);
        if let Some(item) = item.as_object_mut() {
            // A picture is nothing to read.
            item.remove("icon");
            item.insert("tier".to_owned(), json!(standing.tier));
            item.insert("expiresAt".to_owned(), json!(standing.expires_at));
        }
        item
    });
    json!({"items": items.collect::<Vec<_>>(), "refused": report.is_refused()})
}
