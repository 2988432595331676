//! The commands of `portreeve partner` that a running Portreeve answers: what is listed, where the catalogue stands; register,
//! update, delist, revoke.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::super::connection::{Connection, api_path, segment};
use super::super::reply::{Column, cut, items, joined, pairs, table, text, when};
use super::super::{Failure, Reply};

/// What a running Portreeve answers.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Find partners' servers in a running Portreeve
    Find(FindArgs),
    /// Show a partner's servers, with what is to be filled in
    Show {
        /// The partner, or PARTNER/SERVER
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Say where the partner catalogue of a running Portreeve stands
    Status,
    /// Have a running Portreeve ask for a newer catalogue now
    Pull,
    /// Register a partner's server: its entry, its environment, its route
    Register(RegisterArgs),
    /// Show what an update would change; nothing changes
    Changes {
        /// The partner, or PARTNER/SERVER
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Take in what the catalogue changed, as a new version
    Update(RegisterArgs),
    /// Hide a partner, or one of its servers, from who does not have it
    Delist(WithdrawArgs),
    /// Close a partner, or one of its servers, to everybody: calls are refused with the reason
    Revoke(WithdrawArgs),
    /// Take back that it was delisted or revoked here
    Reinstate {
        /// The partner, or PARTNER/SERVER
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// What is looked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct FindArgs {
    /// Words that stand in its names, texts or tags
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    /// Only of this category, as "Developer Tools"
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,
    /// Only of this tier or better
    #[arg(long, value_parser = ["unverified", "domain-verified", "verified", "official"])]
    tier: Option<String>,
    /// Only what is registered here
    #[arg(long)]
    registered: bool,
}

/// How a server is registered or updated.
#[derive(Debug, Clone, Args)]
pub(crate) struct RegisterArgs {
    /// The partner, or PARTNER/SERVER
    #[arg(value_name = "NAME")]
    name: String,
    /// Fill in a variable of its address
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Approve it at once, if you may
    #[arg(long)]
    approve: bool,
    /// Grant its private hosts, if you may
    #[arg(long)]
    internal: bool,
    /// The environment in which it runs [default: production]
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Option<String>,
}

/// What is withdrawn, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct WithdrawArgs {
    /// The partner, or PARTNER/SERVER
    #[arg(value_name = "NAME")]
    name: String,
    /// Why, in one line; whoever calls what is revoked reads it
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

pub(super) async fn run(connection: &Connection, command: RegistryCommand) -> Result<Reply, Failure> {
    match command {
        RegistryCommand::Find(args) => {
            let body = connection.all(&args.path()).await?;
            let shown = table(&body, COLUMNS, "No partner's server is so.");
            Ok(Reply::new(body, shown))
        }
        RegistryCommand::Show { name } => show(connection, &name).await,
        RegistryCommand::Status => {
            let body = connection.get(&api_path!("partner-catalogue")).await?.body;
            Ok(standing(body))
        }
        RegistryCommand::Pull => {
            let path = api_path!("partner-catalogue/pull");
            let body = connection.post(&path, &json!({})).await?.body;
            let code = body["lastPull"]["code"].as_str().unwrap_or_default();
            let is_bad = !matches!(code, "taken" | "unchanged");
            Ok(standing(body).bad_if(is_bad))
        }
        RegistryCommand::Register(args) => made(connection, &args, "register").await,
        RegistryCommand::Update(args) => made(connection, &args, "update").await,
        RegistryCommand::Changes { name } => {
            let (partner, server) = place(connection, &name).await?;
            let path = api_path!("partners/{}/servers/{}/update", partner, server);
            let body = connection.get(&path).await?.body;
            let shown = changes(&body);
            Ok(Reply::new(body, shown))
        }
        RegistryCommand::Delist(args) => set_state(connection, &args.name, ("delisted", &args.reason)).await,
        RegistryCommand::Revoke(args) => set_state(connection, &args.name, ("revoked", &args.reason)).await,
        RegistryCommand::Reinstate { name } => set_state(connection, &name, ("listed", "")).await,
    }
}

const COLUMNS: &[Column] = &[
    ("SERVER", |one| text(one, "name")),
    ("TITLE", |one| cut(&text(one, "title"), 30)),
    ("TIER", |one| text(one, "tier")),
    ("STATE", state),
    ("HERE", here),
];

impl FindArgs {
    fn path(&self) -> String {
        let mut path = format!("{}?", api_path!("partners"));
        let mut put = |name: &str, value: &str| {
            // Writing into a string cannot fail.
            let _ = write!(path, "{name}={}&", segment(value));
        };
        if !self.words.is_empty() {
            put("search", &self.words.join(" "));
        }
        if let Some(category) = &self.category {
            put("category", category);
        }
        if let Some(tier) = &self.tier {
            put("tier", tier);
        }
        if self.registered {
            put("registered", "true");
        }
        path.pop();
        path
    }
}

/// A partner and one of its servers; a partner that has only one server need not say which.
async fn place(connection: &Connection, name: &str) -> Result<(String, String), Failure> {
    if let Some((partner, server)) = name.split_once('/') {
        return Ok((partner.to_owned(), server.to_owned()));
    }
    let body = connection.all(&api_path!("partners/{}", name)).await?;
    match items(&body) {
        [one] => Ok((name.to_owned(), text(one, "server"))),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|one| format!("`{}`", text(one, "name")))
                .collect();
            Err(
                Failure::new(format!("partner `{name}` has {} servers", names.len()))
                    .hint(format!("name one of them: {}", names.join(", "))),
            )
        }
    }
}

