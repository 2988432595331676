//! What the registry has of the proposals already, by endpoint or package, and the registering of the rest.
//!
//! Before: proposals. After: `show` says what became of each, and `rewrite` points hosts at what has a route.

use portreeve_registry::clients::{Identity, Proposal, Proposals};
use serde_json::{Value, json};

use super::{ClientsArgs, request};
use crate::cli::Failure;
use crate::cli::connection::{Connection, api_path, segment};
use crate::cli::reply::{items, text};

/// Entries that are looked at for one proposal.
const MOST_LOOKED_AT: usize = 10;

/// How a proposal stands to the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody registered it, as far as the caller sees.
    New,
    /// It is there, under this name.
    Known {
        /// The name.
        name: String,
    },
    /// Only this machine reaches it.
    Local,
}

/// What became of a registration.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) name: String,
    /// The state that it has now, or why it was refused.
    pub(super) outcome: Result<String, String>,
}

// === impl Done ===

impl Done {
    pub(super) fn to_json(&self) -> Value {
        match &self.outcome {
            Ok(approval) => json!({ "name": self.name, "approval": approval }),
            Err(reason) => json!({ "name": self.name, "refused": reason }),
        }
    }
}

/// The first namespace that the caller may publish in.
pub(super) fn namespace(whoami: &Value) -> Option<String> {
    let roles = whoami
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let may_publish = roles.filter(|role| matches!(text(role, "rights").as_str(), "publish" | "manage"));
    let named = may_publish.filter_map(|role| {
        let servers = role.get("servers")?;
        let pattern = servers.get("namespace").and_then(Value::as_str);
        let of_server = || {
            servers
                .get("server")?
                .as_str()?
                .split_once('/')
                .map(|(namespace, _)| namespace)
        };
        let namespace = pattern.or_else(of_server)?;
        Some(namespace.trim_end_matches(".*").to_owned())
    });
    named.into_iter().next()
}

/// How proposals stand without a look into the registry.
pub(super) fn unknown(made: &Proposals, internal: bool) -> Vec<Standing> {
    let standing = |proposal: &Proposal| {
        if proposal.is_local && !internal {
            Standing::Local
        } else {
            Standing::New
        }
    };
    made.proposals.iter().map(standing).collect()
}

/// How each proposal stands, in their order.
pub(super) async fn standings(
    connection: &Connection,
    made: &Proposals,
    internal: bool,
) -> Result<Vec<Standing>, Failure> {
    let mut standings = unknown(made, internal);
    for (proposal, standing) in made.proposals.iter().zip(&mut standings) {
        // What would not be sent is not looked up, either.
        if *standing == Standing::Local {
            continue;
        }
        if let Some(name) = known(connection, proposal).await? {
            *standing = Standing::Known { name };
        }
    }
    Ok(standings)
}

/// The name under which the registry has a proposal.
async fn known(connection: &Connection, proposal: &Proposal) -> Result<Option<String>, Failure> {
    let mut names = vec![proposal.name().to_owned()];
    let short = proposal.name().rsplit('/').next().unwrap_or_default().to_owned();
    for word in [proposal.identity.word(), short] {
        if word.is_empty() {
            continue;
        }
        let path = format!("{}?search={}&limit=50", api_path!("servers"), segment(&word));
        let list = connection.get(&path).await?.body;
        for item in items(&list) {
            let name = text(item, "name");
            if !names.contains(&name) && names.len() <= MOST_LOOKED_AT {
                names.push(name);
            }
        }
    }
    for name in names {
        // One that does not exist for the caller is refused as unknown.
        let Ok(answer) = connection.get(&api_path!("servers/{}", name)).await else {
            continue;
        };
        let list = |member: &str| {
            answer
                .body
                .get(member)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let of_documents = list("versions")
            .filter_map(|version| version.get("document"))
            .any(|document| Identity::of_document(document).contains(&proposal.identity));
        let of_routes = list("routes")
            .map(|route| json!({ "remotes": [{ "url": text(route, "upstreamUrl") }] }))
            .any(|document| Identity::of_document(&document).contains(&proposal.identity));
        if of_documents || of_routes {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Registers what is new. One that is refused does not stop the others.
pub(super) async fn register(
    connection: &Connection,
    made: &Proposals,
    standings: &[Standing],
    args: &ClientsArgs,
) -> Vec<Done> {
    let mut done = Vec::new();
    for (proposal, standing) in made.proposals.iter().zip(standings) {
        if *standing != Standing::New {
            continue;
        }
        let answer = connection
            .post(&api_path!("servers"), &request(&proposal.document, args))
            .await;
        let outcome = match answer {
            Ok(answer) => Ok(text(
                answer.body.get("version").unwrap_or(&Value::Null),
                "approval",
            )),
            Err(failure) => Err(failure.to_string()),
        };
        done.push(Done {
            name: proposal.name().to_owned(),
            outcome,
        });
    }
    done
}
