//! What came back, block by block. Nothing of it is markup.

use serde_json::Value;

use crate::words;

/// Bytes of a text that are shown.
const TEXT_SHOWN: usize = 64 * 1024;
/// Bytes of a picture that are shown, in Base64.
const PICTURE_SHOWN: usize = 2 * 1024 * 1024;
/// Pictures that every browser shows, and that are nothing else.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// Blocks of an answer that are shown.
const MOST_BLOCKS: usize = 50;
/// Error codes of the gateway that mean something to a person.
const LIMITED: i64 = -31_429;
const UPSTREAM: i64 = -31_502;

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct TryResult {
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    /// What is wrong with the arguments, each with its place.
    pub(crate) problems: Vec<String>,
    pub(crate) structured: Option<String>,
}

/// A piece of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// A text.
    Text(String),
    /// A picture, as an address that holds it.
    Picture(String),
    /// What the next block is.
    Note(String),
    /// Something else, in words.
    Other(String),
}

// === impl TryResult ===

impl TryResult {
    /// From a response as JSON-RPC has it.
    pub(crate) fn new(answer: &Value) -> Self {
        if let Some(error) = answer.get("error") {
            return Self::refused(error);
        }
        let result = answer.get("result").unwrap_or(&Value::Null);
        let list = |member: &str| result.get(member).and_then(Value::as_array);
        if let Some(contents) = list("contents") {
            return Self::answered("The resource was read.", contents.iter().flat_map(contents_of));
        }
        if let Some(messages) = list("messages") {
            return Self::answered("The prompt was made.", messages.iter().flat_map(message_of));
        }
        let is_error = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
        let structured = result.get("structuredContent").map(pretty);
        let blocks = list("content").into_iter().flatten().map(block);
        // Older hosts read the same as a text; once is enough for people.
        let is_twice = |block: &Block| {
            let Block::Text(text) = block else { return false };
            structured.is_some()
                && serde_json::from_str::<Value>(text).ok().as_ref() == result.get("structuredContent")
        };
        let blocks: Vec<Block> = blocks
            .take(MOST_BLOCKS)
            .filter(|block| !is_twice(block))
            .collect();
        Self {
            tone: if is_error { "notice-bad" } else { "notice-good" },
            title: if is_error {
                "The tool says that it failed.".to_owned()
            } else {
                "The tool answered.".to_owned()
            },
            blocks,
            problems: Vec::new(),
            structured,
        }
    }

    fn answered(title: &str, blocks: impl Iterator<Item = Block>) -> Self {
        Self {
            tone: "notice-good",
            title: title.to_owned(),
            blocks: blocks.take(MOST_BLOCKS).collect(),
            problems: Vec::new(),
            structured: None,
        }
    }

    /// The same where the visitor came back from the page on which a person allows calls.
    pub(crate) fn after_approval(mut self) -> Self {
        if self.tone == "notice-bad" && self.problems.is_empty() {
            self.title =
                "It was not done: nobody allowed it yet, or somebody refused it, or it failed.".to_owned();
            self.tone = "notice-warn";
        }
        self
    }

    /// Nothing came.
    pub(crate) fn nothing(reason: &str) -> Self {
        Self {
            tone: "notice-bad",
            title: format!("Nothing came that can be shown: {}.", words::visible(reason)),
            blocks: Vec::new(),
            problems: Vec::new(),
            structured: None,
        }
    }

    fn refused(error: &Value) -> Self {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(words::visible);
        let problems = error.pointer("/data/problems").and_then(Value::as_array);
        let problems = problems.into_iter().flatten().take(MOST_BLOCKS).map(|problem| {
            let place = text(problem, "path").unwrap_or_default();
            format!("{place}: {}", text(problem, "message").unwrap_or_default())
        });
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        let why = match code {
            LIMITED => " A limit is used up: try again later, or ask who runs this route for more.",
            UPSTREAM => " The server behind it did not answer as it should.",
            _ => "",
        };
        Self {
            tone: if code == LIMITED {
                "notice-warn"
            } else {
                "notice-bad"
            },
            title: format!(
                "The gateway refused it ({code}).{why} {}",
                text(error, "message").unwrap_or_default()
            ),
            blocks: Vec::new(),
            problems: problems.collect(),
            structured: None,
        }
    }
}

/// A piece of a resource, under its address.
fn contents_of(contents: &Value) -> Vec<Block> {
    let text = |key: &str| contents.get(key).and_then(Value::as_str).unwrap_or_default();
    let (uri, kind) = (words::visible(text("uri")), words::visible(text("mimeType")));
    let note = Block::Note(format!("{uri} {kind}").trim().to_owned());
    let shown = match contents.get("text").and_then(Value::as_str) {
        Some(text) => Block::Text(cut(&words::visible(text))),
        None if PICTURES.contains(&text("mimeType")) && is_picture(text("blob")) => {
            Block::Picture(format!("data:{};base64,{}", text("mimeType"), text("blob")))
        }
        None => Block::Other(format!("{} bytes in Base64", text("blob").len())),
    };
    vec![note, shown]
}

/// A message of a prompt, under who says it.
fn message_of(message: &Value) -> Vec<Block> {
    let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
    let note = Block::Note(format!("{} says", words::visible(role)));
    let shown = message.get("content").unwrap_or(&Value::Null);
    vec![note, block(shown)]
}

fn block(content: &Value) -> Block {
    let text = |key: &str| content.get(key).and_then(Value::as_str).unwrap_or_default();
    if let Some(text) = content.pointer("/resource/text").and_then(Value::as_str) {
        return Block::Text(cut(&words::visible(text)));
    }
    match text("type") {
        "resource_link" => Block::Other(format!("a resource at {}", words::visible(text("uri")))),
        "text" => Block::Text(cut(&words::visible(text("text")))),
        "image" if PICTURES.contains(&text("mimeType")) && is_picture(text("data")) => {
            Block::Picture(format!("data:{};base64,{}", text("mimeType"), text("data")))
        }
        kind => Block::Other(format!(
            "{}, {} bytes as JSON",
            words::visible(kind),
            content.to_string().len()
        )),
    }
}

fn is_picture(data: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    data.len() <= PICTURE_SHOWN && data.bytes().all(is_base64)
}

fn pretty(value: &Value) -> String {
    cut(&words::visible(
        &serde_json::to_string_pretty(value).unwrap_or_default(),
    ))
}

fn cut(text: &str) -> String {
    if text.len() <= TEXT_SHOWN {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_SHOWN);
    format!("{}\n… cut here", text.get(..end).unwrap_or_default())
}