async fn show(connection: &Connection, name: &str) -> Result<Reply, Failure> {
    let partner = name.split('/').next().unwrap_or(name);
    let mut body = connection.all(&api_path!("partners/{}", partner)).await?;
    if name.contains('/')
        && let Some(all) = body.get_mut("items").and_then(Value::as_array_mut)
    {
        all.retain(|one| one["name"] == name);
        if all.is_empty() {
            return Err(Failure::new(format!(
                "partner `{partner}` has no server `{name}`"
            )));
        }
    }
    let shown: Vec<String> = items(&body).iter().map(one).collect();
    Ok(Reply::new(body.clone(), shown.join("\n\n")))
}

async fn made(connection: &Connection, args: &RegisterArgs, step: &str) -> Result<Reply, Failure> {
    let (partner, server) = place(connection, &args.name).await?;
    let variables: Map<String, Value> = args
        .set
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let mut request = json!({"variables": variables, "approve": args.approve, "internal": args.internal});
    if let Some(environment) = &args.environment {
        request["environment"] = json!(environment);
    }
    let path = match step {
        "register" => api_path!("partners/{}/servers/{}/register", partner, server),
        _ => api_path!("partners/{}/servers/{}/update", partner, server),
    };
    let body = connection.post(&path, &request).await?.body;
    let (outcome, listing) = (&body["outcome"], &body["listing"]);
    let version = &outcome["version"];
    let mut shown = pairs(&[
        ("entry", text(outcome, "name")),
        (
            "version",
            format!("{} ({})", text(version, "version"), text(version, "approval")),
        ),
        ("tier", text(listing, "tier")),
    ]);
    match outcome["route"]["url"].as_str() {
        Some(url) => {
            let _ = write!(shown, "\nIt is served at {url}");
        }
        None => shown.push_str("\nIt waits for an approval: `portreeve server approve`"),
    }
    Ok(Reply::new(body, shown))
}

async fn set_state(
    connection: &Connection,
    name: &str,
    (state, reason): (&str, &str),
) -> Result<Reply, Failure> {
    let (partner, server) = match name.split_once('/') {
        Some((partner, server)) => (partner, Some(server)),
        None => (name, None),
    };
    let request = json!({"state": state, "server": server, "reason": reason});
    let path = api_path!("partners/{}/state", partner);
    connection.put(&path, &request, None).await?;
    let shown = match state {
        "revoked" => format!("{name} is revoked: calls are refused from now on."),
        "delisted" => format!("{name} is delisted: who has it keeps it."),
        _ => format!("{name} is not withdrawn here any more."),
    };
    Ok(Reply::new(json!({"name": name, "state": state}), shown))
}

