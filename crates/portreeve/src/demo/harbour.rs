//! What the sample port can do: its tools, its resource and its prompt, the same in both eras.
//!
//! The eras ask [`Harbour::begin`] and wrap what they get.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::Descriptions;
use super::inspection::Inspection;
use super::wire::Failure;

/// Ships, their berths, and what they carry.
const SHIPS: [(&str, &str, &str); 4] = [
    ("Aurelia", "north 1", "tea and porcelain"),
    ("Borealis", "north 2", "timber"),
    ("Cormorant", "south 1", "salt"),
    ("Dorothea", "south 3", "wool"),
];
/// The one resource.
const TIDES: &str = "port://tides/today";
/// The one prompt.
const BRIEFING: &str = "arrival_briefing";

/// The port's state: what is written on the board, and which ships have left their berth.
#[derive(Debug)]
pub(super) struct Harbour {
    descriptions: watch::Receiver<Descriptions>,
    under_way: Mutex<BTreeSet<&'static str>>,
}

/// How a request goes on.
#[derive(Debug)]
pub(super) enum Work {
    /// It is answered.
    Done(Result<Value, Failure>),
    /// It takes a while.
    Slow(Inspection),
}

/// A tool result of one text.
pub(super) fn text_result(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

fn complaint(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}], "isError": true})
}

impl Harbour {
    pub(super) fn new(descriptions: watch::Receiver<Descriptions>) -> Self {
        Self {
            descriptions,
            under_way: Mutex::default(),
        }
    }

    /// Who answers: `serverInfo`.
    pub(super) fn identity() -> Value {
        json!({"name": "port-demo", "title": "Sample port", "version": env!("CARGO_PKG_VERSION")})
    }

    /// What it can do: `capabilities`.
    pub(super) fn capabilities() -> Value {
        json!({"tools": {"listChanged": true}, "resources": {}, "prompts": {}})
    }

    /// A word to the model: `instructions`.
    pub(super) fn instructions() -> &'static str {
        "A sample port. List the ships first; ask before you release a mooring."
    }

    /// Begins a request; `None` when there is no such method.
    pub(super) fn begin(&self, method: &str, params: &Value) -> Option<Work> {
        let done = match method {
            "tools/list" => Ok(json!({"tools": self.tools()})),
            "tools/call" => return Some(self.call(params)),
            "resources/list" => Ok(json!({"resources": [tides_resource()]})),
            "resources/templates/list" => Ok(json!({"resourceTemplates": []})),
            "resources/read" => read_resource(params),
            "prompts/list" => Ok(json!({"prompts": [briefing_prompt()]})),
            "prompts/get" => get_prompt(params),
            _ => return None,
        };
        Some(Work::Done(done))
    }

    fn tools(&self) -> Vec<Value> {
        let mut tools = vec![list_ships(), release_mooring(), inspect_cargo()];
        let descriptions = self.descriptions.borrow();
        for tool in &mut tools {
            let revised = tool["name"]
                .as_str()
                .and_then(|name| descriptions.get(name))
                .cloned();
            if let Some(revised) = revised {
                tool["description"] = Value::String(revised);
            }
        }
        tools
    }

    fn call(&self, params: &Value) -> Work {
        let nothing = json!({});
        let arguments = params.get("arguments").unwrap_or(&nothing);
        let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
        if !arguments.is_object() {
            return Work::Done(Err(Failure::new(
                -32602,
                "Invalid params: `arguments` must be an object",
            )));
        }
        Work::Done(match name {
            "list_ships" => Ok(self.ships(arguments)),
            "release_mooring" => Ok(self.release(arguments)),
            "inspect_cargo" => match Inspection::read(arguments) {
                Ok(inspection) => return Work::Slow(inspection),
                Err(reason) => Ok(complaint(&reason)),
            },
            _ => Err(Failure::new(-32602, format!("Unknown tool: {name}"))),
        })
    }

    fn ships(&self, arguments: &Value) -> Value {
        let quay = arguments.get("quay").and_then(Value::as_str).unwrap_or_default();
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let ships: Vec<Value> = SHIPS
            .iter()
            .filter(|(_, berth, _)| berth.starts_with(quay))
            .map(|(name, berth, cargo)| {
                let state = if under_way.contains(name) {
                    "under way"
                } else {
                    "moored"
                };
                json!({"name": name, "berth": berth, "cargo": cargo, "state": state})
            })
            .collect();
        let structured = json!({"ships": ships});
        // Hosts before 2025-06-18 read the text, so it is the same JSON.
        let mut result = text_result(&structured.to_string());
        result["structuredContent"] = structured;
        result
    }

    fn release(&self, arguments: &Value) -> Value {
        let asked = arguments.get("ship").and_then(Value::as_str).unwrap_or_default();
        let Some((name, berth, _)) = SHIPS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(asked)) else {
            return complaint(&format!("No ship named `{asked}` lies in this port."));
        };
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        text_result(&if under_way.insert(name) {
            format!("The {name} has left berth {berth}.")
        } else {
            format!("The {name} is under way already.")
        })
    }
}

