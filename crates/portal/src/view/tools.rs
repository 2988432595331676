//! The tools of one server as its page shows them, and what a manager approves on it.

use portreeve_core::protocol::Era;
use portreeve_core::tool::{Tool, ToolDefinition, ToolState};
use serde_json::Value;

use crate::view::badge::Badge;
use crate::words;

/// Tools on one page.
const PAGE: usize = 50;
/// Longest schema shown, in bytes; the management API has the whole.
const SCHEMA_SHOWN: usize = 16 * 1024;

/// What stands under "Tools".
#[derive(Debug, Clone)]
pub(crate) enum ToolsView {
    /// An invitation: the visitor is not signed in.
    SignIn,
    /// One sentence.
    Nothing(String),
    /// The tools.
    Listed(Box<ToolsList>),
}

/// One tool as the registry shows it to this visitor.
#[derive(Debug, Clone)]
pub(crate) struct ToolInput {
    pub(crate) tool: Tool,
    pub(crate) state: ToolState,
    pub(crate) changes: Vec<Change>,
}

/// One changed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Change {
    /// From a JSON pointer and two values as compact JSON. A text is shown as the text it is.
    pub(crate) fn new(path: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let value =
            |json: &str| words::visible(&serde_json::from_str::<String>(json).unwrap_or(json.to_owned()));
        Self {
            path: if path.is_empty() {
                "the whole definition".to_owned()
            } else {
                words::visible(path)
            },
            before: before.map(value),
            after: after.map(value),
        }
    }
}

/// One field of a tool's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) meaning: String,
}

/// One tool on the page.
#[derive(Debug, Clone)]
pub(crate) struct ToolCard {
    /// Identity on the page.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) badges: Vec<Badge>,
    pub(crate) needs_review: bool,
    pub(crate) changes: Vec<Change>,
    /// What the approve form sends back, for managers and tools that wait.
    pub(crate) seen: Option<String>,
    pub(crate) input_words: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) schema: String,
    /// Where it is called from the browser, once it is approved.
    pub(crate) try_it: Option<String>,
}

/// The list with its forms.
#[derive(Debug, Clone)]
pub(crate) struct ToolsList {
    pub(crate) tools: Vec<ToolCard>,
    pub(crate) summary: String,
    /// Tools that wait for a manager, on all pages.
    pub(crate) waiting: usize,
    pub(crate) waiting_words: String,
    pub(crate) approve_all: bool,
    pub(crate) all_seen: Vec<String>,
    pub(crate) action: String,
    /// The route whose tools these are; empty for the production one.
    pub(crate) route: String,
    pub(crate) token: String,
    pub(crate) next: Option<String>,
}

/// Whether a manager has to look at it.
pub(crate) fn needs_review(state: ToolState) -> bool {
    matches!(state, ToolState::New | ToolState::Changed)
}

/// What a reviewer saw of a tool: the hashes of its live definitions in all eras, and its name. The approve form
/// sends it back, so that nobody approves a definition that arrived while they were reading.
pub(crate) fn seen<'a>(name: &str, tools: impl IntoIterator<Item = &'a ToolInput>) -> String {
    let mut hashes: Vec<&str> = tools
        .into_iter()
        .filter(|input| input.tool.name == name)
        .filter_map(|input| input.tool.live.as_ref().map(|live| live.hash.as_str()))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    format!("{}:{name}", hashes.join("."))
}

/// Who looks at the list, and from where it begins.
pub(crate) struct ToolsFrame<'a> {
    /// Whether the visitor sees all of them, with where each stands.
    pub(crate) sees: bool,
    /// Whether the visitor approves them.
    pub(crate) approves: bool,
    /// The server's page.
    pub(crate) href: &'a str,
    /// The route whose tools these are; the production one unless named.
    pub(crate) route: Option<&'a str>,
    /// The token of the approve form.
    pub(crate) token: String,
    /// Tools to skip.
    pub(crate) skip: usize,
}

impl ToolsList {
    /// The page of tools: those that wait for review first, then by name; the same tool of both eras once.
    pub(crate) fn new(inputs: &[ToolInput], frame: ToolsFrame<'_>) -> Self {
        let groups = groups(inputs);
        let waiting: Vec<&[&ToolInput]> = groups
            .iter()
            .map(Vec::as_slice)
            .filter(|group| group.iter().any(|input| needs_review(input.state)))
            .collect();
        let mut all_seen: Vec<String> = waiting
            .iter()
            .filter_map(|group| Some(seen(&group.first()?.tool.name, inputs)))
            .collect();
        all_seen.dedup();
        let cards = groups.iter().enumerate().skip(frame.skip).take(PAGE);
        let end = frame.skip.saturating_add(PAGE);
        let verb = if all_seen.len() == 1 { "needs" } else { "need" };
        Self {
            tools: cards
                .filter_map(|(index, group)| card(index, group, inputs, &frame))
                .collect(),
            summary: summary(groups.len(), frame.sees),
            waiting: if frame.approves { all_seen.len() } else { 0 },
            waiting_words: format!("{} {verb} review.", words::count(all_seen.len(), "tool")),
            approve_all: all_seen.len() > 1,
            all_seen,
            action: format!("{}/tools/approve", frame.href),
            next: (groups.len() > end).then(|| match frame.route {
                Some(route) => format!("{}?route={}&tools={end}#tools", frame.href, words::encoded(route)),
                None => format!("{}?tools={end}#tools", frame.href),
            }),
            route: frame.route.unwrap_or_default().to_owned(),
            token: frame.token,
        }
    }
}

