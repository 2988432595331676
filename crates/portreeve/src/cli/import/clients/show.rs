//! What `import clients` says: what was found, what would be sent word by word, what stays here, what became of it.
//!
//! Before: a plan, or what was done. After: a person reads it, and decides.

use portreeve_registry::clients::Proposal;
use serde_json::{Value, json};

use super::registered::{Done, Standing};
use super::rewrite::{Planned, Written};
use super::{ClientsArgs, NO_NAMESPACE, Plan, request};
use crate::cli::reply::{cut, table, text as member};

/// Everything as JSON.
pub(super) fn body(plan: &Plan, args: &ClientsArgs) -> Value {
    let all = plan.looked.found.iter().enumerate();
    let found = all.map(|(place, found)| {
        json!({
            "host": found.host, "file": found.file.display().to_string(), "name": found.name(),
            "reaches": found.shown(), "becomes": becomes(plan, place),
        })
    });
    let pairs = plan.made.proposals.iter().zip(&plan.standings);
    let entries = pairs.map(|(proposal, standing)| {
        let (state, name) = match standing {
            Standing::New => ("new", proposal.name()),
            Standing::Known { name } => ("known", name.as_str()),
            Standing::Routed { name } => ("routed", name.as_str()),
            Standing::Local => ("local", proposal.name()),
        };
        json!({
            "name": name, "state": state, "request": request(&proposal.document, args), "staysHere": proposal.kept,
            "notes": proposal.notes, "hosts": hosts(plan, proposal),
        })
    });
    json!({
        "files": plan.looked.files.iter().map(|file| file.display().to_string()).collect::<Value>(),
        "found": found.collect::<Value>(),
        "findings": plan.looked.findings.iter().map(super::look::Finding::to_json).collect::<Value>(),
        "entries": entries.collect::<Value>(),
    })
}

fn hosts(plan: &Plan, proposal: &Proposal) -> Vec<&'static str> {
    let mut hosts: Vec<&'static str> = Vec::new();
    for place in &proposal.seen {
        let host = plan.looked.found.get(*place).map(|found| found.host);
        hosts.extend(host.filter(|host| !hosts.contains(host)));
    }
    hosts
}

/// What one find comes to.
fn becomes(plan: &Plan, place: usize) -> String {
    let pairs = plan.made.proposals.iter().zip(&plan.standings);
    for (proposal, standing) in pairs {
        if proposal.seen.contains(&place) {
            return match standing {
                Standing::New => proposal.name().to_owned(),
                Standing::Known { name } => format!("{name}, which is registered"),
                Standing::Routed { name } => {
                    format!("nothing: it goes through this Portreeve already, to {name}")
                }
                Standing::Local => "nothing: only this machine reaches it (`--internal` takes it)".to_owned(),
            };
        }
    }
    let left_out = plan.made.left_out.iter().find(|(left, _)| *left == place);
    left_out.map_or_else(String::new, |(_, reason)| format!("nothing: {reason}"))
}

/// The same for people.
pub(super) fn text(plan: &Plan, args: &ClientsArgs) -> String {
    let body = body(plan, args);
    let found = json!({ "items": body.get("found") });
    let mut text = table(
        &found,
        &[
            ("HOST", |found| member(found, "host")),
            ("NAME", |found| cut(&member(found, "name"), 30)),
            ("REACHES", |found| cut(&member(found, "reaches"), 50)),
            ("BECOMES", |found| member(found, "becomes")),
        ],
        "No host of this machine is set up to use a server.",
    );
    for finding in &plan.looked.findings {
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        text.push_str(&format!(
            "\n{}{line}: {}; it was passed over",
            finding.file.display(),
            finding.message
        ));
    }
    if let Some(reason) = &plan.unasked {
        text.push_str(&format!("\n\nWhat is registered already is not known: {reason}"));
    }
    let pairs = plan.made.proposals.iter().zip(&plan.standings);
    let new: Vec<&Proposal> = pairs
        .filter(|(_, standing)| **standing == Standing::New)
        .map(|(proposal, _)| proposal)
        .collect();
    if new.is_empty() {
        text.push_str("\n\nNothing is new, so nothing would be sent.");
        return text;
    }
    text.push_str("\n\nThis is what would be sent, and nothing else:");
    for proposal in new {
        let shown = serde_json::to_string_pretty(&request(&proposal.document, args)).unwrap_or_default();
        text.push_str(&format!("\n\nPOST /api/v1/servers\n{shown}"));
        if !proposal.kept.is_empty() {
            text.push_str(&format!("\nstays here: {}", proposal.kept.join(", ")));
        }
        for note in &proposal.notes {
            text.push_str(&format!("\nnote: {note}"));
        }
    }
    if plan.namespace == NO_NAMESPACE {
        text.push_str(
            "\n\nhint: no namespace is known for the names; name one, as in `--namespace com.acme`",
        );
    }
    text
}

/// What became of what was sent.
pub(super) fn registered(done: &[Done]) -> String {
    let line = |done: &Done| match &done.outcome {
        Ok(approval) => format!("\n{} is registered: {approval}", done.name),
        Err(reason) => format!("\n{} was refused: {reason}", done.name),
    };
    let lines: String = done.iter().map(line).collect();
    format!("\n{lines}")
}

/// Whether something was refused.
pub(super) fn has_refused(registered: &Value) -> bool {
    let all = registered.as_array().into_iter().flatten();
    all.into_iter().any(|one| one.get("refused").is_some())
}

/// What is pointed at the gateway, and what is not.
pub(super) fn pointed(planned: &Planned, headline: &str) -> String {
    let mut text = String::new();
    if !planned.pointed.is_empty() {
        text.push_str(&format!("\n\nThese {headline}:"));
    }
    for one in &planned.pointed {
        text.push_str(&format!(
            "\n  {} of {} ({}) -> {}",
            one.name,
            one.host,
            one.file.display(),
            one.to
        ));
    }
    for (host, _, name, reason) in &planned.left {
        text.push_str(&format!("\n  {name} of {host} stays as it is: {reason}"));
    }
    if planned.pointed.is_empty() && planned.left.is_empty() {
        text.push_str("\n\nNo host uses a server that is registered, so no file would be written.");
    }
    text
}

/// What was written, and the way back.
pub(super) fn written(written: &Written) -> String {
    let mut text = format!(
        "\n\nBackup {} lies in {}.",
        written.backup,
        written.folder.display()
    );
    for file in &written.files {
        text.push_str(&format!("\n{} was written.", file.display()));
    }
    for failure in &written.failures {
        text.push_str(&format!("\n{failure}"));
    }
    text.push_str(&format!(
        "\nBack again: portreeve import clients --restore {}",
        written.backup
    ));
    text
}