fn list_ships() -> Value {
    json!({
        "name": "list_ships",
        "title": "List ships",
        "description": "Lists the ships in port with their berth, cargo and state.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "quay": {"type": "string", "enum": ["north", "south"], "description": "Only ships at this quay."},
            },
            "additionalProperties": false,
        },
        "outputSchema": {
            "type": "object",
            "properties": {
                "ships": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "berth": {"type": "string"},
                            "cargo": {"type": "string"},
                            "state": {"type": "string", "enum": ["moored", "under way"]},
                        },
                        "required": ["name", "berth", "cargo", "state"],
                    },
                },
            },
            "required": ["ships"],
        },
        "annotations": {
            "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false,
        },
    })
}

fn release_mooring() -> Value {
    json!({
        "name": "release_mooring",
        "title": "Release a mooring",
        "description": "Casts off a ship's lines. The ship leaves its berth and cannot be called back.",
        "inputSchema": {
            "type": "object",
            "properties": {"ship": {"type": "string", "description": "The ship's name."}},
            "required": ["ship"],
            "additionalProperties": false,
        },
        "annotations": {
            "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false,
        },
    })
}

fn inspect_cargo() -> Value {
    json!({
        "name": "inspect_cargo",
        "title": "Inspect cargo",
        "description": "Opens a ship's holds one by one and compares cargo and papers. Takes a while and reports progress.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "ship": {"type": "string", "default": "Aurelia", "description": "The ship's name."},
                "seconds": {
                    "type": "number", "minimum": 0, "maximum": 60, "default": 2,
                    "description": "How long the inspection takes.",
                },
            },
            "additionalProperties": false,
        },
        "annotations": {
            "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false,
        },
    })
}

fn tides_resource() -> Value {
    json!({
        "uri": TIDES,
        "name": "tides-today",
        "title": "Tides today",
        "description": "High and low water at the harbour mouth.",
        "mimeType": "text/plain",
    })
}

fn read_resource(params: &Value) -> Result<Value, Failure> {
    let uri = params.get("uri").and_then(Value::as_str).unwrap_or_default();
    if uri != TIDES {
        return Err(Failure::new(-32002, format!("Resource not found: {uri}")).with(json!({"uri": uri})));
    }
    let text = "04:12 high 3.9 m\n10:31 low 0.8 m\n16:40 high 4.1 m\n22:58 low 0.6 m\n";
    Ok(json!({"contents": [{"uri": TIDES, "mimeType": "text/plain", "text": text}]}))
}

fn briefing_prompt() -> Value {
    json!({
        "name": BRIEFING,
        "title": "Arrival briefing",
        "description": "Asks for a short briefing for a ship's master who is about to arrive.",
        "arguments": [{"name": "ship", "description": "The ship's name.", "required": true}],
    })
}

fn get_prompt(params: &Value) -> Result<Value, Failure> {
    let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
    if name != BRIEFING {
        return Err(Failure::new(-32602, format!("Unknown prompt: {name}")));
    }
    let Some(ship) = params
        .get("arguments")
        .and_then(|given| given.get("ship")?.as_str())
    else {
        return Err(Failure::new(
            -32602,
            "Invalid params: the prompt needs the argument `ship`",
        ));
    };
    let text = format!(
        "Brief the master of the {ship}, arriving within the hour. List the ships in port, read the tides of today, \
         propose a free berth, and name what to look out for."
    );
    Ok(json!({
        "description": "A briefing for an arriving ship",
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
    }))
}
