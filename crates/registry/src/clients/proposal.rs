//! What would be registered: one document for each server, however many hosts are set up to use it.
//!
//! Before: what was found. After: it is shown as it would be sent, and sent. No value of a header or of the environment
//! is in it; after it was made, it is searched for them once more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portreeve_core::name::{ServerName, Slug, VersionText};
use portreeve_core::secret::Secret;
use serde_json::{Map, Value, json};
use url::Url;

use super::argument::{arguments, input};
use super::package::{Package, Run, run};
use super::private::{self, Stays, Values};
use super::{Found, Identity, Launch};

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// The version of a server whose own nobody named.
const FIRST_VERSION: &str = "1.0.0";
/// Characters of a name from which on it is cut.
const LONGEST_NAME: usize = 60;
/// Characters of a value from which on its mere appearance in a document stops it.
const TELLING: usize = 8;

/// A document that would be registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// By what it is recognised.
    pub identity: Identity,
    /// The `server.json`.
    pub document: Value,
    /// What stays here, in words.
    pub kept: Vec<String>,
    /// What the person should know.
    pub notes: Vec<String>,
    /// Where it was found, as places in the list that was given.
    pub seen: Vec<usize>,
    /// It runs where only this machine reaches it.
    pub is_local: bool,
    /// Words that a registry may be asked for before anybody agreed to anything; and whether its name is one.
    words: Vec<String>,
    is_askable: bool,
}

/// What became of everything that was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposals {
    /// What would be registered.
    pub proposals: Vec<Proposal>,
    /// Places of the list with nothing to register, and why.
    pub left_out: Vec<(usize, String)>,
}

/// What one host told of a server.
struct Told {
    identity: Identity,
    version: Option<String>,
    /// `remotes` or `packages`, with one item.
    part: (&'static str, Value),
    description: String,
    kept: Vec<String>,
    is_local: bool,
    /// The route that it may be, where its address looks like one of a gateway.
    slug: Option<String>,
}

// === from what was found to proposals ===

/// Makes one proposal for each server, named in a namespace. What leads to one of the addresses of this Portreeve is none.
pub fn proposals(all: &[Found], namespace: &str, origins: &[Url]) -> Proposals {
    let mut made = Proposals::default();
    let mut places: BTreeMap<Identity, usize> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (place, found) in all.iter().enumerate() {
        if found.leads_to(origins) {
            made.left_out
                .push((place, "it goes through this Portreeve already".to_owned()));
            continue;
        }
        let told = match found.launch.as_ref().map_err(|reason| *reason).and_then(told) {
            Ok(told) => told,
            Err(reason) => {
                made.left_out.push((place, reason.to_owned()));
                continue;
            }
        };
        let known = places.get(&told.identity).copied();
        if let Some(proposal) = known.and_then(|known| made.proposals.get_mut(known)) {
            proposal.take(place, told);
            continue;
        }
        match Proposal::new(place, told, (namespace, found.name()), &mut names) {
            Some(proposal) => {
                places.insert(proposal.identity.clone(), made.proposals.len());
                made.proposals.push(proposal);
            }
            None => made
                .left_out
                .push((place, "no name can be made of it".to_owned())),
        }
    }
    // Whatever one host holds back, a document that several hosts told of may not say.
    let launches = all.iter().filter_map(|found| found.launch.as_ref().ok());
    let secrets: Vec<Secret> = launches.flat_map(secrets).collect();
    let (clean, telling): (Vec<Proposal>, Vec<Proposal>) = std::mem::take(&mut made.proposals)
        .into_iter()
        .partition(|proposal| !proposal.tells(&secrets));
    made.proposals = clean;
    let reason = "a value of its headers or its environment stands in its name, its address or its arguments";
    let stopped = telling.into_iter().flat_map(|proposal| proposal.seen);
    made.left_out
        .extend(stopped.map(|place| (place, reason.to_owned())));
    made.left_out.sort();
    made
}

/// The values of headers and of the environment, without those that only name a place.
fn values(launch: &Launch) -> Vec<&str> {
    let pairs = match launch {
        Launch::Remote { headers, .. } => headers,
        Launch::Process { env, .. } => env,
    };
    let values = pairs.iter().map(|(_, value)| value.expose());
    values.filter(|value| !private::is_placeholder(value)).collect()
}

/// All of them, those that stand in the words of a command too, and each part behind a blank: `Bearer abc` is a secret
/// for its `abc`.
fn secrets(launch: &Launch) -> Vec<Secret> {
    let mut whole: Vec<Secret> = values(launch).into_iter().map(Secret::new).collect();
    if let Launch::Process { command, args, .. } = launch {
        let pairs = match run(command, args) {
            Ok(Run::Bridge { headers, .. }) => headers,
            Ok(Run::Package(package)) => package.variables,
            Err(_) => Vec::new(),
        };
        let told = pairs.into_iter().map(|(_, value)| value);
        whole.extend(told.filter(|value| !private::is_placeholder(value.expose())));
    }
    let parts = whole.iter().flat_map(|value| value.expose().split_whitespace());
    let parts: Vec<Secret> = parts.map(Secret::new).collect();
    whole.extend(parts);
    whole.retain(|value| value.expose().len() >= TELLING);
    whole
}

/// Whether what somebody else wrote in a document holds one of them. The words of the form itself are not looked at:
/// `server` may be a value, too.
fn tells(document: &Value, secrets: &[Secret]) -> bool {
    const OF_THE_FORM: [&str; 6] = [
        "$schema",
        "description",
        "type",
        "format",
        "registryType",
        "isRequired",
    ];
    let holds = |text: &str| secrets.iter().any(|secret| text.contains(secret.expose()));
    match document {
        Value::String(text) => holds(text),
        Value::Array(items) => items.iter().any(|item| tells(item, secrets)),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !OF_THE_FORM.contains(&name.as_str()))
            .any(|(name, value)| {
                (name.as_str() != "variables" && tells(value, secrets)) || in_variables(name, value, secrets)
            }),
        _ => false,
    }
}

