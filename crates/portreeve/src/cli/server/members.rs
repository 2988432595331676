//! `portreeve server members`, and the members that `portreeve server add` is told of.

use clap::Args;
use portreeve_core::members::{Member, Shows, VirtualServer};
use serde_json::Value;

use super::super::connection::{Connection, api_path};
use super::super::reply::{count, table, text};
use super::super::{Failure, Reply};

/// What `portreeve server add` makes a virtual server of.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MemberArgs {
    /// Make it a virtual server, of this route and others; may be given several times. Of two members with one name of a tool
    /// the first one keeps it, the other one's gets the prefix and two underscores before it
    #[arg(
        long,
        value_name = "ROUTE[=PREFIX]",
        conflicts_with_all = ["file", "server_url", "deploy", "openapi", "graphql"],
        requires = "name"
    )]
    pub(super) member: Vec<Member>,
    /// Show two tools that find and call the others, instead of all of them
    #[arg(long, requires = "member")]
    search_tools: bool,
}

/// `portreeve server members`
#[derive(Debug, Clone, Args)]
pub(crate) struct MembersArgs {
    /// The server's name
    name: String,
}

// === impl MemberArgs ===

impl MemberArgs {
    /// Puts the members into the document, if there are any.
    pub(super) fn put(&self, document: &mut Value) {
        if let Some(fields) = document.as_object_mut()
            && !self.member.is_empty()
        {
            let shows = if self.search_tools {
                Shows::Search
            } else {
                Shows::All
            };
            let members = self.member.clone();
            VirtualServer { members, shows }.put(fields);
        }
    }
}

pub(super) async fn run(connection: &Connection, args: &MembersArgs) -> Result<Reply, Failure> {
    let body = connection
        .all(&api_path!("servers/{}/members", args.name))
        .await?;
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

pub(crate) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("ROUTE", |one| text(one, "name")),
            ("SERVER", |one| text(one, "server")),
            ("STATE", |one| text(one, "state")),
            ("PREFIX", |one| text(one, "prefix")),
            ("NAMES", |one| names(one)),
        ],
        "This server has no members.",
    )
}

/// How many names a member has, and those that are not its own.
fn names(member: &Value) -> String {
    let all = member.get("names").and_then(Value::as_array);
    let all = all.map(Vec::as_slice).unwrap_or_default();
    let other = all.iter().filter(|given| given.get("name") != given.get("own"));
    let other: Vec<String> = other.map(|given| text(given, "name")).collect();
    let counted = count(u64::try_from(all.len()).unwrap_or(u64::MAX), "name");
    if other.is_empty() {
        counted
    } else {
        format!("{counted}, among them {}", other.join(", "))
    }
}