fn state(one: &Value) -> String {
    let state = text(one, "state");
    if state != "listed" {
        return state;
    }
    match one["health"]["state"].as_str() {
        Some("failing") => format!("failing since {}", when(&one["health"], "since")),
        Some("tools-changed") => "tools changed".to_owned(),
        _ if one["verdictExpired"] == true => "verdict expired".to_owned(),
        _ => String::new(),
    }
}

fn here(one: &Value) -> String {
    let Some(entry) = one.get("registered") else {
        return String::new();
    };
    let mut words = text(entry, "version");
    if entry["updateAvailable"] == true {
        words.push_str(", update available");
    }
    if entry["catalogueTrusted"] == false {
        words.push_str(", came from a catalogue that is no longer trusted");
    }
    words
}

fn one(item: &Value) -> String {
    let mut rows = vec![
        ("server", text(item, "name")),
        ("entry", text(item, "entry")),
        ("title", text(item, "title")),
        ("partner", text(item, "partnerTitle")),
        ("summary", text(item, "summary")),
        ("categories", joined(item, "categories")),
        ("tier", text(item, "tier")),
        ("until", when(item, "tierExpiresAt")),
        ("state", state(item)),
        ("reason", text(item, "reason")),
        ("here", here(item)),
    ];
    let variables = item["variables"].as_array().into_iter().flatten();
    let variables: Vec<String> = variables
        .map(|one| {
            let what = match one["required"] == true {
                true => text(one, "description"),
                false => format!("{} [default: {}]", text(one, "description"), text(one, "default")),
            };
            format!("{} ({})", text(one, "name"), what.trim())
        })
        .collect();
    rows.push(("fill in", variables.join(", ")));
    rows.retain(|(_, value)| !value.is_empty());
    pairs(&rows)
}

fn standing(body: Value) -> Reply {
    let last = &body["lastPull"];
    let mut rows = vec![
        ("carried", text(&body, "carried")),
        ("pulled from", text(&body, "url")),
        ("version", text(&body, "version")),
        ("good until", when(&body, "expiresAt")),
        ("pulled", when(&body, "pulledAt")),
        (
            "last pull",
            format!(
                "{} {} {}",
                when(last, "at"),
                text(last, "code"),
                text(last, "message")
            ),
        ),
        ("problem", text(&body, "problem")),
        (
            "dropped",
            format!(
                "{} {}",
                when(&body["dropped"], "at"),
                text(&body["dropped"], "message")
            ),
        ),
        ("servers", text(&body, "servers")),
        ("registered", text(&body, "registered")),
        ("failing", text(&body, "failing")),
        ("tools changed", text(&body, "toolsChanged")),
        ("no longer trusted", text(&body, "distrusted")),
        ("revoked", text(&body, "revoked")),
    ];
    rows.retain(|(_, value)| !value.trim().is_empty());
    let shown = pairs(&rows);
    Reply::new(body, shown)
}

fn changes(body: &Value) -> String {
    let mut shown = format!(
        "{}: {} becomes {} (catalogue {} to {})",
        text(body, "name"),
        text(body, "from"),
        text(body, "to"),
        text(body, "fromCatalogue"),
        text(body, "toCatalogue"),
    );
    for change in body["changes"].as_array().into_iter().flatten() {
        let side = |name: &str| change[name].as_str().unwrap_or("nothing").to_owned();
        let _ = write!(
            shown,
            "\n  {}: {} becomes {}",
            text(change, "path"),
            side("before"),
            side("after")
        );
    }
    let missing = joined(body, "missing");
    if !missing.is_empty() {
        let _ = write!(shown, "\nTo be filled in: {missing}");
    }
    shown
}
