//! A tool as people want it: the document's, with somebody's choices applied, written down as a definition.

use portreeve_core::limits::Limits;
use portreeve_core::rest::{Binding, Content, Extra, Paging, Retry, Source};
use portreeve_core::tool::ToolDefinition;
use serde_json::{Map, Value, json};

use super::curation::{ArgumentCuration, Profile, ToolCuration};
use super::operations::note;
use super::report::Note;
use super::tool::Tool;
use super::{flat, inline, names};

/// A finished tool.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) definition: ToolDefinition,
    pub(super) binding: Binding,
    pub(super) tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) notes: Vec<Note>,
}

/// Applies choices to a tool that is called so without them.
pub(super) fn finish(
    mut tool: Tool,
    generated: &str,
    choices: Option<&ToolCuration>,
    profile: Profile,
) -> Result<Finished, String> {
    let none = ToolCuration::default();
    let choices = choices.unwrap_or(&none);
    let name = name(generated, choices.rename.as_deref())?;
    for (argument, choice) in &choices.arguments {
        choose(&mut tool, argument, choice)?;
    }
    if let Some(reason) = collision(&tool) {
        return Err(reason);
    }
    let (mut binding, effects) = (tool.binding, tool.effects);
    binding.shape = choices.answer.clone();
    binding.paging.clone_from(&choices.paging);
    binding.timeout_ms = choices.timeout_ms;
    let read_only = choices.read_only.unwrap_or(effects.read_only);
    let idempotent = choices.idempotent.unwrap_or(effects.idempotent);
    binding.retry = if idempotent { Retry::Safe } else { Retry::Never };
    let mut input = tool.arguments.schema();
    if !tool.defs.is_empty() {
        input.insert("$defs".to_owned(), Value::Object(tool.defs));
        inline::once(&mut input);
    }
    if profile == Profile::Flat {
        let (plain, is_cut) = flat::flatten(&input);
        if is_cut {
            tool.notes.push(note(
                "",
                "its arguments are nested more deeply than the flat profile shows",
            ));
        }
        if plain != input {
            binding.arguments = Some(std::mem::replace(&mut input, plain));
        }
    }
    let mut definition = Map::new();
    definition.insert("name".to_owned(), json!(name));
    let title = choices.title.as_deref().unwrap_or(&tool.title);
    if !title.is_empty() {
        definition.insert("title".to_owned(), json!(title));
    }
    let description = choices.description.as_deref().unwrap_or(&tool.description);
    definition.insert("description".to_owned(), json!(description));
    definition.insert("inputSchema".to_owned(), Value::Object(input));
    let tokens = tokens(&definition, &["name", "description", "inputSchema"]);
    // What was picked out of an answer is not what its schema describes.
    if let Some(output) = tool.output {
        let output = if choices.answer.pick.is_empty() {
            output
        } else {
            open(&output)
        };
        definition.insert("outputSchema".to_owned(), Value::Object(output));
    }
    definition.insert(
        "annotations".to_owned(),
        json!({
            "readOnlyHint": read_only,
            "destructiveHint": choices.destructive.unwrap_or(!read_only),
            "idempotentHint": idempotent,
            "openWorldHint": true,
        }),
    );
    let output_tokens = self::tokens(&definition, &["outputSchema"]);
    let text = Value::Object(definition).to_string();
    let definition = portreeve_inspect::tool_definition(&text).map_err(|error| error.to_string())?;
    Ok(Finished {
        definition,
        binding,
        tokens,
        output_tokens,
        notes: tool.notes,
    })
}

/// What the tool is called.
fn name(generated: &str, rename: Option<&str>) -> Result<String, String> {
    let Some(name) = rename else {
        return Ok(generated.to_owned());
    };
    if names::word(name) == name && name.len() <= names::LONGEST && !name.is_empty() {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is no name of a tool: letters, digits, `_` and `-`, at most 64"
    ))
}

/// Whether what somebody asks for is within the limits, or why not.
pub(super) fn within(
    timeout_ms: Option<u64>,
    paging: Option<&Paging>,
    limits: &Limits,
) -> Result<(), String> {
    let longest = u64::try_from(limits.rest.tool_timeout.as_millis()).unwrap_or(u64::MAX);
    if timeout_ms.is_some_and(|own| !(1..=longest).contains(&own)) {
        return Err(format!("its `timeoutMs` must be between 1 and {longest}"));
    }
    if paging.is_some_and(|paging| !(1..=limits.rest.pages).contains(&paging.most_pages)) {
        return Err(format!(
            "its `mostPages` must be between 1 and {}",
            limits.rest.pages
        ));
    }
    Ok(())
}

