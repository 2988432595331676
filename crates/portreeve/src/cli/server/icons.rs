//! `portreeve server icons`: what is shown beside a server's name, and what could not be.

use clap::Args;
use serde_json::{Value, json};

use super::super::connection::{Connection, api_path};
use super::super::reply::{table, text};
use super::super::{Failure, Reply};

/// `portreeve server icons`
#[derive(Debug, Clone, Args)]
pub(crate) struct IconsArgs {
    /// The server's name
    name: String,
    /// Fetch them again first
    #[arg(long)]
    fetch: bool,
}

pub(super) async fn run(connection: &Connection, args: &IconsArgs) -> Result<Reply, Failure> {
    let path = api_path!("servers/{}/icons", args.name);
    let body = if args.fetch {
        connection.post(&path, &json!({})).await?.body
    } else {
        connection.all(&path).await?
    };
    let shown = render(&body);
    Ok(Reply::new(body, shown))
}

pub(crate) fn render(body: &Value) -> String {
    table(
        body,
        &[
            ("ICON", |one| text(one, "name")),
            ("LIES AT", |one| text(one, "url")),
            ("KIND", |one| text(one, "mediaType")),
            ("SHOWN FROM", |one| match text(one, "problem").as_str() {
                "" => text(one, "href"),
                problem => format!("not shown: {problem}"),
            }),
        ],
        "This server names no icons, or none of its versions is listed.",
    )
}
