//! The nine things that a host does with a server, each with a check of what came.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Cell, Outcome};
use crate::any_host::{AnyHost, MODERN, Place, Talk};
use crate::web::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ability {
    List,
    Call,
    Resource,
    Prompt,
    Progress,
    Cancel,
    Subscription,
    Elicitation,
    Sampling,
}

pub(crate) const ABILITIES: [Ability; 9] = [
    Ability::List,
    Ability::Call,
    Ability::Resource,
    Ability::Prompt,
    Ability::Progress,
    Ability::Cancel,
    Ability::Subscription,
    Ability::Elicitation,
    Ability::Sampling,
];

/// How often something is looked at that comes in its own time, and how long between two looks.
const LOOKS: usize = 40;
const PAUSE: Duration = Duration::from_millis(250);

const WATCHED: &str = "test://watched-resource";

pub(super) async fn tried(place: &Place, slug: &str, cell: Cell) -> Outcome {
    let mut host = match AnyHost::connect(place, slug, cell.host).await {
        Ok(host) => host,
        Err(answer) => return Outcome::Refused(answer),
    };
    let host = &mut host;
    let outcome = match cell.ability {
        Ability::List => list(host, cell).await,
        Ability::Call => call(host, cell).await,
        Ability::Resource => resource(host, cell).await,
        Ability::Prompt => prompt(host, cell).await,
        Ability::Progress => progress(host).await,
        Ability::Cancel => cancel(host, cell).await,
        Ability::Subscription => subscription(host).await,
        Ability::Elicitation => elicitation(host).await,
        Ability::Sampling => sampling(host).await,
    };
    outcome.err().unwrap_or(Outcome::Passed)
}

type Checked = Result<(), Outcome>;

fn must(condition: bool, talk: &Talk) -> Checked {
    match condition {
        true => Ok(()),
        false => Err(Outcome::Wrong(format!("{talk:?}"))),
    }
}

/// The result, if it is one.
fn result(talk: &Talk) -> Result<&Value, Outcome> {
    let result = &talk.answer["result"];
    if !result.is_object() || result["isError"] == true {
        return Err(Outcome::Refused(talk.answer.clone()));
    }
    Ok(result)
}

/// What the era of the host says about a result of every kind.
fn must_fit(talk: &Talk, cell: Cell, kept: Kept) -> Checked {
    let result = result(talk)?;
    let hint =
        result["ttlMs"].is_u64() && matches!(result["cacheScope"].as_str(), Some("public" | "private"));
    if cell.host == MODERN {
        must(result["resultType"] == "complete", talk)?;
        return must(hint || kept == Kept::Never, talk);
    }
    // What an older server adds is its own business.
    let words = ["resultType", "ttlMs", "cacheScope"];
    let absent = words.iter().all(|word| result.get(word).is_none());
    must(cell.server < MODERN || absent, talk)
}

/// Whether results of a kind may be kept by a host, and say how long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    AsItSays,
    Never,
}

async fn list(host: &mut AnyHost, cell: Cell) -> Checked {
    let talk = host.talk("tools/list", json!({})).await;
    must_fit(&talk, cell, Kept::AsItSays)?;
    let tools = result(&talk)?["tools"].as_array();
    let named = |tool: &Value| tool["name"] == "test_simple_text" && tool["inputSchema"].is_object();
    must(tools.is_some_and(|tools| tools.iter().any(named)), &talk)
}

