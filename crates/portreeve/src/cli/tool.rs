//! `portreeve tool`: approves, hides and shows the tools of a server.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::connection::{Connection, api_path, segment};
use super::failure::one_line;
use super::reply::{cut, items, table, text, when};
use super::{Failure, Reply};

/// `portreeve tool`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ToolCommand {
    /// Approve tools as they are now: new ones, and changed ones
    #[command(group = ArgGroup::new("which").required(true).args(["tools", "all"]))]
    Approve {
        /// The server's name
        name: String,
        /// The tools
        #[arg(value_name = "TOOL")]
        tools: Vec<String>,
        /// Every tool that waits
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        on: RouteArgs,
    },
    /// Hide a tool from everybody
    Hide {
        /// The server's name
        name: String,
        /// The tool
        tool: String,
        #[command(flatten)]
        on: RouteArgs,
    },
    /// Show a hidden tool again
    Unhide {
        /// The server's name
        name: String,
        /// The tool
        tool: String,
        #[command(flatten)]
        on: RouteArgs,
    },
}

/// One of a server's routes.
#[derive(Debug, Clone, Args)]
pub(crate) struct RouteArgs {
    /// The slug of one of the server's routes [default: the production route]
    #[arg(long, value_name = "SLUG")]
    route: Option<String>,
}

impl RouteArgs {
    /// A path that is about this route.
    pub(super) fn path(&self, path: String) -> String {
        match &self.route {
            Some(slug) => format!("{path}?route={}", segment(slug)),
            None => path,
        }
    }
}

pub(super) async fn run(connection: &Connection, command: ToolCommand) -> Result<Reply, Failure> {
    let (path, request) = match command {
        ToolCommand::Approve { name, tools, all, on } => {
            let request = if all {
                json!({ "all": true })
            } else {
                json!({ "tools": tools })
            };
            (on.path(api_path!("servers/{}/tools/approve", name)), request)
        }
        ToolCommand::Hide { name, tool, on } => (
            on.path(api_path!("servers/{}/tools/{}/hide", name, tool)),
            json!({}),
        ),
        ToolCommand::Unhide { name, tool, on } => (
            on.path(api_path!("servers/{}/tools/{}/unhide", name, tool)),
            json!({}),
        ),
    };
    let body = connection.post(&path, &request).await?.body;
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

/// The tools as a table, and below it what changed since they were approved.
pub(super) fn render(body: &Value) -> String {
    let body = &by_tool(body);
    let mut shown = table(
        body,
        &[
            ("TOOL", |tool| text(tool, "name")),
            ("STATE", |tool| text(tool, "state")),
            ("ERA", |tool| text(tool, "era")),
            ("EFFECT", effect),
            ("APPROVED", |tool| when(tool, "approvedAt")),
            ("DESCRIPTION", |tool| cut(&text(tool, "description"), 60)),
        ],
        "No tools were seen. Ask the server with `portreeve server tools NAME --refresh`.",
    );
    for tool in items(body) {
        let changes = tool.get("changes").and_then(Value::as_array);
        let changes = changes.map_or(&[][..], Vec::as_slice);
        let problem = text(tool, "problem");
        if changes.is_empty() && problem.is_empty() {
            continue;
        }
        shown.push_str(&format!(
            "\n\n{} ({})",
            one_line(&text(tool, "name")),
            text(tool, "era")
        ));
        if !problem.is_empty() {
            shown.push_str(&format!("\n  {}", one_line(&problem)));
        }
        for change in changes {
            shown.push_str(&difference(change));
        }
    }
    shown
}

/// The tools, with one item where both eras say the same of a tool.
fn by_tool(body: &Value) -> Value {
    let mut found: Vec<Value> = Vec::new();
    for tool in items(body) {
        match found.iter_mut().find(|other| is_twin(other, tool)) {
            Some(other) => other["era"] = json!("both"),
            None => found.push(tool.clone()),
        }
    }
    json!({ "items": found })
}

/// Whether two items are one tool, seen in two eras, in the same state and with the same definitions.
fn is_twin(one: &Value, other: &Value) -> bool {
    let same = |member| text(one, member) == text(other, member);
    let hash = |tool: &Value, which: &str| tool.get(which).map(|definition| text(definition, "hash"));
    let hashes = |tool| [hash(tool, "approved"), hash(tool, "live")];
    same("name")
        && !same("era")
        && same("state")
        && same("problem")
        && hashes(one) == hashes(other)
        && hashes(one).iter().any(Option::is_some)
}

fn difference(change: &Value) -> String {
    let mut shown = format!("\n  {}", one_line(&text(change, "path")));
    for (sign, member) in [('-', "before"), ('+', "after")] {
        if change.get(member).is_some_and(|value| !value.is_null()) {
            shown.push_str(&format!("\n    {sign} {}", one_line(&text(change, member))));
        }
    }
    shown
}

/// What the tool says about its effects: the approved annotations, else the live ones.
fn effect(tool: &Value) -> String {
    let Some(annotations) = tool.get("annotations") else {
        return String::new();
    };
    let says = |hint| annotations.get(hint).and_then(Value::as_bool) == Some(true);
    if says("readOnlyHint") {
        "read-only".to_owned()
    } else if says("destructiveHint") {
        "destructive".to_owned()
    } else {
        "writes".to_owned()
    }
}
