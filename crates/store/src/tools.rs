//! Tools of a route: what was approved and what was last seen, in columns that never overwrite each other.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_core::id::RouteId;
use portreeve_core::ports::{StoreError, ToolDecision, ToolsApproved, ToolsSeen};
use portreeve_core::protocol::Era;
use portreeve_core::route::PinState;
use portreeve_core::tool::{Tool, ToolDefinition};

use crate::change::Change;
use crate::engine::{Row, Sql, Value, values_list};
use crate::fields::{era_from_word, json_text};
use crate::routes::missing;
use crate::store::Store;

/// Rows written by one statement.
const CHUNK: usize = 200;

/// A tool with a longer name is not kept, so it can never be approved. The specification allows 128 characters.
const NAME_BYTES: usize = 1_024;

const OF_ROUTE: &str = "SELECT name, era, approved_hash, approved_definition, approved_annotations, live_hash, \
    live_definition, live_annotations, hidden, approved_by, approved_at, seen_at FROM tools WHERE route = $1 \
    ORDER BY name, era";

/// The tools of a route, by name and era.
pub(crate) async fn of_route(store: &Store, route: RouteId) -> Result<Vec<Tool>, StoreError> {
    let rows = store
        .engine()
        .rows(Sql::new(OF_ROUTE).bind(route.to_string()))
        .await?;
    rows.iter().map(tool_of).collect()
}

/// Reads a tool.
pub(crate) fn tool_of(row: &Row) -> Result<Tool, StoreError> {
    let name = row.text("name")?;
    let approved = definition_of(
        row,
        &name,
        ["approved_hash", "approved_definition", "approved_annotations"],
    )?;
    let live = definition_of(row, &name, ["live_hash", "live_definition", "live_annotations"])?;
    Ok(Tool {
        era: row.word("era", era_from_word)?,
        approved,
        live,
        hidden: row.boolean("hidden")?,
        approved_by: row.optional_text("approved_by")?,
        approved_at: row.optional_moment("approved_at")?,
        seen_at: row.optional_moment("seen_at")?,
        name,
    })
}

fn definition_of(row: &Row, name: &str, columns: [&str; 3]) -> Result<Option<ToolDefinition>, StoreError> {
    let [hash, definition, annotations] = columns;
    let Some(hash) = row.optional_text(hash)? else {
        return Ok(None);
    };
    Ok(Some(ToolDefinition {
        name: name.to_owned(),
        hash,
        definition: row.text(definition)?,
        annotations: row.json(annotations)?,
    }))
}

// === What was seen ===

/// Notes a list that an upstream sent.
pub(crate) async fn seen(store: &Store, seen: ToolsSeen) -> Result<(), StoreError> {
    let mut change = Change::begin(store).await?;
    if stored_pin_state(&mut change, seen.route).await?.is_none() {
        return Err(missing(seen.route));
    }
    let tools = keepable(&seen.tools);
    let known = known(&mut change, seen.route).await?;
    let live_hash = |name: &str| {
        known
            .live
            .get(&(seen.era, name.to_owned()))
            .and_then(Option::as_deref)
    };
    let (same, different): (Vec<_>, Vec<_>) = tools
        .values()
        .copied()
        .partition(|tool| live_hash(&tool.name) == Some(tool.hash.as_str()));
    let gone: Vec<&str> = known
        .live
        .iter()
        .filter(|((era, name), live)| {
            seen.complete && *era == seen.era && live.is_some() && !tools.contains_key(name.as_str())
        })
        .map(|((_, name), _)| name.as_str())
        .collect();

    for chunk in different.chunks(CHUNK) {
        write_live(&mut change, &seen, &known.hidden, chunk).await?;
    }
    let same: Vec<&str> = same.iter().map(|tool| tool.name.as_str()).collect();
    touch(&mut change, &seen, &same).await?;
    forget_live(&mut change, &seen, &gone).await?;
    change.record(&seen.events).await?;
    if different.is_empty() && gone.is_empty() {
        change.save().await
    } else {
        note_server(&mut change, seen.route).await?;
        change.note_route(seen.route).await?;
        change.publish().await
    }
}

/// By name; of two tools with one name the last counts.
fn keepable(tools: &[ToolDefinition]) -> BTreeMap<&str, &ToolDefinition> {
    let (kept, dropped): (Vec<_>, Vec<_>) = tools.iter().partition(|tool| tool.name.len() <= NAME_BYTES);
    if !dropped.is_empty() {
        tracing::warn!(
            tools = dropped.len(),
            "Tools with names above {NAME_BYTES} bytes are not kept."
        );
    }
    kept.into_iter().map(|tool| (tool.name.as_str(), tool)).collect()
}