fn in_variables(name: &str, value: &Value, secrets: &[Secret]) -> bool {
    let variables = value
        .as_object()
        .filter(|_| name == "variables")
        .into_iter()
        .flatten();
    variables
        .into_iter()
        .any(|(place, input)| tells(&Value::String(place.clone()), secrets) || tells(input, secrets))
}

fn told(launch: &Launch) -> Result<Told, &'static str> {
    let values = values(launch);
    match launch {
        Launch::Remote {
            transport,
            url,
            headers,
        } => remote(transport, url.expose(), headers, Values(&values)),
        Launch::Process { command, args, env } => match run(command, args)? {
            Run::Bridge { url, headers } => {
                remote("streamable-http", url.expose(), &headers, Values(&values))
            }
            Run::Package(package) => Ok(packaged(&package, env, &values)),
        },
    }
}

fn remote(
    transport: &str,
    url: &str,
    headers: &[(String, Secret)],
    values: Values<'_>,
) -> Result<Told, &'static str> {
    let parsed = Url::parse(url).map_err(|_| "its address is none")?;
    let Some(host) = parsed
        .host_str()
        .filter(|_| matches!(parsed.scheme(), "http" | "https"))
    else {
        return Err("its address is none of http or https");
    };
    let own: Vec<&str> = headers.iter().map(|(_, value)| value.expose()).collect();
    let all: Vec<&str> = own
        .iter()
        .chain(values.0)
        .copied()
        .filter(|value| !private::is_placeholder(value))
        .collect();
    let (address, places) = private::without_secrets(url, Values(&all));
    let mut item = json!({"type": transport, "url": address});
    let mut kept = Vec::new();
    let mut variables = Map::new();
    let mut headers = inputs(headers, "header", &mut kept);
    for place in places {
        if place == "userinfo" {
            kept.push("the user and the password in its address".to_owned());
            let is_there = headers
                .iter()
                .any(|header| header.get("name") == Some(&json!("Authorization")));
            if !is_there {
                let mut header = input(Stays::Secret, "The user and the password of the server");
                header["name"] = json!("Authorization");
                headers.push(header);
            }
            continue;
        }
        kept.push(format!("`{place}` in its address"));
        variables.insert(
            place.clone(),
            input(Stays::Secret, &format!("{place} in the address")),
        );
    }
    if !headers.is_empty() {
        item["headers"] = headers.into();
    }
    if !variables.is_empty() {
        item["variables"] = variables.into();
    }
    let is_local = match parsed.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    };
    Ok(Told {
        identity: Identity::endpoint(url),
        version: None,
        part: ("remotes", item),
        description: format!("The MCP server at {host}"),
        kept,
        is_local,
        slug: Slug::in_path(parsed.path())
            .filter(|slug| !slug.starts_with('/') && !Values(&all).stand_in(slug))
            .map(str::to_owned),
    })
}

fn packaged(package: &Package, env: &[(String, Secret)], values: &[&str]) -> Told {
    let handed = package.variables.iter().map(|(_, value)| value.expose());
    let all: Vec<&str> = values
        .iter()
        .copied()
        .chain(handed)
        .filter(|value| !private::is_placeholder(value))
        .collect();
    let values = Values(&all);
    let mut kept = Vec::new();
    let mut variables: Vec<(String, Secret)> = env.to_vec();
    for (name, value) in &package.variables {
        if !variables.iter().any(|(known, _)| known == name) {
            variables.push((name.clone(), value.clone()));
        }
    }
    let mut item = json!({
        "registryType": package.kind,
        "identifier": package.identifier,
        "transport": {"type": "stdio"},
    });
    if let Some(version) = &package.version {
        item["version"] = json!(version);
    }
    let environment = inputs(&variables, "variable", &mut kept);
    let before = arguments(&package.before, values);
    let after = arguments(&package.after, values);
    for (name, list) in [
        ("runtimeArguments", before.documents),
        ("packageArguments", after.documents),
        ("environmentVariables", environment),
    ] {
        if !list.is_empty() {
            item[name] = list.into();
        }
    }
    kept.extend(before.kept);
    kept.extend(after.kept);
    Told {
        identity: Identity::package(package.kind, &package.identifier),
        version: package.version.clone(),
        part: ("packages", item),
        description: format!("The package {} of {}", package.identifier, package.kind),
        kept,
        is_local: false,
        slug: None,
    }
}

