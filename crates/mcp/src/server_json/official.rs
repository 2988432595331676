//! The form of a document as the official schema of 2025-12-11 wants it: types, required members, lengths, words.
//!
//! Before: an importer read a record. After: what is found here is kept beside the version and shown; it stops nobody.
//! What [`super::parse`] says is about what a document means; this is about its form alone.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::{Problem, cut, note};

type Object = Map<String, Value>;

/// What keeps a document from the form of 2025-12-11, in the order of the document's schema.
pub fn form_problems(raw: &Object) -> Vec<Problem> {
    let mut form = Form::default();
    form.required(raw, "", "name", 3..=200);
    form.required(raw, "", "description", 1..=100);
    form.required(raw, "", "version", 0..=255);
    form.text(raw, "", "title", 1..=100);
    form.text(raw, "", "websiteUrl", 0..=usize::MAX);
    form.text(raw, "", "$schema", 0..=usize::MAX);
    if raw
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| !is_name(name))
    {
        form.say("name", "it is not of the form `namespace/name`");
    }
    if let Some(repository) = form.object(raw, "", "repository") {
        form.required(repository, "repository", "url", 0..=usize::MAX);
        form.required(repository, "repository", "source", 0..=usize::MAX);
        form.text(repository, "repository", "id", 0..=usize::MAX);
        form.text(repository, "repository", "subfolder", 0..=usize::MAX);
    }
    form.each(raw, "", "icons", icon);
    form.each(raw, "", "packages", package);
    form.each(raw, "", "remotes", remote);
    if let Some(meta) = form.object(raw, "", "_meta") {
        form.object(meta, "_meta", super::PUBLISHER_META);
    }
    form.problems
}

#[derive(Default)]
struct Form {
    problems: Vec<Problem>,
}

fn is_name(name: &str) -> bool {
    let Some((namespace, short)) = name.split_once('/') else {
        return false;
    };
    let plain = |part: &str, extra: &[u8]| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    plain(namespace, b".-") && plain(short, b"._-")
}

fn icon(form: &mut Form, icon: &Object, path: &str) {
    form.required(icon, path, "src", 0..=255);
    form.word(
        icon,
        path,
        "mimeType",
        &[
            "image/png",
            "image/jpeg",
            "image/jpg",
            "image/svg+xml",
            "image/webp",
        ],
    );
    form.word(icon, path, "theme", &["light", "dark"]);
    for size in form.list(icon, path, "sizes") {
        let is_size = size.as_str().is_some_and(|size| {
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            size == "any"
                || size
                    .split_once('x')
                    .is_some_and(|(width, height)| digits(width) && digits(height))
        });
        if !is_size {
            form.say(&join(path, "sizes"), "a size is `48x48` or `any`");
        }
    }
}

