//! The file of a curation, and the texts of its prompts, which may be files beside it. The server gets all of it as one.

use std::path::Path;

use portreeve_core::limits::Limits;
use portreeve_registry::import::openapi::Curation;
use serde_json::{Value, json};

use super::super::Failure;
use super::openapi::read;

/// Reads a curation.
pub(super) fn curation(file: &Path) -> Result<Value, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::new(format!("cannot read `{}`: {reason}", file.display()))
            .hint("docs/rest.md shows what a curation may say")
    };
    let limits = Limits::default();
    let text = read(file, &limits).map_err(|reason| failed(&reason))?;
    let value = portreeve_registry::import::openapi::read(&text, &limits);
    let mut value = value.map_err(|error| failed(&error))?;
    if let Some(prompts) = value.get_mut("prompts").and_then(Value::as_object_mut) {
        for (name, prompt) in prompts {
            with_its_text(prompt, file, &limits)
                .map_err(|reason| failed(&format!("the prompt `{name}`: {reason}")))?;
        }
    }
    let curation: Curation = serde_json::from_value(value).map_err(|error| failed(&error))?;
    serde_json::to_value(curation).map_err(|error| failed(&error))
}

/// Puts the text of the file that a prompt names in its place, as the message of a person. Only files below the folder of
/// the curation are read: it may come from somebody else, and what it names is sent to the server.
fn with_its_text(prompt: &mut Value, beside: &Path, limits: &Limits) -> Result<(), String> {
    let Some(place) = prompt.get("file") else {
        return Ok(());
    };
    let place = place.as_str().ok_or("`file` is no text")?;
    if prompt.get("messages").is_some() {
        return Err("it has `file` and `messages`, and may have one of them".to_owned());
    }
    let whole = |path: &Path| {
        path.canonicalize()
            .map_err(|error| format!("`{}`: {error}", path.display()))
    };
    let beside = whole(beside)?;
    let folder = beside.parent().unwrap_or(Path::new("/"));
    let file = whole(&folder.join(place))?;
    if !file.starts_with(folder) {
        return Err(format!("`{place}` is not below the folder of the curation"));
    }
    let text = read(&file, limits)?;
    if let Some(members) = prompt.as_object_mut() {
        members.remove("file");
        members.insert("messages".to_owned(), json!([{ "role": "user", "text": text }]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_prompt_may_be_a_file_below_the_curation() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("harbour");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("brief.md"), "About {{ship}}.").unwrap();
        std::fs::write(outer.path().join("secret.md"), "secret").unwrap();
        let file = folder.join("curation.yaml");
        let with = |place: &str| {
            let text = format!("prompts: {{brief: {{file: {place}, arguments: [{{name: ship}}]}}}}\n");
            std::fs::write(&file, text).unwrap();
            curation(&file)
        };
        let read = with("brief.md").unwrap();
        assert_eq!(
            read["prompts"]["brief"]["messages"],
            json!([{"role": "user", "text": "About {{ship}}."}])
        );
        for outside in ["../secret.md", "none.md", "/etc/hostname"] {
            assert!(with(outside).is_err(), "{outside}");
        }
    }
}