/// What the store knows of a route's tools.
struct Known {
    /// By era and name, the hash last seen.
    live: BTreeMap<(Era, String), Option<String>>,
    /// Names that are hidden, in any era.
    hidden: BTreeSet<String>,
}

async fn known(change: &mut Change, route: RouteId) -> Result<Known, StoreError> {
    let sql =
        Sql::new("SELECT name, era, live_hash, hidden FROM tools WHERE route = $1").bind(route.to_string());
    let mut known = Known {
        live: BTreeMap::new(),
        hidden: BTreeSet::new(),
    };
    for row in change.rows(sql).await? {
        let name = row.text("name")?;
        if row.boolean("hidden")? {
            known.hidden.insert(name.clone());
        }
        let era = row.word("era", era_from_word)?;
        known.live.insert((era, name), row.optional_text("live_hash")?);
    }
    Ok(known)
}

async fn write_live(
    change: &mut Change,
    seen: &ToolsSeen,
    hidden: &BTreeSet<String>,
    tools: &[&ToolDefinition],
) -> Result<(), StoreError> {
    let mut values: Vec<Value> = Vec::with_capacity(tools.len() * 8);
    for tool in tools {
        values.extend([
            seen.route.to_string().into(),
            tool.name.as_str().into(),
            seen.era.as_str().into(),
            tool.hash.as_str().into(),
            tool.definition.as_str().into(),
            json_text("live_annotations", &tool.annotations)?.into(),
            // A tool that is hidden in one era is hidden in the other, once it is seen there.
            hidden.contains(&tool.name).into(),
            seen.at.into(),
        ]);
    }
    let rows = values_list(tools.len(), 8);
    let text = format!(
        "INSERT INTO tools (route, name, era, live_hash, live_definition, live_annotations, hidden, seen_at) \
         VALUES {rows} ON CONFLICT (route, name, era) DO UPDATE SET live_hash = excluded.live_hash, \
         live_definition = excluded.live_definition, live_annotations = excluded.live_annotations, \
         seen_at = excluded.seen_at"
    );
    change.execute(Sql::built(text, values)).await.map(drop)
}

/// The end of a statement about some tools of a route: `.. WHERE name IN (names) AND route = ..`.
fn about_named(names: &[&str], route: RouteId, head: &'static str) -> Sql {
    let list = values_list(names.len(), 1);
    let values = names.iter().map(|name| Value::from(*name)).collect();
    let mut sql = Sql::built(format!("{head} WHERE name IN (VALUES {list})"), values);
    sql.push_bound(" AND route = ", route.to_string());
    sql
}

/// Notes when unchanged tools were seen.
async fn touch(change: &mut Change, seen: &ToolsSeen, names: &[&str]) -> Result<(), StoreError> {
    for chunk in names.chunks(CHUNK) {
        let list = values_list(chunk.len(), 1);
        let next = chunk.len() + 1;
        let text = format!("UPDATE tools SET seen_at = ${next} WHERE name IN (VALUES {list})");
        let mut sql = Sql::built(text, chunk.iter().map(|name| Value::from(*name)).collect()).bind(seen.at);
        sql.push_bound(" AND route = ", seen.route.to_string());
        sql.push_bound(" AND era = ", seen.era.as_str());
        change.execute(sql).await?;
    }
    Ok(())
}

/// Takes the live definitions of tools that are gone, and the tools of which nothing is left then.
async fn forget_live(change: &mut Change, seen: &ToolsSeen, names: &[&str]) -> Result<(), StoreError> {
    for chunk in names.chunks(CHUNK) {
        let head = "UPDATE tools SET live_hash = NULL, live_definition = NULL, live_annotations = NULL";
        let mut sql = about_named(chunk, seen.route, head);
        sql.push_bound(" AND era = ", seen.era.as_str());
        change.execute(sql).await?;
        let mut sql = about_named(chunk, seen.route, "DELETE FROM tools");
        sql.push_bound(" AND era = ", seen.era.as_str());
        sql.push_bound(
            " AND approved_hash IS NULL AND live_hash IS NULL AND hidden = ",
            false,
        );
        change.execute(sql).await?;
    }
    Ok(())
}

// === What was decided ===

