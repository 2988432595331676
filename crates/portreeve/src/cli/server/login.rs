//! `portreeve server login`, `logins` and `logout`: how Portreeve logs in at a protected server when it looks at its tools.

use clap::Args;
use serde_json::{Value, json};

use super::super::connection::{Connection, api_path};
use super::super::reply::{table, text, when};
use super::super::{Failure, Reply};

/// `portreeve server login`
#[derive(Debug, Clone, Args)]
pub(crate) struct LoginArgs {
    /// The server's name
    name: String,
    #[command(flatten)]
    form: LoginForm,
    /// The URL that the secret is shown to [default: that of the newest version]
    #[arg(long, value_name = "URL")]
    at: Option<String>,
}

/// How to log in: exactly one of three.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct LoginForm {
    /// Show this secret of the vault as a bearer token
    #[arg(long, value_name = "SECRET")]
    pub(crate) bearer: Option<String>,
    /// Show it in a header of its own, as in `X-Api-Key=SECRET`
    #[arg(long, value_name = "HEADER=SECRET")]
    pub(crate) header: Option<String>,
    /// Show it as the password of a user, as in `ada=SECRET`
    #[arg(long, value_name = "USER=SECRET")]
    pub(crate) basic: Option<String>,
}

/// `portreeve server logout`
#[derive(Debug, Clone, Args)]
pub(crate) struct LogoutArgs {
    /// The server's name
    name: String,
    /// The URL that the login was for [default: that of the newest version]
    #[arg(long, value_name = "URL")]
    at: Option<String>,
}

impl LoginForm {
    /// The login as the API takes it; none when none was typed.
    pub(crate) fn login(&self) -> Result<Option<Value>, Failure> {
        let pair = |text: &str| {
            let (name, secret) = text
                .split_once('=')
                .ok_or_else(|| Failure::new(format!("`{text}` is not `NAME=SECRET`")))?;
            Ok::<_, Failure>((name.to_owned(), reference(secret)))
        };
        if let Some(secret) = &self.bearer {
            return Ok(Some(json!({"scheme": "bearer", "secret": reference(secret)})));
        }
        if let Some(text) = &self.header {
            let (header, secret) = pair(text)?;
            return Ok(Some(
                json!({"scheme": "header", "header": header, "secret": secret}),
            ));
        }
        if let Some(text) = &self.basic {
            let (user, secret) = pair(text)?;
            return Ok(Some(json!({"scheme": "basic", "user": user, "secret": secret})));
        }
        Ok(None)
    }
}

fn reference(secret: &str) -> String {
    if secret.starts_with("secret:") {
        secret.to_owned()
    } else {
        format!("secret:{secret}")
    }
}

pub(super) async fn login(connection: &Connection, args: LoginArgs) -> Result<Reply, Failure> {
    let Some(login) = args.form.login()? else {
        return Err(Failure::new("how to log in is not said")
            .hint("give one of `--bearer SECRET`, `--header HEADER=SECRET` and `--basic USER=SECRET`"));
    };
    let mut request = json!({ "login": login });
    if let (Some(url), Some(request)) = (args.at, request.as_object_mut()) {
        request.insert("url".to_owned(), Value::from(url));
    }
    let path = api_path!("servers/{}/logins", args.name);
    let body = connection.put(&path, &request, None).await?.body;
    let shown = format!("Portreeve logs in at {}.", text(&body, "name"));
    Ok(Reply::new(body, shown))
}

pub(super) async fn logins(connection: &Connection, name: &str) -> Result<Reply, Failure> {
    let body = connection.all(&api_path!("servers/{}/logins", name)).await?;
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

pub(super) async fn logout(connection: &Connection, args: LogoutArgs) -> Result<Reply, Failure> {
    let mut path = api_path!("servers/{}/logins", args.name);
    if let Some(url) = &args.at {
        let query: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
        path.push_str(&format!("?url={query}"));
    }
    connection.delete(&path).await?;
    let shown = format!("Portreeve does not log in at {} any more.", args.name);
    Ok(Reply::new(json!({ "name": args.name }), shown))
}

pub(crate) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("URL", |one| text(one, "name")),
            ("BY", how),
            ("SET BY", |one| text(one, "setBy")),
            ("SET", |one| when(one, "setAt")),
        ],
        "Portreeve does not log in at this server.",
    )
}

fn how(one: &Value) -> String {
    let Some(login) = one.get("login") else {
        return String::new();
    };
    let secret = text(login, "secret");
    match text(login, "scheme").as_str() {
        "header" => format!("{} in `{}`", secret, text(login, "header")),
        "basic" => format!("{} for `{}`", secret, text(login, "user")),
        _ => format!("{secret} as a bearer token"),
    }
}