fn package(form: &mut Form, package: &Object, path: &str) {
    for key in ["registryType", "identifier"] {
        form.required(package, path, key, 0..=usize::MAX);
    }
    for key in ["registryBaseUrl", "runtimeHint"] {
        form.text(package, path, key, 0..=usize::MAX);
    }
    form.text(package, path, "version", 1..=usize::MAX);
    if package.get("version").and_then(Value::as_str) == Some("latest") {
        form.say(&join(path, "version"), "`latest` is not a version: name one");
    }
    let is_digest = |text: &str| {
        text.len() == 64
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    match package.get("fileSha256") {
        None => {}
        Some(Value::String(text)) if is_digest(text) => {}
        Some(_) => form.say(&join(path, "fileSha256"), "it must be 64 hexadecimal digits"),
    }
    match form.object(package, path, "transport") {
        Some(inner) => transport(form, inner, &join(path, "transport"), true),
        None if !package.contains_key("transport") => {
            form.say(&join(path, "transport"), "it is required");
        }
        None => {}
    }
    form.each(package, path, "environmentVariables", key_value);
    form.each(package, path, "packageArguments", argument);
    form.each(package, path, "runtimeArguments", argument);
}

fn remote(form: &mut Form, remote: &Object, path: &str) {
    transport(form, remote, path, false);
    if let Some(variables) = form.object(remote, path, "variables") {
        inputs(form, variables, &join(path, "variables"));
    }
}

fn transport(form: &mut Form, transport: &Object, path: &str, may_be_local: bool) {
    match transport.get("type").and_then(Value::as_str) {
        Some("stdio") if may_be_local => {}
        Some("streamable-http" | "sse") => {
            match transport.get("url").and_then(Value::as_str) {
                Some(url) if is_url_or_template(url) => {}
                _ => form.say(&join(path, "url"), "it must be an http or https URL"),
            }
            form.each(transport, path, "headers", key_value);
        }
        _ => form.say(&join(path, "type"), "it is not a transport that is known here"),
    }
}

/// `https://{host}/mcp` has a form, too.
fn is_url_or_template(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn argument(form: &mut Form, argument: &Object, path: &str) {
    input(form, argument, path);
    if let Some(variables) = form.object(argument, path, "variables") {
        inputs(form, variables, &join(path, "variables"));
    }
    form.flag(argument, path, "isRepeated");
    match argument.get("type").and_then(Value::as_str) {
        Some("positional") => {
            form.text(argument, path, "valueHint", 0..=usize::MAX);
            if !argument.contains_key("value") && !argument.contains_key("valueHint") {
                form.say(path, "a positional argument needs a `value` or a `valueHint`");
            }
        }
        Some("named") => form.required(argument, path, "name", 0..=usize::MAX),
        other => {
            let shown = cut(other.unwrap_or_default(), 60);
            form.say(
                &join(path, "type"),
                &format!("`{shown}` is not `positional` or `named`"),
            );
        }
    }
}

fn key_value(form: &mut Form, pair: &Object, path: &str) {
    form.required(pair, path, "name", 0..=usize::MAX);
    input(form, pair, path);
    if let Some(variables) = form.object(pair, path, "variables") {
        inputs(form, variables, &join(path, "variables"));
    }
}

fn inputs(form: &mut Form, variables: &Object, path: &str) {
    for (name, value) in variables {
        let path = join(path, name);
        match value {
            Value::Object(inner) => input(form, inner, &path),
            _ => form.say(&path, "it must be an object"),
        }
    }
}

fn input(form: &mut Form, input: &Object, path: &str) {
    for key in ["default", "description", "placeholder", "value"] {
        form.text(input, path, key, 0..=usize::MAX);
    }
    for key in ["isRequired", "isSecret"] {
        form.flag(input, path, key);
    }
    form.word(
        input,
        path,
        "format",
        &["string", "number", "boolean", "filepath"],
    );
    for choice in form.list(input, path, "choices") {
        if !choice.is_string() {
            form.say(&join(path, "choices"), "a choice must be a text");
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

// === impl Form ===

impl Form {
    fn say(&mut self, path: &str, message: &str) {
        self.problems.push(note(path, message));
    }

    /// A text that must be there.
    fn required(&mut self, raw: &Object, path: &str, key: &str, length: RangeInclusive<usize>) {
        if raw.contains_key(key) {
            self.text(raw, path, key, length);
        } else {
            self.say(&join(path, key), "it is required");
        }
    }

    /// A text that may be there.
    fn text(&mut self, raw: &Object, path: &str, key: &str, length: RangeInclusive<usize>) {
        match raw.get(key) {
            None => {}
            Some(Value::String(text)) => {
                let count = text.chars().count();
                if !length.contains(&count) {
                    let (least, most) = (length.start(), length.end());
                    let said = format!("it must have {least} to {most} characters, and has {count}");
                    self.say(&join(path, key), &said);
                }
            }
            Some(_) => self.say(&join(path, key), "it must be a text"),
        }
    }

    fn flag(&mut self, raw: &Object, path: &str, key: &str) {
        if raw.get(key).is_some_and(|value| !value.is_boolean()) {
            self.say(&join(path, key), "it must be `true` or `false`");
        }
    }

    fn word(&mut self, raw: &Object, path: &str, key: &str, words: &[&str]) {
        let Some(value) = raw.get(key) else { return };
        if !value.as_str().is_some_and(|text| words.contains(&text)) {
            let shown = cut(value.as_str().unwrap_or_default(), 60);
            self.say(
                &join(path, key),
                &format!("`{shown}` is not one of {}", words.join(", ")),
            );
        }
    }

    fn object<'a>(&mut self, raw: &'a Object, path: &str, key: &str) -> Option<&'a Object> {
        match raw.get(key)? {
            Value::Object(object) => Some(object),
            _ => {
                self.say(&join(path, key), "it must be an object");
                None
            }
        }
    }

    fn list<'a>(&mut self, raw: &'a Object, path: &str, key: &str) -> &'a [Value] {
        match raw.get(key) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.say(&join(path, key), "it must be a list");
                &[]
            }
        }
    }

    fn each(&mut self, raw: &Object, path: &str, key: &str, read: fn(&mut Self, &Object, &str)) {
        for (index, item) in self.list(raw, path, key).iter().enumerate() {
            let path = format!("{}[{index}]", join(path, key));
            match item {
                Value::Object(object) => read(self, object, &path),
                _ => self.say(&path, "it must be an object"),
            }
        }
    }
}
