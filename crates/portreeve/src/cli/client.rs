//! `portreeve client`: OAuth clients, those that registered themselves among them.

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::{Connection, api_path};
use super::document;
use super::reply::{table, text, when};
use super::{Failure, Reply};

/// `portreeve client`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ClientCommand {
    /// Enter an OAuth client, and show its secret this once
    ///
    /// With a redirect it asks people; without one it acts for itself, and has the rights that it is granted.
    Create {
        /// What people know it by; it is shown when they are asked
        name: String,
        /// Its `client_id` [default: made by Portreeve]
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// Where codes may be sent; may be given several times
        #[arg(long, value_name = "URL")]
        redirect: Vec<String>,
        /// How it authenticates: none, client_secret_basic, client_secret_post, private_key_jwt [default: private_key_jwt
        /// with keys, client_secret_basic without]
        #[arg(long, value_name = "METHOD")]
        auth: Option<String>,
        /// What it may hand in, as in `client_credentials`; may be given several times
        #[arg(long, value_name = "GRANT")]
        grant: Vec<String>,
        /// A file with its public keys (a JWK set)
        #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
        jwks: Option<std::path::PathBuf>,
        /// Where its public keys are
        #[arg(long, value_name = "URL")]
        jwks_uri: Option<String>,
    },
    /// List the OAuth clients
    List,
    /// Show one OAuth client
    Show {
        /// Its `client_id`
        client: String,
    },
    /// Remove an OAuth client: everything that it was allowed ends at once
    Delete {
        /// Its `client_id`
        client: String,
    },
    /// List the OAuth clients that you allowed something
    Mine,
    /// Take back what you allowed an OAuth client: its tokens for you die at once
    Forget {
        /// Its `client_id`, or its name, if you allowed no other of that name anything
        client: String,
    },
}

pub(super) async fn run(connection: &Connection, command: ClientCommand) -> Result<Reply, Failure> {
    match command {
        ClientCommand::Create {
            name,
            id,
            redirect,
            auth,
            grant,
            jwks,
            jwks_uri,
        } => {
            let mut request = json!({
                "name": name, "redirectUris": redirect, "auth": auth, "grants": grant,
            });
            let jwks = jwks.as_deref().map(document::from_file).transpose()?;
            let fields = [
                ("clientId", id.map(Value::from)),
                ("jwks", jwks),
                ("jwksUri", jwks_uri.map(Value::from)),
            ];
            if let Some(request) = request.as_object_mut() {
                let given = fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)));
                request.extend(given.map(|(name, value)| (name.to_owned(), value)));
            }
            let body = connection.post(&api_path!("clients"), &request).await?.body;
            let shown = created(&body);
            Ok(Reply::new(body, shown))
        }
        ClientCommand::List => {
            let body = connection.all(&api_path!("clients")).await?;
            let shown = render(&body);
            Ok(Reply::new(body, shown))
        }
        ClientCommand::Show { client } => {
            let body = connection.get(&api_path!("clients/{}", client)).await?.body;
            let shown = one(&body);
            Ok(Reply::new(body, shown))
        }
        ClientCommand::Mine => {
            let body = connection.get(&api_path!("me/clients")).await?.body;
            let shown = mine(&body);
            Ok(Reply::new(body, shown))
        }
        ClientCommand::Forget { client } => forget(connection, &client).await,
        ClientCommand::Delete { client } => {
            let body = connection.delete(&api_path!("clients/{}", client)).await?.body;
            Ok(Reply::new(
                body,
                format!("Client `{client}` is removed. Nothing that it was allowed works any more."),
            ))
        }
    }
}

async fn forget(connection: &Connection, client: &str) -> Result<Reply, Failure> {
    let mine = connection.get(&api_path!("me/clients")).await?.body;
    let mine = mine.get("items").and_then(Value::as_array).cloned();
    let mine = mine.unwrap_or_default();
    let named = |field: &str| {
        let found = mine.iter().filter(|one| text(one, field) == client);
        found.map(|one| text(one, "clientId")).collect::<Vec<_>>()
    };
    let id = match (named("clientId").as_slice(), named("name").as_slice()) {
        ([id], _) | ([], [id]) => id.clone(),
        ([], []) => client.to_owned(),
        _ => {
            return Err(
                Failure::new(format!("you allowed several clients named `{client}` something"))
                    .hint("name one by its CLIENT_ID: `portreeve client mine`"),
            );
        }
    };
    let body = connection.delete(&api_path!("me/clients/{}", id)).await?.body;
    let said = format!("Client `{client}` may do nothing in your name any more.");
    Ok(Reply::new(body, said))
}

fn mine(body: &Value) -> String {
    table(
        body,
        &[
            ("NAME", |client| text(client, "name")),
            ("MAY", |client| {
                let there = client.get("allowed").and_then(Value::as_array);
                let scopes = there.into_iter().flatten().map(|one| text(one, "scopes"));
                scopes.collect::<Vec<_>>().join(" ")
            }),
            ("USED", |client| when(client, "usedAt")),
            ("CLIENT_ID", |client| text(client, "clientId")),
        ],
        "You allowed no OAuth client anything.",
    )
}

pub(super) fn created(body: &Value) -> String {
    let (id, secret) = (text(body, "clientId"), text(body, "clientSecret"));
    let mut shown = format!("client_id      {id}");
    if !secret.is_empty() {
        shown.push_str(&format!(
            "\nclient_secret  {secret}\n\nKeep the secret now: it is not shown again."
        ));
    }
    shown
}

fn one(body: &Value) -> String {
    let list = |name: &str| {
        let items = body.get(name).and_then(Value::as_array);
        let items = items.into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join("\n               ")
    };
    format!(
        "client_id      {}\nname           {}\nkind           {}\nauth           {}\nredirects      {}\ngrants         {}\nused           {}",
        text(body, "clientId"),
        text(body, "name"),
        text(body, "kind"),
        text(body, "auth"),
        list("redirectUris"),
        list("grants"),
        when(body, "usedAt"),
    )
}

pub(super) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("NAME", |client| text(client, "name")),
            ("KIND", |client| text(client, "kind")),
            ("AUTH", |client| text(client, "auth")),
            ("USED", |client| when(client, "usedAt")),
            ("CREATED", |client| when(client, "createdAt")),
            ("CLIENT_ID", |client| text(client, "clientId")),
        ],
        "No OAuth clients. They register themselves, or are entered: portreeve client create NAME.",
    )
}