fn tool(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

fn text(talk: &Talk) -> Result<&str, Outcome> {
    let text = result(talk)?.pointer("/content/0/text").and_then(Value::as_str);
    text.ok_or_else(|| Outcome::Wrong(format!("{talk:?}")))
}

async fn call(host: &mut AnyHost, cell: Cell) -> Checked {
    let talk = host.talk("tools/call", tool("test_simple_text", json!({}))).await;
    must_fit(&talk, cell, Kept::Never)?;
    must(text(&talk)?.contains("simple text response"), &talk)
}

async fn resource(host: &mut AnyHost, cell: Cell) -> Checked {
    let talk = host
        .talk("resources/read", json!({"uri": "test://static-text"}))
        .await;
    must_fit(&talk, cell, Kept::AsItSays)?;
    let content = &result(&talk)?["contents"][0];
    must(
        content["uri"] == "test://static-text" && content["text"].is_string(),
        &talk,
    )?;
    // What is not there is said with another number in each era.
    let code = if host.is_modern() { -32602 } else { -32002 };
    let absent = host
        .talk("resources/read", json!({"uri": "test://no/such"}))
        .await;
    must(absent.answer["error"]["code"] == code, &absent)
}

async fn prompt(host: &mut AnyHost, cell: Cell) -> Checked {
    let arguments = json!({"arg1": "call me", "arg2": "Ishmael"});
    let talk = host
        .talk("prompts/get", tool("test_prompt_with_arguments", arguments))
        .await;
    must_fit(&talk, cell, Kept::Never)?;
    let said = result(&talk)?.pointer("/messages/0/content/text");
    must(
        said.is_some_and(|said| said.to_string().contains("Ishmael")),
        &talk,
    )
}

async fn progress(host: &mut AnyHost) -> Checked {
    let mut params = tool("test_tool_with_progress", json!({}));
    params["_meta"] = json!({"progressToken": "how-far"});
    let talk = host.talk("tools/call", params).await;
    result(&talk)?;
    let own = talk.notes.iter().filter(|note| {
        note["method"] == "notifications/progress" && note["params"]["progressToken"] == "how-far"
    });
    must(own.count() == 3, &talk)
}

/// A call is cancelled in the words of the host's era, and the server gets to know.
async fn cancel(host: &mut AnyHost, cell: Cell) -> Checked {
    let key = format!("{}-{}", cell.host, cell.server);
    let mut params = tool("test_cancellation", json!({"key": key}));
    params["_meta"] = json!({"progressToken": 1});
    let mut exchange = host.begin("tools/call", params).await;
    loop {
        let message = host.next(&mut exchange).await.unwrap_or_default();
        match message["method"].as_str() {
            Some("notifications/progress") => break,
            // Where there is one stream, what other cells change is told on it as well.
            Some(_) => {}
            None => return Err(Outcome::Refused(message)),
        }
    }
    if host.is_modern() {
        drop(exchange);
    } else {
        let cancelled = json!({"requestId": exchange.id, "reason": "changed course"});
        host.notify("notifications/cancelled", cancelled).await;
    }
    let mut talk = Talk::default();
    for _ in 0..LOOKS {
        talk = host
            .talk("tools/call", tool("test_cancelled", json!({"key": key})))
            .await;
        if text(&talk)? == "cancelled" {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    must(false, &talk)
}

/// Where a host hears of changes.
enum Ear {
    Stream(Box<Stream>),
    /// On the one stream that it has.
    Same,
}

async fn subscription(host: &mut AnyHost) -> Checked {
    let (mut ear, tag) = subscribed(host).await?;
    let mut missing = vec![
        "notifications/tools/list_changed",
        "notifications/resources/updated",
    ];
    for _ in 0..LOOKS {
        for trigger in ["test_trigger_tool_change", "test_trigger_resource_change"] {
            let talk = host.talk("tools/call", tool(trigger, json!({}))).await;
            result(&talk)?;
            talk.notes.iter().for_each(|note| strike(&mut missing, note, tag));
        }
        while let Ok(heard) = tokio::time::timeout(PAUSE, heard(host, &mut ear)).await {
            let Some(note) = heard else {
                return Err(Outcome::Wrong(format!("the stream ended, without {missing:?}")));
            };
            strike(&mut missing, &note, tag);
            if missing.is_empty() {
                return Ok(());
            }
        }
    }
    Err(Outcome::Wrong(format!("nothing was heard of {missing:?}")))
}

async fn heard(host: &mut AnyHost, ear: &mut Ear) -> Option<Value> {
    match ear {
        Ear::Stream(stream) => stream.message().await,
        Ear::Same => host.heard().await,
    }
}

/// Asks to hear of changes. In the modern era the stream's messages bear the id of the request.
async fn subscribed(host: &mut AnyHost) -> Result<(Ear, Option<i64>), Outcome> {
    if host.is_modern() {
        let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": [WATCHED]});
        let mut exchange = host
            .begin("subscriptions/listen", json!({"notifications": wanted}))
            .await;
        let first = host.next(&mut exchange).await.unwrap_or_default();
        if first["method"] != "notifications/subscriptions/acknowledged" {
            return Err(Outcome::Refused(first));
        }
        let stream = exchange.into_stream().expect("a stream");
        return match first["params"]["notifications"] == wanted {
            true => Ok((Ear::Stream(Box::new(stream)), Some(host.last_id()))),
            false => Err(Outcome::Wrong(format!("not all is acknowledged: {first}"))),
        };
    }
    let ear = match host.has_one_stream() {
        true => Ear::Same,
        false => Ear::Stream(Box::new(host.listen().await)),
    };
    let talk = host.talk("resources/subscribe", json!({"uri": WATCHED})).await;
    result(&talk)?;
    Ok((ear, None))
}

fn strike(missing: &mut Vec<&str>, note: &Value, tag: Option<i64>) {
    let told = &note["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    let tagged = tag.map_or(told.is_null(), |tag| *told == tag);
    missing.retain(|method| note["method"] != **method || !tagged);
}

async fn elicitation(host: &mut AnyHost) -> Checked {
    let params = tool("test_elicitation", json!({"message": "Who is it?"}));
    let talk = host.talk("tools/call", params).await;
    must(text(&talk)?.contains("ahab"), &talk)
}

async fn sampling(host: &mut AnyHost) -> Checked {
    let params = tool("test_sampling", json!({"prompt": "Where from?"}));
    let talk = host.talk("tools/call", params).await;
    must(text(&talk)?.contains("Nantucket"), &talk)
}