fn summary(shown: usize, manages: bool) -> String {
    match (shown, manages) {
        (1, true) => "One tool.".to_owned(),
        (1, false) => "The one tool that you may call.".to_owned(),
        (_, true) => format!("{}.", words::count(shown, "tool")),
        (_, false) => format!("The {} that you may call.", words::count(shown, "tool")),
    }
}

/// One group per tool; two when its eras word it differently.
fn groups(inputs: &[ToolInput]) -> Vec<Vec<&ToolInput>> {
    let mut sorted: Vec<&ToolInput> = inputs.iter().collect();
    sorted.sort_by(|a, b| {
        let key = |input: &ToolInput| (!needs_review(input.state), input.tool.name.clone());
        key(a).cmp(&key(b))
    });
    let mut groups: Vec<Vec<&ToolInput>> = Vec::new();
    for input in sorted {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| same(first, input)) => group.push(input),
            _ => groups.push(vec![input]),
        }
    }
    groups
}

fn same(a: &ToolInput, b: &ToolInput) -> bool {
    let hashes = |input: &ToolInput| {
        let hash = |definition: &Option<ToolDefinition>| definition.as_ref().map(|it| it.hash.clone());
        (hash(&input.tool.approved), hash(&input.tool.live))
    };
    a.tool.name == b.tool.name && a.state == b.state && hashes(a) == hashes(b)
}

fn card(index: usize, group: &[&ToolInput], all: &[ToolInput], frame: &ToolsFrame<'_>) -> Option<ToolCard> {
    let (input, sees) = (group.first()?, frame.sees);
    let review = needs_review(input.state);
    // What waits for review is shown as the server says it now, everything else as it was approved.
    let definition = match input.state {
        ToolState::New | ToolState::Changed => input.tool.live.as_ref().or(input.tool.approved.as_ref()),
        _ => input.tool.approved.as_ref().or(input.tool.live.as_ref()),
    }?;
    let json: Value = serde_json::from_str(&definition.definition).unwrap_or(Value::Null);
    let text = |key: &str| words::visible(json.get(key).and_then(Value::as_str).unwrap_or_default().trim());
    let schema = json.get("inputSchema").unwrap_or(&Value::Null);
    let fields = fields(schema);
    let alone = all
        .iter()
        .filter(|other| other.tool.name == input.tool.name)
        .count()
        == group.len();
    Some(ToolCard {
        id: format!("tool-{index}"),
        name: words::visible(&input.tool.name),
        title: text("title"),
        description: text("description"),
        badges: badges(input, definition, alone, sees),
        needs_review: review && sees,
        changes: if sees { input.changes.clone() } else { Vec::new() },
        seen: (review && frame.approves).then(|| seen(&input.tool.name, all)),
        input_words: match fields.len() {
            0 => "Input: nothing".to_owned(),
            some => format!("Input: {}", words::count(some, "field")),
        },
        fields,
        schema: pretty(schema),
        try_it: (input.state == ToolState::Approved).then(|| {
            let route = frame
                .route
                .map(|route| format!("&route={}", words::encoded(route)));
            let tool = words::encoded(&input.tool.name);
            format!("{}/try?tool={tool}{}", frame.href, route.unwrap_or_default())
        }),
    })
}

fn badges(input: &ToolInput, definition: &ToolDefinition, alone: bool, manages: bool) -> Vec<Badge> {
    let mut badges = Vec::new();
    if manages {
        badges.push(state_badge(input.state));
    }
    badges.extend(annotated(definition));
    if !alone {
        badges.push(Badge::kind(match input.tool.era {
            Era::Legacy => "For older hosts",
            Era::Modern => "For newer hosts",
        }));
    }
    badges
}

/// What a tool says of itself: whether it changes things, and whether twice is as good as once.
pub(crate) fn annotated(definition: &ToolDefinition) -> Vec<Badge> {
    let annotations = definition.annotations;
    let mut badges = Vec::new();
    badges.push(if annotations.read_only_hint {
        Badge::new("Read-only", "", "badge-good")
    } else if annotations.destructive_hint {
        Badge::new("Destructive", "May be", "badge-bad")
    } else {
        Badge::new("Changes things", "", "badge-warn")
    });
    if annotations.idempotent_hint && !annotations.read_only_hint {
        badges.push(Badge::kind("Safe to repeat"));
    }
    badges
}

fn state_badge(state: ToolState) -> Badge {
    match state {
        ToolState::Approved => Badge::new("Approved", "State", "badge-info"),
        ToolState::New => Badge::new("New", "State", "badge-warn"),
        ToolState::Changed => Badge::new("Changed", "State", "badge-warn"),
        ToolState::Hidden => Badge::new("Hidden", "State", "badge-quiet"),
        ToolState::Missing => Badge::new("Approved, not listed lately", "State", "badge-quiet"),
    }
}

pub(crate) fn fields(schema: &Value) -> Vec<Field> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| Field {
            required: required.contains(&name.as_str()),
            name: words::visible(name),
            kind: kind(property),
            meaning: words::visible(
                property
                    .get("description")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            ),
        })
        .collect()
}

fn kind(property: &Value) -> String {
    match property.get("type") {
        Some(Value::String(kind)) => words::visible(kind),
        Some(Value::Array(kinds)) => words::visible(
            &kinds
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" or "),
        ),
        _ if property.get("enum").is_some() => "one of a list".to_owned(),
        _ => "any".to_owned(),
    }
}

pub(crate) fn pretty(schema: &Value) -> String {
    let mut text = words::visible(&serde_json::to_string_pretty(schema).unwrap_or_default());
    if text.len() > SCHEMA_SHOWN {
        let end = (0..=SCHEMA_SHOWN)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push_str("\n… cut here; the management API has the whole schema");
    }
    text
}