/// Headers or variables as inputs that everybody fills in for themselves.
fn inputs(pairs: &[(String, Secret)], what: &str, kept: &mut Vec<String>) -> Vec<Value> {
    let mut inputs: Vec<Value> = Vec::new();
    for (name, value) in pairs {
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !is_name {
            kept.push(format!("a {what} whose name is none"));
            continue;
        }
        let is_secret =
            what == "header" || private::names_a_secret(name) || private::looks_secret(value.expose());
        let mut described = input(
            if is_secret { Stays::Secret } else { Stays::Own },
            &format!("The {what} {name}"),
        );
        described["name"] = json!(name);
        inputs.push(described);
        if !private::is_placeholder(value.expose()) {
            kept.push(format!("the value of the {what} `{name}`"));
        }
    }
    inputs
}

// === impl Proposal ===

impl Proposal {
    fn new(
        place: usize,
        told: Told,
        (namespace, given): (&str, &str),
        names: &mut BTreeSet<String>,
    ) -> Option<Self> {
        let name = name(namespace, given, &told.identity, names)?;
        // In small letters a credential may look like any other word.
        let is_askable = !private::looks_secret(given) && !private::looks_secret(&name);
        let own = short(&name).filter(|_| is_askable);
        let mut words = vec![told.identity.word()];
        words.extend(told.slug.into_iter().chain(own));
        words.retain(|word| !word.is_empty() && !private::looks_secret(word));
        words.dedup();
        let is_version = |version: &String| version.parse::<VersionText>().is_ok();
        let version = told
            .version
            .filter(is_version)
            .unwrap_or_else(|| FIRST_VERSION.to_owned());
        let (part, item) = told.part;
        let description: String = told.description.chars().take(100).collect();
        let document = json!({
            "$schema": SCHEMA,
            "name": name,
            "description": description,
            "version": version,
            part: [item],
        });
        Some(Self {
            identity: told.identity,
            document,
            kept: told.kept,
            notes: Vec::new(),
            seen: vec![place],
            is_local: told.is_local,
            words,
            is_askable,
        })
    }

    /// Words by which a registry may be asked for it. One that may be a credential is none of them.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Its name, where a registry may be asked for that.
    pub fn askable_name(&self) -> Option<&str> {
        Some(self.name()).filter(|_| self.is_askable)
    }

    /// The name that it would be registered under.
    pub fn name(&self) -> &str {
        self.document
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether it says one of these, in its name as names are written too.
    fn tells(&self, secrets: &[Secret]) -> bool {
        let in_name = |secret: &Secret| {
            let word = short(secret.expose()).filter(|word| word.len() >= TELLING);
            word.is_some_and(|word| self.name().contains(&word))
        };
        secrets.iter().any(in_name) || tells(&self.document, secrets)
    }

    /// Another host's word of the same server: what must be asked for is asked for by either.
    fn take(&mut self, place: usize, told: Told) {
        self.seen.push(place);
        let (part, item) = told.part;
        for kept in told.kept {
            if !self.kept.contains(&kept) {
                self.kept.push(kept);
            }
        }
        let Some(known) = self.document.pointer_mut(&format!("/{part}/0")) else {
            return;
        };
        for list in ["headers", "environmentVariables"] {
            let more = item
                .get(list)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            for one in more {
                let name = one.get("name").cloned();
                let all = known
                    .as_object_mut()
                    .map(|known| known.entry(list).or_insert_with(|| json!([])));
                let Some(all) = all.and_then(Value::as_array_mut) else {
                    continue;
                };
                if !all.iter().any(|known| known.get("name").cloned() == name) {
                    all.push(one);
                }
            }
        }
        let differs = [
            "version",
            "packageArguments",
            "runtimeArguments",
            "url",
            "type",
            "identifier",
        ]
        .iter()
        .any(|member| known.get(*member) != item.get(*member));
        if differs {
            self.notes.push(
                "its hosts differ in version, address or arguments; the first one's are told".to_owned(),
            );
            self.notes.dedup();
        }
    }
}

/// A name in the namespace that no other one has.
fn name(namespace: &str, given: &str, identity: &Identity, names: &mut BTreeSet<String>) -> Option<String> {
    let base = short(given).or_else(|| short(&identity.word()))?;
    let mut name = format!("{namespace}/{base}");
    let mut number = 2;
    while names.contains(&name) {
        name = format!("{namespace}/{base}-{number}");
        number += 1;
    }
    name.parse::<ServerName>().ok()?;
    names.insert(name.clone());
    Some(name)
}

fn short(given: &str) -> Option<String> {
    // A name such as `com.acme/billing` or `user/tool` is its last part.
    let last = Path::new(given)
        .file_name()?
        .to_string_lossy()
        .to_ascii_lowercase();
    let word: String = last
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .take(LONGEST_NAME)
        .collect();
    let word = word.trim_matches(['.', '_', '-']);
    (!word.is_empty()).then(|| word.to_owned())
}
