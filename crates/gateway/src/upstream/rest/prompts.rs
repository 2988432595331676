//! `prompts/get`: a text of the version's curation, with what a person filled in.

use std::collections::BTreeMap;

use portreeve_mcp::code;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Api;
use super::protocol::Failure;

#[derive(Deserialize)]
struct Asked {
    name: String,
    #[serde(default)]
    arguments: Option<BTreeMap<String, String>>,
}

impl Api {
    /// Fills a prompt.
    pub(super) fn prompt(&self, params: Option<&RawValue>) -> Result<Value, Failure> {
        let asked: Asked = serde_json::from_str(params.map_or("{}", RawValue::get))
            .map_err(|error| refused(format!("Invalid params: {error}"), Vec::new()))?;
        let Some(prompt) = self.bindings.prompts.get(&asked.name) else {
            return Err(refused(format!("Unknown prompt: {}", asked.name), Vec::new()));
        };
        let given = asked.arguments.unwrap_or_default();
        let lacking = prompt
            .arguments
            .iter()
            .filter(|argument| argument.required && !given.contains_key(&argument.name))
            .map(|argument| (argument.name.clone(), "it is required"));
        let is_known = |name: &str| prompt.arguments.iter().any(|argument| argument.name == name);
        let unknown = given
            .keys()
            .filter(|name| !is_known(name))
            .map(|name| (name.clone(), "the prompt has no such argument"));
        let problems: Vec<(String, &str)> = lacking.chain(unknown).collect();
        if !problems.is_empty() {
            return Err(refused(
                "Invalid params: the arguments do not fit".to_owned(),
                problems,
            ));
        }
        let messages = prompt.messages.iter().map(|message| {
            json!({"role": message.role, "content": {"type": "text", "text": message.filled(&given)}})
        });
        let mut result = json!({ "messages": messages.collect::<Vec<_>>() });
        if let Some(description) = &prompt.description {
            result["description"] = json!(description);
        }
        Ok(result)
    }
}

fn refused(message: String, problems: Vec<(String, &str)>) -> Failure {
    let each: Vec<Value> = problems
        .iter()
        .map(|(name, message)| json!({"path": format!("/{name}"), "message": message}))
        .collect();
    Failure {
        code: code::INVALID_PARAMS,
        message,
        data: (!each.is_empty()).then(|| json!({ "problems": each })),
    }
}
