//! `portreeve webhook`: who is told of changes, and what became of telling them.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::connection::{Connection, api_path};
use super::reply::{count, cut, joined, pairs, table, text, when};
use super::route::Switch;
use super::{Failure, Reply};

/// How long `webhook test` waits for what comes of the ping, and how often it looks.
const PATIENCE: u32 = 80;
const LOOK: Duration = Duration::from_millis(250);

/// `portreeve webhook`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum WebhookCommand {
    /// List the webhooks
    List,
    /// Show a webhook
    Show {
        /// Its name
        name: String,
    },
    /// Make a webhook: it is told of every change from now on, unless told otherwise
    Create {
        /// Its name: 1 to 40 lower-case letters, digits and `-`; never changes
        name: String,
        /// Where events are sent
        #[arg(long, value_name = "URL")]
        to: String,
        /// The secret that signs, by its name in the vault
        #[arg(long, value_name = "NAME")]
        secret: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a webhook; a list that is given takes the place of the whole list
    Edit {
        /// Its name
        name: String,
        /// Where events are sent
        #[arg(long, value_name = "URL")]
        to: Option<String>,
        /// The secret that signs; the one before it signs as well until `--forget-former`
        #[arg(long, value_name = "NAME")]
        secret: Option<String>,
        /// The former secret signs no more
        #[arg(long, conflicts_with = "secret")]
        forget_former: bool,
        /// About every server again
        #[arg(long, conflicts_with = "server")]
        every_server: bool,
        #[command(flatten)]
        fields: Fields,
    },
    /// Delete a webhook, with everything that waits for it
    Delete {
        /// Its name
        name: String,
    },
    /// Send a ping, and say what came of it
    Test {
        /// Its name
        name: String,
    },
    /// What became of telling.
    #[command(flatten)]
    Told(ToldCommand),
    /// List the kinds of events
    Events,
}

/// What became of telling.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ToldCommand {
    /// List the deliveries of a webhook, newest first
    Deliveries {
        /// Its name
        name: String,
        /// Only those in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show a delivery, with what is sent
    Delivery {
        /// The webhook's name
        name: String,
        /// The event's identity
        event: String,
    },
    /// Send an event again from the first attempt on, or every dead one
    SendAgain {
        /// The webhook's name
        name: String,
        /// The event's identity [default: every dead one]
        event: Option<String>,
    },
    /// Drop a delivery: it is not sent any more
    Drop {
        /// The webhook's name
        name: String,
        /// The event's identity
        event: String,
    },
}

/// What can be said about a webhook.
#[derive(Debug, Clone, Args)]
pub(crate) struct Fields {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A kind of event, as in `server.approved`, or a group, as in `server.*`; may be given several times
    #[arg(long, value_name = "KIND")]
    event: Vec<String>,
    /// Only about these servers: `com.acme/billing`, `com.acme/*` or `com.acme.*`; may be given several times
    #[arg(long, value_name = "PATTERN")]
    server: Vec<String>,
    /// Whether events are sent
    #[arg(long, value_enum)]
    enabled: Option<Switch>,
    /// Grant the host of the URL where it is a private one
    #[arg(long)]
    internal: bool,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Waiting,
    Delivered,
    Dead,
}