/// One token for every four bytes of compact JSON.
fn tokens(definition: &Map<String, Value>, members: &[&str]) -> u64 {
    let bytes = members
        .iter()
        .filter_map(|member| definition.get(*member))
        .map(|value| match value {
            Value::String(text) => text.len(),
            value => value.to_string().len(),
        });
    bytes.sum::<usize>().div_ceil(4).try_into().unwrap_or(u64::MAX)
}

fn open(schema: &Map<String, Value>) -> Map<String, Value> {
    schema
        .iter()
        .filter(|(word, _)| matches!(word.as_str(), "type" | "description"))
        .map(|(word, value)| (word.clone(), value.clone()))
        .collect()
}

/// What a choice does to an argument: to what is shown of it, and to the place that it fills.
pub(super) fn choose(tool: &mut Tool, name: &str, choice: &ArgumentCuration) -> Result<(), String> {
    let Some(index) = tool
        .arguments
        .list
        .iter()
        .position(|argument| argument.name == name)
    else {
        return Err(format!("it has no argument `{name}`"));
    };
    if let Some(value) = &choice.fixed {
        tool.arguments.list.remove(index);
        fill(&mut tool.binding, name, |source, _| {
            *source = Source::Fixed(value.clone())
        });
        return Ok(());
    }
    let Some(argument) = tool.arguments.list.get_mut(index) else {
        return Ok(());
    };
    if choice.hide {
        if argument.required && choice.default.is_none() {
            return Err(format!(
                "its argument `{name}` is required: give it a fixed value to hide it"
            ));
        }
        tool.arguments.list.remove(index);
        match &choice.default {
            Some(value) => fill(&mut tool.binding, name, |source, _| {
                *source = Source::Fixed(value.clone())
            }),
            None => remove(&mut tool.binding, name),
        }
        return Ok(());
    }
    if let Value::Object(schema) = &mut argument.schema {
        if let Some(text) = &choice.description {
            schema.insert("description".to_owned(), json!(text));
        }
        if let Some(value) = &choice.default {
            schema.insert("default".to_owned(), value.clone());
        }
    }
    if let Some(value) = &choice.default {
        argument.required = false;
        fill(&mut tool.binding, name, |_, default| {
            *default = Some(value.clone())
        });
    }
    if let Some(new) = &choice.rename {
        argument.name.clone_from(new);
        fill(&mut tool.binding, name, |source, _| {
            *source = Source::Argument(new.clone())
        });
    }
    Ok(())
}

/// Changes where the values come from that an argument fills.
fn fill(binding: &mut Binding, name: &str, change: impl Fn(&mut Source, &mut Option<Value>)) {
    let is_it = |source: &Source| matches!(source, Source::Argument(argument) if argument == name);
    for parameter in binding
        .parameters
        .iter_mut()
        .filter(|parameter| is_it(&parameter.source))
    {
        change(&mut parameter.source, &mut parameter.default);
    }
    let body = binding.body.as_mut();
    match body.map(|body| (&mut body.content, &mut body.default)) {
        Some((Content::Whole(source), default)) if is_it(source) => change(source, default),
        Some((Content::Members { members, .. }, _)) => {
            for member in members.iter_mut().filter(|member| is_it(&member.source)) {
                change(&mut member.source, &mut member.default);
            }
        }
        _ => {}
    }
}

pub(super) fn remove(binding: &mut Binding, name: &str) {
    let is_it = |source: &Source| matches!(source, Source::Argument(argument) if argument == name);
    binding.parameters.retain(|parameter| !is_it(&parameter.source));
    let is_whole = match binding.body.as_mut().map(|body| &mut body.content) {
        Some(Content::Whole(source)) => is_it(source),
        Some(Content::Members {
            members,
            extra,
            withheld,
        }) => {
            // Where others may be sent, what was taken away must not come back as one of them.
            let gone = members.iter().filter(|member| is_it(&member.source));
            let gone = gone
                .filter(|_| *extra == Extra::Sent)
                .map(|member| member.name.clone());
            withheld.extend(gone);
            members.retain(|member| !is_it(&member.source));
            false
        }
        None => false,
    };
    if is_whole {
        binding.body = None;
    }
}

pub(super) fn collision(tool: &Tool) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    let twice = tool
        .arguments
        .list
        .iter()
        .find(|argument| !seen.insert(argument.name.as_str()));
    twice.map(|argument| format!("two of its arguments are named `{}`", argument.name))
}
