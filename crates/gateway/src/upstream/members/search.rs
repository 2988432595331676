//! Two tools in the place of many, for models that cannot read them all: one finds tools by words, the other calls what was
//! found. What is found is what the caller could call; what is called is decided about as if it had been called by its name
//! (`wrapped`).
//!
//! The search is lexical: how well the words of a question fit those of a tool's name, title and description, rare words more
//! than frequent ones (BM25). It asks nobody.

use std::collections::HashMap;
use std::sync::Arc;

use portreeve_core::members::{CALL_TOOL, SEARCH_TOOLS, Shows};
use portreeve_core::protocol::Era;
use portreeve_core::tool::{Tool, ToolDefinition};
use portreeve_inspect::tool_definition;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::asking::Asking;
use super::{Failure, Members, raw};
use crate::route::ServedRoute;

/// Tools in an answer, unless the caller says how many.
const FEW: usize = 8;
/// Tools in an answer at most.
const MOST: usize = 50;
/// Words of a question that count.
const WORDS: usize = 32;

/// How much the words of a tool's name count, against one of its description.
const NAME_WEIGHT: f64 = 4.0;
/// BM25: how soon more of one word counts less.
const K: f64 = 1.2;
/// BM25: how much longer texts count less.
const B: f64 = 0.5;
/// What a word that only begins like one of the question counts.
const BEGINNING: f64 = 0.5;

/// What is looked for.
#[derive(Deserialize)]
struct Wanted {
    query: String,
    limit: Option<usize>,
}

/// What a model reads of a tool.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Words {
    title: Option<String>,
    description: Option<String>,
    annotations: Option<Titled>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Titled {
    title: Option<String>,
}

/// A tool with its words, each with its weight.
struct Known {
    definition: String,
    weights: HashMap<String, f64>,
    length: f64,
}

/// Whether it is one of the two.
pub fn is_meta(name: &str) -> bool {
    matches!(name, SEARCH_TOOLS | CALL_TOOL)
}

/// The two tools as they are served.
pub fn served() -> Vec<Tool> {
    let definitions = definitions().map(|definition| tool_definition(&definition.to_string()));
    let definitions = definitions.into_iter().flatten();
    definitions
        .map(|definition: ToolDefinition| Tool {
            name: definition.name.clone(),
            era: Era::Modern,
            approved: Some(definition.clone()),
            live: Some(definition),
            hidden: false,
            approved_by: None,
            approved_at: None,
            seen_at: None,
        })
        .collect()
}

fn definitions() -> [Value; 2] {
    [
        json!({
            "name": SEARCH_TOOLS,
            "title": "Search tools",
            "description": "Finds the tools of this server that fit a task. Returns their names, descriptions and input \
                            schemas, the best first. Call one of them with `call_tool`.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "What the tool should do, in a few words"},
                    "limit": {"type": "integer", "minimum": 1, "maximum": MOST,
                        "description": format!("How many tools to return; {FEW} unless given")},
                },
                "required": ["query"],
            },
            "annotations": {"readOnlyHint": true, "openWorldHint": false},
        }),
        json!({
            "name": CALL_TOOL,
            "title": "Call a tool",
            "description": "Calls a tool of this server by the name that `search_tools` returned, with arguments that fit \
                            its input schema.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "The tool's name"},
                    "arguments": {"type": "object", "description": "The tool's arguments"},
                },
                "required": ["name"],
            },
        }),
    ]
}

// === impl Members ===

impl Members {
    /// Whether two tools stand for all.
    pub fn searches(&self) -> bool {
        self.server.shows == Shows::Search
    }

    /// The list of the two.
    pub(super) fn list_of_two(&self) -> Result<Box<RawValue>, Failure> {
        let result = json!({
            "resultType": "complete",
            "tools": definitions(),
            "ttlMs": 3_600_000,
            "cacheScope": "private",
            "_meta": self.meta(&[]),
        });
        raw(result.to_string())
    }

