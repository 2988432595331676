//! What the registry has of the proposals already, by endpoint or package, and the registering of the rest.
//!
//! Before: proposals. After: `show` says what became of each, and `rewrite` points hosts at what has a route.

use portreeve_registry::clients::{Identity, Proposal, Proposals};
use serde_json::{Value, json};
use url::Url;

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
    /// It is a route of this Portreeve, to the server of this name.
    Routed {
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
        if let Some(found) = known(connection, proposal).await? {
            *standing = found;
        }
    }
    Ok(standings)
}

/// The addresses of the running Portreeve: the one that it is asked at, and the one that hosts are told. Whoever may not
/// read the registries knows the second one by routes alone.
pub(super) async fn origins(connection: &Connection) -> Vec<Url> {
    let mut origins = vec![connection.base().clone()];
    let Ok(list) = connection.get(&api_path!("registries")).await else {
        return origins;
    };
    for registry in items(&list.body) {
        let (url, name) = (text(registry, "url"), text(registry, "name"));
        let below = format!("/registries/{name}");
        let Ok(origin) = Url::parse(url.strip_suffix(&below).unwrap_or(&url)) else {
            continue;
        };
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}

/// How the registry has a proposal, if it does.
async fn known(connection: &Connection, proposal: &Proposal) -> Result<Option<Standing>, Failure> {
    let mut names: Vec<String> = proposal.askable_name().map(str::to_owned).into_iter().collect();
    for word in proposal.words() {
        let path = format!("{}?search={}&limit=50", api_path!("servers"), segment(word));
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
        if let Some(standing) = standing(&answer.body, proposal, &name) {
            return Ok(Some(standing));
        }
    }
    Ok(None)
}

/// How a server that is registered stands to a proposal; not at all where it is another one.
fn standing(server: &Value, proposal: &Proposal, name: &str) -> Option<Standing> {
    let list = |member: &str| server.get(member).and_then(Value::as_array).into_iter().flatten();
    let is_at = |route: &Value, member: &str| {
        let document = json!({ "remotes": [{ "url": text(route, member) }] });
        Identity::of_document(&document).contains(&proposal.identity)
    };
    let name = name.to_owned();
    if list("routes").any(|route| is_at(route, "url")) {
        return Some(Standing::Routed { name });
    }
    let of_documents = list("versions")
        .filter_map(|version| version.get("document"))
        .any(|document| Identity::of_document(document).contains(&proposal.identity));
    let of_routes = list("routes").any(|route| is_at(route, "upstreamUrl"));
    (of_documents || of_routes).then_some(Standing::Known { name })
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use portreeve_core::secret::Secret;
    use portreeve_registry::clients::{Form, Found, Launch, proposals};

    use super::*;

    /// Who may not read the registries does not learn the public address, and knows his routes by their own.
    #[test]
    fn b6_a_route_s_own_address_is_told_from_its_upstream_s() {
        let server = json!({
            "versions": [{"document": {"remotes": [{"url": "https://up.example/mcp?project=a"}]}}],
            "routes": [{"url": "https://gw.acme.example/s/billing/mcp", "upstreamUrl": "https://other.example/mcp"}],
        });
        let name = "com.acme/billing".to_owned();
        for (url, expected) in [
            (
                "https://GW.acme.example:443/s/billing/mcp",
                Some(Standing::Routed { name: name.clone() }),
            ),
            (
                "https://up.example/mcp?project=a",
                Some(Standing::Known { name: name.clone() }),
            ),
            (
                "https://other.example/mcp",
                Some(Standing::Known { name: name.clone() }),
            ),
            ("https://up.example/mcp?project=b", None),
            ("https://gw.acme.example/s/Billing/mcp", None),
        ] {
            let found = Found {
                host: "cursor",
                title: "Cursor",
                file: PathBuf::from("/home/ann/.cursor/mcp.json"),
                form: Form::Json,
                at: vec!["mcpServers".to_owned(), "billing".to_owned()],
                launch: Ok(Launch::Remote {
                    transport: "streamable-http",
                    url: Secret::new(url),
                    headers: Vec::new(),
                }),
            };
            let made = proposals(&[found], "com.acme", &[]);
            assert_eq!(standing(&server, &made.proposals[0], &name), expected, "{url}");
        }
    }
}
