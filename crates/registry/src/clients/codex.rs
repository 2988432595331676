//! Codex CLI: tables of `~/.codex/config.toml`. It may name environment variables instead of values; these names are no
//! secrets, and what they hold is not read.

use portreeve_core::secret::Secret;
use serde_json::Value;

use super::{Client, Form, Launch, Place, Surroundings, read};

pub(super) struct Codex;

impl Client for Codex {
    fn id(&self) -> &'static str {
        "codex"
    }

    fn title(&self) -> &'static str {
        "Codex CLI"
    }

    fn places(&self, around: &Surroundings) -> Vec<Place> {
        let file = around.home.join(".codex").join("config.toml");
        vec![Place::new(file, Form::Toml, &["mcp_servers"])]
    }

    fn launch(&self, value: &Value) -> Result<Launch, &'static str> {
        let mut launch = read::common(value)?;
        match &mut launch {
            Launch::Remote { headers, .. } => {
                if value.get("bearer_token_env_var").is_some() {
                    headers.push(("Authorization".to_owned(), Secret::new("")));
                }
                let named = value.get("env_http_headers").and_then(Value::as_object);
                let named = named.into_iter().flatten();
                headers.extend(named.map(|(name, _)| (name.clone(), Secret::new(""))));
            }
            Launch::Process { env, .. } => {
                let named = value.get("env_vars").and_then(Value::as_array);
                let named = named.into_iter().flatten().filter_map(Value::as_str);
                env.extend(named.map(|name| (name.to_owned(), Secret::new(""))));
            }
        }
        Ok(launch)
    }
}
