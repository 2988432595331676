//! Answers of GraphQL (GraphQL over HTTP): what was asked for stands in `data`, what went wrong in `errors`, both with the
//! status of a success.

use portreeve_core::rest::Binding;
use serde_json::Value;

use super::Api;
use super::content::Answer;
use super::results::{Block, Outcome, beginning};

/// Errors that are told.
const MOST: usize = 10;

impl Api {
    /// What the answer to a query comes to. With errors the tool failed, whatever else came.
    pub(super) fn graphql_result(&self, field: &str, binding: &Binding, answer: &Answer) -> Outcome {
        let Some(Value::Object(mut whole)) = answer.json() else {
            return Outcome::failure("The API did not answer as GraphQL does. Tell an administrator.");
        };
        let errors = whole.remove("errors");
        let errors: Vec<&Value> = errors.iter().filter_map(Value::as_array).flatten().collect();
        let value = whole
            .get_mut("data")
            .and_then(|data| data.get_mut(field))
            .map(Value::take);
        match value {
            Some(value) if errors.is_empty() => self.value_result(binding, value),
            None if errors.is_empty() => {
                Outcome::failure("The API answered with neither data nor errors. Tell an administrator.")
            }
            value => {
                let most = self.commons.limits.rest.error_bytes;
                let mut outcome = Outcome::failure(beginning(&told(&errors), most));
                if let Some(value) = value.filter(|value| !value.is_null()) {
                    let part = self.value_result(binding, value);
                    outcome.blocks.push(Block::text("What came all the same:"));
                    outcome.blocks.extend(part.blocks);
                }
                outcome
            }
        }
    }
}

fn told(errors: &[&Value]) -> String {
    let each: Vec<String> = errors
        .iter()
        .take(MOST)
        .map(|error| {
            let message = error["message"].as_str().unwrap_or("an error without a message");
            let message: String = message.chars().filter(|one| !one.is_control()).collect();
            let path: Vec<String> = error["path"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
                .collect();
            match path.is_empty() {
                true => message,
                false => format!("{message} (at {})", path.join(".")),
            }
        })
        .collect();
    let more = errors.len().saturating_sub(MOST);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("The API says: {}{more}", each.join("; "))
}
