//! Access policies: what 1,000 of them cost, decided for the first time, for a list of 500 tools, and with arguments.

use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use portreeve_access::Access;
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{GroupName, ServerName};
use portreeve_core::ports::{Authorizer as _, Snapshot};
use portreeve_core::time::Timestamp;
use portreeve_core::tool::ToolAnnotations;
use tokio::runtime::Runtime;

use crate::{rights, step};

/// How many policies there are, and how many tools are listed.
const POLICIES: usize = 1_000;
const TOOLS: usize = 500;
/// Lists of which the best counts.
const LISTS: usize = 9;

pub(crate) fn measure(runtime: &Runtime, folder: &Path, server: &ServerName) -> Result<()> {
    let (access, key, mut snapshot) = runtime.block_on(rights::set_up(folder, server, "policies"))?;
    snapshot.policies = (0..POLICIES).map(|place| policy(place, server)).collect();
    load(&access, &mut snapshot)?;
    let caller = Caller {
        groups: Arc::from(["interns".parse::<GroupName>()?, "team-7".parse()?]),
        ..access.authenticate(key.expose())?
    };
    let annotations = ToolAnnotations {
        read_only_hint: true,
        ..ToolAnnotations::default()
    };
    let may = |target: &Target<'_>| access.may(black_box(&caller), Action::CallTool, target);
    let echo = target((server, &annotations), "echo", None);
    ensure!(may(&echo).is_permit(), "the key may not call");
    step("key and decision, cached, 1,000 policies", || {
        access.authenticate(black_box(key.expose())).is_ok() && may(&echo).is_permit()
    })?;
    let mut number = 0_u64;
    step("decision, not cached, 1,000 policies", || {
        number += 1;
        let tool = format!("tool-{number}");
        may(&target((server, &annotations), &tool, None)).is_permit()
    })?;
    let arguments = br#"{"to": "ada@acme.example", "amount": 20, "customer": {"id": 7}}"#;
    let call = target((server, &annotations), "send", Some(&arguments[..]));
    ensure!(may(&call).is_permit(), "the key may not call with arguments");
    step("decision with arguments, 1,000 policies", || {
        may(&call).is_permit()
    })?;

    let tools: Vec<String> = (0..TOOLS).map(|tool| format!("tool-{tool}")).collect();
    let mut best = u128::MAX;
    for _ in 0..LISTS {
        load(&access, &mut snapshot)?;
        let begun = Instant::now();
        for tool in &tools {
            black_box(may(&target((server, &annotations), tool, None)).is_permit());
        }
        best = best.min(begun.elapsed().as_nanos());
    }
    let name = "list of 500 tools, not cached, 1,000 policies";
    writeln!(io::stdout(), "{name:<44} {best:>9} ns")?;

    snapshot.policies = (0..POLICIES).map(|place| mixed(place, server)).collect();
    load(&access, &mut snapshot)?;
    ensure!(may(&call).is_permit(), "the key may not call with arguments");
    step("decision, not cached, some read arguments", || {
        number += 1;
        let tool = format!("tool-{number}");
        may(&target((server, &annotations), &tool, Some(&arguments[..]))).is_permit()
    })?;
    Ok(())
}

/// Brings a state into force that is another one than before.
fn load(access: &Access, snapshot: &mut Snapshot) -> Result<()> {
    snapshot.generation += 1;
    if let Some(last) = snapshot.policies.last_mut() {
        last.revision += 1;
    }
    let before = access.policy_version();
    access.load(snapshot);
    ensure!(access.policy_version() > before, "nothing was loaded");
    Ok(())
}

/// Most are about somebody else or elsewhere, as in a company; some are about everybody.
fn policy(place: usize, server: &ServerName) -> AccessPolicy {
    let text = match place % 100 {
        0 => format!(
            "forbid (principal in Group::\"interns\", action == Action::\"call\", resource in Server::\"{server}\")\n\
             unless {{ resource.read_only || resource.name == \"tool-{place}\" }};"
        ),
        1 => "forbid (principal, action == Action::\"call\", resource) when { resource.destructive && \
              resource.name == \"drop\" };"
            .to_owned(),
        2 if place == 2 => format!(
            "forbid (principal, action == Action::\"call\", resource == Tool::\"{server}/send\")\n\
             unless {{ context.text.hasTag(\"to\") && context.text.getTag(\"to\") like \"*@acme.example\" }};"
        ),
        3..=49 => format!(
            "permit (principal == User::\"user-{place}\", action in Action::\"use\", resource in Namespace::\"com.n{place}\");"
        ),
        _ => format!(
            "permit (principal in Group::\"team-{place}\", action in Action::\"use\", resource in \
             Server::\"com.example/server-{place}\") when {{ resource is Server || resource.read_only }};"
        ),
    };
    AccessPolicy {
        name: format!("policy-{place}")
            .parse()
            .unwrap_or_else(|error| panic!("{error}")),
        description: String::new(),
        text,
        tests: Vec::new(),
        enabled: true,
        revision: 1,
        updated_by: "bench".to_owned(),
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    }
}

/// The same, but five of those about everybody limit an argument.
fn mixed(place: usize, server: &ServerName) -> AccessPolicy {
    let policy = policy(place, server);
    if place % 200 != 1 {
        return policy;
    }
    let text = "forbid (principal, action == Action::\"call\", resource)\n\
                unless { context.number.hasTag(\"amount\") && context.number.getTag(\"amount\") < 1000 };";
    AccessPolicy {
        text: text.to_owned(),
        ..policy
    }
}

fn target<'a>(
    (server, annotations): (&'a ServerName, &'a ToolAnnotations),
    tool: &'a str,
    arguments: Option<&'a [u8]>,
) -> Target<'a> {
    Target::Tool {
        server,
        tool,
        annotations,
        arguments,
    }
}