pub(super) async fn run(connection: &Connection, command: WebhookCommand) -> Result<Reply, Failure> {
    match command {
        WebhookCommand::List => {
            let body = connection.all(&api_path!("webhooks")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        WebhookCommand::Show { name } => Ok(one(connection.get(&api_path!("webhooks/{}", name)).await?.body)),
        WebhookCommand::Create {
            name,
            to,
            secret,
            fields,
        } => {
            let mut request = fields.request();
            request.insert("name".to_owned(), json!(name));
            request.insert("url".to_owned(), json!(to));
            request.insert("secret".to_owned(), json!(reference(&secret)));
            let made = connection.post(&api_path!("webhooks"), &request.into()).await?;
            Ok(one(made.body))
        }
        WebhookCommand::Edit {
            name,
            to,
            secret,
            forget_former,
            every_server,
            fields,
        } => {
            let path = api_path!("webhooks/{}", name);
            let now = connection.get(&path).await?;
            let mut request = fields.request();
            if let Some(to) = to {
                request.insert("url".to_owned(), json!(to));
            }
            if let Some(secret) = secret.map(|secret| reference(&secret)) {
                let former = text(&now.body, "secret");
                if former != secret {
                    request.insert("formerSecret".to_owned(), json!(former));
                }
                request.insert("secret".to_owned(), json!(secret));
            }
            if forget_former {
                request.insert("formerSecret".to_owned(), Value::Null);
            }
            if every_server {
                request.insert("servers".to_owned(), json!([]));
            }
            let etag = now.etag.unwrap_or_default();
            Ok(one(connection.patch(&path, &request.into(), &etag).await?.body))
        }
        WebhookCommand::Delete { name } => {
            connection.delete(&api_path!("webhooks/{}", name)).await?;
            let shown = format!("Webhook {name} is deleted.");
            Ok(Reply::new(json!({ "name": name }), shown))
        }
        WebhookCommand::Test { name } => test(connection, &name).await,
        WebhookCommand::Events => {
            let body = connection.all(&api_path!("webhook-events")).await?;
            let columns: [super::reply::Column; 2] = [
                ("KIND", |kind| text(kind, "name")),
                ("MEANING", |kind| text(kind, "meaning")),
            ];
            let shown = table(&body, &columns, "No kinds.");
            Ok(Reply::new(body, shown))
        }
        WebhookCommand::Told(command) => told(connection, command).await,
    }
}

/// What concerns single deliveries.
async fn told(connection: &Connection, command: ToldCommand) -> Result<Reply, Failure> {
    match command {
        ToldCommand::Deliveries { name, state, limit } => {
            let mut path = format!("{}?limit={limit}", api_path!("webhooks/{}/deliveries", name));
            if let Some(state) = state {
                let word = match state {
                    State::Waiting => "waiting",
                    State::Delivered => "delivered",
                    State::Dead => "dead",
                };
                path.push_str(&format!("&state={word}"));
            }
            let body = connection.get(&path).await?.body;
            let shown = render_deliveries(&body);
            Ok(Reply::new(body, shown))
        }
        ToldCommand::Delivery { name, event } => {
            let path = api_path!("webhooks/{}/deliveries/{}", name, event);
            let body = connection.get(&path).await?.body;
            let shown = render_delivery(&body);
            Ok(Reply::new(body, shown))
        }
        ToldCommand::SendAgain { name, event } => {
            let path = match &event {
                Some(event) => api_path!("webhooks/{}/deliveries/{}/send-again", name, event),
                None => api_path!("webhooks/{}/send-again", name),
            };
            let body = connection.post(&path, &json!({})).await?.body;
            let number = body.get("count").and_then(Value::as_u64).unwrap_or_default();
            let shown = format!("Sending {} again.", count(number, "event"));
            Ok(Reply::new(body, shown))
        }
        ToldCommand::Drop { name, event } => {
            let path = api_path!("webhooks/{}/deliveries/{}", name, event);
            connection.delete(&path).await?;
            let shown = format!("Event {event} is not sent to {name} any more.");
            Ok(Reply::new(json!({ "name": event }), shown))
        }
    }
}

async fn test(connection: &Connection, name: &str) -> Result<Reply, Failure> {
    let path = api_path!("webhooks/{}/test", name);
    let sent = connection.post(&path, &json!({})).await?.body;
    let event = text(&sent, "name");
    let path = api_path!("webhooks/{}/deliveries/{}", name, event);
    for _ in 0..PATIENCE {
        let body = connection.get(&path).await?.body;
        let is_tried = body.get("attempts").and_then(Value::as_u64).unwrap_or_default() > 0;
        if is_tried {
            let is_delivered = text(&body, "state") == "delivered";
            let shown = if is_delivered {
                format!("The receiver answered {}.", text(&body, "lastStatus"))
            } else {
                format!("The ping was not taken: {}.", text(&body, "lastError"))
            };
            return Ok(Reply::new(body, shown).bad_if(!is_delivered));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::new(format!(
        "nothing was heard of the ping `{event}` within 20 seconds"
    ))
    .hint("the webhook may rest after a failure; `portreeve webhook deliveries NAME` shows what waits"))
}

fn reference(secret: &str) -> String {
    if secret.starts_with("secret:") {
        secret.to_owned()
    } else {
        format!("secret:{secret}")
    }
}

impl Fields {
    fn request(&self) -> Map<String, Value> {
        let mut request = Map::new();
        if let Some(text) = &self.description {
            request.insert("description".to_owned(), json!(text));
        }
        for (name, list) in [("events", &self.event), ("servers", &self.server)] {
            if !list.is_empty() {
                request.insert(name.to_owned(), json!(list));
            }
        }
        if let Some(switch) = self.enabled {
            request.insert("enabled".to_owned(), json!(matches!(switch, Switch::On)));
        }
        if self.internal {
            request.insert("internal".to_owned(), json!(true));
        }
        request
    }
}

fn one(body: Value) -> Reply {
    let shown = render_one(&body);
    Reply::new(body, shown)
}

fn is_on(webhook: &Value) -> String {
    match webhook.get("enabled") {
        Some(Value::Bool(true)) => "on".to_owned(),
        _ if webhook.get("stoppedBecause").is_some() => "stopped".to_owned(),
        _ => "off".to_owned(),
    }
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("WEBHOOK", |one| text(one, "name")),
            ("STATE", is_on),
            ("EVENTS", |one| cut(&joined(one, "events"), 40)),
            ("URL", |one| cut(&text(one, "url"), 60)),
        ],
        "No webhooks. Make one with `portreeve webhook create NAME --to URL --secret NAME`.",
    )
}

pub(super) fn render_one(body: &Value) -> String {
    pairs(&[
        ("webhook", text(body, "name")),
        ("url", text(body, "url")),
        ("state", is_on(body)),
        ("stopped because", text(body, "stoppedBecause")),
        ("description", text(body, "description")),
        ("events", joined(body, "events")),
        ("servers", joined(body, "servers")),
        ("secret", text(body, "secret")),
        ("former secret", text(body, "formerSecret")),
        ("private hosts", joined(body, "privateHosts")),
        ("acts for", text(body, "updatedBy")),
        ("updated", when(body, "updatedAt")),
    ])
}

pub(super) fn render_deliveries(body: &Value) -> String {
    table(
        body,
        &[
            ("EVENT", |one| text(one, "name")),
            ("KIND", |one| text(one, "type")),
            ("SERVER", |one| text(one, "server")),
            ("STATE", |one| text(one, "state")),
            ("TRIED", |one| text(one, "attempts")),
            ("SAID", |one| cut(&said(one), 60)),
        ],
        "No deliveries.",
    )
}

/// What was heard last.
fn said(one: &Value) -> String {
    match text(one, "lastError") {
        error if error.is_empty() => text(one, "lastStatus"),
        error => error,
    }
}

pub(super) fn render_delivery(body: &Value) -> String {
    let facts = pairs(&[
        ("event", text(body, "name")),
        ("kind", text(body, "type")),
        ("happened", when(body, "at")),
        ("state", text(body, "state")),
        ("tried", text(body, "attempts")),
        ("tried last", when(body, "lastAt")),
        ("tried next", when(body, "nextAt")),
        ("answered", text(body, "lastStatus")),
        ("failed because", text(body, "lastError")),
    ]);
    format!("{facts}\n\n{}", text(body, "body"))
}
