//! Goose: `extensions` of its `config.yaml`. What is built in is no server; keys of its key ring are named, not read.

use portreeve_core::secret::Secret;
use serde_json::Value;

use super::{Client, Form, Launch, Place, Surroundings, System, read};

pub(super) struct Goose;

impl Client for Goose {
    fn id(&self) -> &'static str {
        "goose"
    }

    fn title(&self) -> &'static str {
        "Goose"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let folder = match around.system {
            System::Windows => around.config.join("Block").join("goose").join("config"),
            System::Linux => around.config.join("goose"),
            System::MacOs => around.home.join(".config").join("goose"),
        };
        vec![Place::new(
            folder.join("config.yaml"),
            Form::Yaml,
            &["extensions"],
        )]
    }

    fn launch(&self, value: &Value) -> Result<Launch, &'static str> {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "stdio" | "sse" | "streamable_http") {
            return Err("it is a part of Goose, and no server");
        }
        let mut launch = read::common(value)?;
        let keys = value.get("env_keys").and_then(Value::as_array);
        let keys = keys.into_iter().flatten().filter_map(Value::as_str);
        if let Launch::Process { env, .. } = &mut launch {
            env.extend(keys.map(|name| (name.to_owned(), Secret::new(""))));
        }
        Ok(launch)
    }
}