/// Notes what an admin decided.
pub(crate) async fn approved(store: &Store, approved: ToolsApproved) -> Result<(), StoreError> {
    let mut change = Change::begin(store).await?;
    let Some(pin_state) = stored_pin_state(&mut change, approved.route).await? else {
        return Err(missing(approved.route));
    };
    let mut approving: BTreeMap<(&str, Era), &ToolDefinition> = BTreeMap::new();
    for decision in &approved.decisions {
        match decision {
            ToolDecision::Approve(era, tool) if tool.name.len() <= NAME_BYTES => {
                approving.insert((&tool.name, *era), tool);
            }
            ToolDecision::Approve(..) => {
                tracing::warn!("A tool with a name above {NAME_BYTES} bytes cannot be approved.");
            }
            ToolDecision::Hide(name) => {
                write_approved(&mut change, &approved, &std::mem::take(&mut approving)).await?;
                mark(&mut change, approved.route, name, true).await?;
            }
            ToolDecision::Unhide(name) => {
                write_approved(&mut change, &approved, &std::mem::take(&mut approving)).await?;
                mark(&mut change, approved.route, name, false).await?;
            }
        }
    }
    write_approved(&mut change, &approved, &approving).await?;
    if pin_state != approved.pin_state {
        let sql = Sql::new(
            "UPDATE routes SET pin_state = $2, revision = revision + 1, updated_at = $3 WHERE id = $1",
        )
        .bind(approved.route.to_string())
        .bind(approved.pin_state.as_str())
        .bind(approved.at);
        change.execute(sql).await?;
    }
    note_server(&mut change, approved.route).await?;
    change.note_route(approved.route).await?;
    change.record(&approved.events).await?;
    change.publish().await
}

/// What a server's tools are called is searched, too.
async fn note_server(change: &mut Change, route: RouteId) -> Result<(), StoreError> {
    let sql = Sql::new("SELECT server FROM routes WHERE id = $1").bind(route.to_string());
    match change.row(sql).await? {
        Some(row) => change.note_entries(&[&row.text("server")?]).await,
        None => Ok(()),
    }
}

/// The pin state of a route, if there is such a route.
async fn stored_pin_state(change: &mut Change, route: RouteId) -> Result<Option<PinState>, StoreError> {
    change
        .row(Sql::new("SELECT pin_state FROM routes WHERE id = $1").bind(route.to_string()))
        .await?
        .map(|row| row.word("pin_state", PinState::from_word))
        .transpose()
}

async fn write_approved(
    change: &mut Change,
    approved: &ToolsApproved,
    tools: &BTreeMap<(&str, Era), &ToolDefinition>,
) -> Result<(), StoreError> {
    let tools: Vec<_> = tools.iter().collect();
    for chunk in tools.chunks(CHUNK) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 9);
        for ((name, era), tool) in chunk {
            values.extend([
                approved.route.to_string().into(),
                (*name).into(),
                era.as_str().into(),
                tool.hash.as_str().into(),
                tool.definition.as_str().into(),
                json_text("approved_annotations", &tool.annotations)?.into(),
                false.into(),
                approved.by.as_str().into(),
                approved.at.into(),
            ]);
        }
        let rows = values_list(chunk.len(), 9);
        let text = format!(
            "INSERT INTO tools (route, name, era, approved_hash, approved_definition, approved_annotations, hidden, \
             approved_by, approved_at) VALUES {rows} ON CONFLICT (route, name, era) DO UPDATE SET \
             approved_hash = excluded.approved_hash, approved_definition = excluded.approved_definition, \
             approved_annotations = excluded.approved_annotations, hidden = excluded.hidden, \
             approved_by = excluded.approved_by, approved_at = excluded.approved_at"
        );
        change.execute(Sql::built(text, values)).await?;
        // The hidden mark is one for both eras, so it goes in both.
        let names: Vec<&str> = chunk.iter().map(|((name, _), _)| *name).collect();
        let mut sql = about_named(&names, approved.route, "UPDATE tools SET hidden = FALSE");
        sql.push_bound(" AND hidden = ", true);
        change.execute(sql).await?;
    }
    Ok(())
}

/// Sets the hidden mark of a tool in both eras.
async fn mark(change: &mut Change, route: RouteId, name: &str, hidden: bool) -> Result<(), StoreError> {
    let sql = Sql::new("UPDATE tools SET hidden = $3 WHERE route = $1 AND name = $2")
        .bind(route.to_string())
        .bind(name)
        .bind(hidden);
    if change.execute(sql).await? > 0 {
        return Ok(());
    }
    Err(StoreError::NotFound {
        what: format!("tool `{name}`"),
    })
}
