//! Capabilities: which of them can be kept on a hop of the other era.

use serde_json::{Map, Value, json};

use super::Unbridgeable;
use crate::edit::Edit;
use crate::splice::Splice;

/// What asks something of the host while its call is under way, which a modern host can only be asked between two calls;
/// and tasks, which are not those of the other era.
const NOT_CARRIED: [&str; 4] = ["elicitation", "sampling", "roots", "tasks"];

fn read(capabilities: &str) -> Map<String, Value> {
    serde_json::from_str(capabilities).unwrap_or_default()
}

/// Whether a host can be sent to a page.
pub fn declared_url_elicitation(capabilities: &str) -> bool {
    let read = read(capabilities);
    read.get("elicitation")
        .is_some_and(|elicitation| elicitation.get("url").is_some())
}

/// What a legacy server is told of a modern host's capabilities, in one order: hosts that declare the same share a
/// session. A server may still say that a page must be seen first, since that ends the call. `asks`: calls wait while
/// their host is asked, so all that can be asked is declared.
pub fn declared_to_legacy(capabilities: &str, asks: bool) -> String {
    let mut read = read(capabilities);
    let url = declared_url_elicitation(capabilities);
    for name in NOT_CARRIED {
        if !asks || name == "tasks" {
            read.remove(name);
        }
    }
    if url && !asks {
        read.insert("elicitation".to_owned(), json!({"url": {}}));
    }
    without_tasks(&mut read);
    let mut declared = Value::Object(read);
    declared.sort_all_objects();
    declared.to_string()
}

/// What a modern server is told of a legacy host's capabilities. A host that can be asked in the middle of a call can be
/// asked between two rounds of it. Before 2025-11-25 `elicitation` had no members, and meant forms.
pub fn declared_to_modern(capabilities: &str) -> String {
    let mut read = read(capabilities);
    read.remove("tasks");
    without_tasks(&mut read);
    if let Some(Value::Object(elicitation)) = read.get_mut("elicitation")
        && elicitation.is_empty()
    {
        elicitation.insert("form".to_owned(), json!({}));
    }
    Value::Object(read).to_string()
}

/// Whether a host that declared these capabilities can be asked this.
pub(super) fn declares(capabilities: &str, method: &str, is_page: bool) -> bool {
    let read = read(capabilities);
    let elicits = |mode: &str| {
        read.get("elicitation").is_some_and(|elicitation| {
            let is_old = elicitation.as_object().is_some_and(Map::is_empty);
            elicitation.get(mode).is_some() || (mode == "form" && is_old)
        })
    };
    match method {
        "elicitation/create" => elicits(if is_page { "url" } else { "form" }),
        "sampling/createMessage" => read.contains_key("sampling"),
        "roots/list" => read.contains_key("roots"),
        _ => false,
    }
}

fn without_tasks(declared: &mut Map<String, Value>) {
    if let Some(Value::Object(extensions)) = declared.get_mut("extensions") {
        extensions.remove(TASKS);
    }
}

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// Cuts out of a server's capabilities what does not reach the other era.
pub(super) fn offered(capabilities: &str, splice: &mut Splice<'_>) -> Result<(), Unbridgeable> {
    let mut edit = Edit::of(capabilities);
    edit.cut("tasks");
    if let Some(raw) = edit.value("extensions").filter(|raw| raw.starts_with('{')) {
        let mut extensions = Edit::of(raw);
        extensions.cut(TASKS);
        extensions.apply(splice)?;
    }
    edit.apply(splice)?;
    Ok(())
}