    /// Answers a search.
    pub(super) fn search(&self, asking: &Asking<'_>) -> Result<Box<RawValue>, Failure> {
        #[derive(Deserialize)]
        struct Params {
            arguments: Wanted,
        }
        let params = asking.params.map(RawValue::get).unwrap_or("{}");
        let Ok(Params { arguments }) = serde_json::from_str(params) else {
            return raw(refused(
                "`query` must be a text, and `limit`, if it is given, a number",
            ));
        };
        let Some(route) = asking.gateway.loader.find(self.route.slug.as_str()) else {
            return raw(refused("this server is not served any more"));
        };
        let known = self.callable(asking, &route);
        let limit = arguments.limit.unwrap_or(FEW).clamp(1, MOST);
        let found = best(&known, &arguments.query, limit);
        let tools: Vec<&str> = found.iter().map(|known| known.definition.as_str()).collect();
        let tools = format!(r#"{{"tools":[{}]}}"#, tools.join(","));
        let text = if found.is_empty() {
            json!(format!(
                "No tool fits. There are {}; try other words.",
                known.len()
            ))
        } else {
            json!(tools)
        };
        raw(format!(
            r#"{{"resultType":"complete","content":[{{"type":"text","text":{text}}}],"structuredContent":{tools}}}"#
        ))
    }

    /// What the caller could call, as it was approved.
    fn callable(&self, asking: &Asking<'_>, route: &Arc<ServedRoute>) -> Vec<Known> {
        let policies = &asking.gateway.policies;
        let tools = route.tools(Era::Modern).filter(|tool| {
            !is_meta(&tool.name)
                && route.callable(Era::Modern, &tool.name).is_some()
                && policies.see(asking.caller, route, tool)
        });
        let mut all: Vec<Known> = tools
            .filter_map(|tool| {
                let approved = tool.tool.approved.as_ref()?;
                Some(Known::of(&tool.name, &approved.definition))
            })
            .collect();
        all.sort_by(|one, other| one.definition.cmp(&other.definition));
        all
    }
}

fn refused(text: &str) -> String {
    let content = json!([{"type": "text", "text": text}]);
    json!({"resultType": "complete", "content": content, "isError": true}).to_string()
}

/// The tools that fit best, the best first.
fn best<'a>(all: &'a [Known], query: &str, limit: usize) -> Vec<&'a Known> {
    let mut asked: Vec<String> = Vec::new();
    for word in words(query).take(WORDS) {
        if !asked.contains(&word) {
            asked.push(word);
        }
    }
    let average = all.iter().map(|known| known.length).sum::<f64>() / count(all.len().max(1));
    let worth: Vec<f64> = asked.iter().map(|word| rarity(all, word)).collect();
    let mut scored: Vec<(f64, &Known)> = all
        .iter()
        .map(|known| {
            let scores = asked.iter().zip(&worth);
            let score = scores
                .map(|(word, worth)| worth * known.fits(word, average))
                .sum();
            (score, known)
        })
        .filter(|(score, _)| *score > 0.0)
        .collect();
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored.into_iter().take(limit).map(|(_, known)| known).collect()
}

/// What a word is worth: more, the fewer tools have it.
fn rarity(all: &[Known], word: &str) -> f64 {
    let having = all.iter().filter(|known| known.weight(word) > 0.0).count();
    let (having, all) = (count(having), count(all.len()));
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The words of a text: runs of letters and digits, parted where a name goes from small to capital letters.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut parted = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            parted.push(' ');
        }
        parted.push(if c.is_alphanumeric() { c } else { ' ' });
        before = c;
    }
    let words: Vec<String> = parted.split_whitespace().map(stem).collect();
    words.into_iter()
}

/// A word as it is compared: small letters, without the end that says that there are several.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    match word.strip_suffix('s') {
        Some(one) if one.len() > 2 && !one.ends_with('s') => one.to_owned(),
        _ => word,
    }
}

// === impl Known ===

impl Known {
    fn of(name: &str, definition: &str) -> Self {
        let said: Words = serde_json::from_str(definition).unwrap_or_default();
        let title = said.title.or(said.annotations.and_then(|said| said.title));
        let mut weights: HashMap<String, f64> = HashMap::new();
        let mut length = 0.0;
        for (text, weight) in [
            (Some(name), NAME_WEIGHT),
            (title.as_deref(), NAME_WEIGHT / 2.0),
            (said.description.as_deref(), 1.0),
        ] {
            for word in words(text.unwrap_or_default()) {
                length += 1.0;
                *weights.entry(word).or_default() += weight;
            }
        }
        Self {
            definition: definition.to_owned(),
            weights,
            length,
        }
    }

    /// How much of a word there is in it; less for words that only begin so.
    fn weight(&self, word: &str) -> f64 {
        if let Some(weight) = self.weights.get(word) {
            return *weight;
        }
        if word.len() < 3 {
            return 0.0;
        }
        let alike = self.weights.iter().filter(|(own, _)| own.starts_with(word));
        BEGINNING * alike.map(|(_, weight)| *weight).fold(0.0, f64::max)
    }

    fn fits(&self, word: &str, average: f64) -> f64 {
        let weight = self.weight(word);
        let length = 1.0 - B + B * self.length / average.max(1.0);
        weight * (K + 1.0) / (weight + K * length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, description: &str) -> Known {
        let definition = json!({"name": name, "description": description});
        Known::of(name, &definition.to_string())
    }

    fn found(query: &str) -> Vec<String> {
        let all = [
            known("create_issue", "Opens an issue in a repository"),
            known("listIssues", "Lists the issues of a repository, newest first"),
            known("send_mail", "Sends a message to somebody, with attachments"),
            known("c__send", "Says something in a channel"),
            known("get_invoice", "Shows an invoice with its positions and payments"),
        ];
        let best = best(&all, query, 2);
        best.iter()
            .map(|known| {
                let value: Value = serde_json::from_str(&known.definition).unwrap();
                value["name"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    #[test]
    fn words_find_what_they_name() {
        assert_eq!(found("create an issue")[0], "create_issue");
        assert_eq!(found("list issues")[0], "listIssues");
        assert_eq!(found("mail somebody")[0], "send_mail");
        assert_eq!(found("invoices")[0], "get_invoice");
        assert_eq!(found("attach")[0], "send_mail", "a beginning is enough");
        assert_eq!(found("channel"), ["c__send"]);
        assert_eq!(found("weather"), [""; 0]);
        assert_eq!(found(""), [""; 0]);
    }

    #[test]
    fn the_two_are_tools_that_can_be_called() {
        let served = served();
        let names: Vec<_> = served.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, [SEARCH_TOOLS, CALL_TOOL]);
        assert!(served.iter().all(Tool::is_callable));
        assert!(served[0].approved.as_ref().unwrap().annotations.read_only_hint);
    }
}
