//! `portreeve whoami`: who the key belongs to.

use serde_json::Value;

use super::connection::{Connection, api_path};
use super::grant::servers;
use super::reply::{pairs, text};
use super::{Failure, Reply};

pub(super) async fn run(connection: &Connection) -> Result<Reply, Failure> {
    let body = connection.get(&api_path!("whoami")).await?.body;
    let manages = match body.get("manage").and_then(Value::as_bool) {
        Some(true) => "everything",
        _ => "nothing",
    };
    let mut rows = vec![
        ("name", text(&body, "name")),
        ("principal", text(&body, "principal")),
        ("key", text(&body, "key")),
        ("manages", manages.to_owned()),
        ("at", connection.base().to_string()),
    ];
    for role in body.get("roles").and_then(Value::as_array).into_iter().flatten() {
        let said = format!("{} on {}", text(role, "role"), servers(role));
        rows.insert(rows.len() - 1, ("role", said));
    }
    let shown = pairs(&rows);
    Ok(Reply::new(body, shown))
}
