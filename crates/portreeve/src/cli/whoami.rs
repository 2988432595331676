//! `portreeve whoami`: who the key belongs to.

use super::connection::{Connection, api_path};
use super::reply::{pairs, text};
use super::{Failure, Reply};

pub(super) async fn run(connection: &Connection) -> Result<Reply, Failure> {
    let body = connection.get(&api_path!("whoami")).await?.body;
    let manages = match body.get("manage").and_then(serde_json::Value::as_bool) {
        Some(true) => "everything",
        _ => "nothing",
    };
    let rows = [
        ("name", text(&body, "name")),
        ("principal", text(&body, "principal")),
        ("key", text(&body, "key")),
        ("manages", manages.to_owned()),
        ("at", connection.base().to_string()),
    ];
    let shown = pairs(&rows);
    Ok(Reply::new(body, shown))
}
