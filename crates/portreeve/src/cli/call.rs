//! The arguments of `portreeve call`, and how `--arg` and `--json-args` become the arguments of the tool.

use clap::Args;
use serde_json::{Map, Value};

use super::Failure;

/// `portreeve call`
#[derive(Debug, Clone, Args)]
pub(crate) struct CallArgs {
    /// The server's name, as in `com.acme/billing`, or the slug of its route
    pub(crate) name: String,
    /// The tool's name
    pub(crate) tool: String,
    #[command(flatten)]
    pub(crate) arguments: ToolArguments,
}

/// The arguments of a tool, in one of two forms.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ToolArguments {
    /// One argument; the value is JSON if it can be read as JSON, else text
    #[arg(long = "arg", value_name = "NAME=VALUE", conflicts_with = "json_args")]
    arg: Vec<String>,
    /// All arguments as one JSON object
    #[arg(long, value_name = "JSON")]
    json_args: Option<String>,
}

impl ToolArguments {
    /// Whether an object of arguments was written, be it empty.
    pub(crate) fn are_said(&self) -> bool {
        self.json_args.is_some()
    }

    /// The arguments as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Failure> {
        if let Some(text) = &self.json_args {
            return match serde_json::from_str(text) {
                Ok(Value::Object(object)) => Ok(object),
                Ok(_) => Err(Failure::new("`--json-args` is JSON, but not an object")
                    .hint(r#"write it as in `--json-args '{"city":"Oslo"}'`"#)),
                Err(error) => Err(Failure::new(format!("`--json-args` is not JSON: {error}"))
                    .hint("put it in single quotes, so that the shell leaves it as it is")),
            };
        }
        let mut object = Map::new();
        for pair in &self.arg {
            let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                return Err(Failure::new(format!("`--arg {pair}` has no value"))
                    .hint("write it as `--arg name=value`"));
            };
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            if object.insert(name.to_owned(), value).is_some() {
                return Err(Failure::new(format!("`--arg {name}` was given twice"))
                    .hint("for a list, write its JSON: `--arg 'tags=[\"a\",\"b\"]'`"));
            }
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args(pairs: &[&str]) -> ToolArguments {
        ToolArguments {
            arg: pairs.iter().map(|pair| (*pair).to_owned()).collect(),
            json_args: None,
        }
    }

    #[test]
    fn a_value_is_json_if_it_can_be() {
        let pairs = [
            "n=5",
            "on=true",
            "list=[1,2]",
            "city=Oslo",
            "eq=a=b",
            "quoted=\"5\"",
            "empty=",
        ];
        let expected = json!({"n":5,"on":true,"list":[1,2],"city":"Oslo","eq":"a=b","quoted":"5","empty":""});
        assert_eq!(args(&pairs).object().map(Value::Object), Ok(expected));
    }

    #[test]
    fn what_is_not_a_pair_is_refused() {
        for pairs in [&["city"][..], &["=Oslo"], &["a=1", "a=2"]] {
            assert!(args(pairs).object().is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn an_object_is_taken_as_it_is() {
        let json = |text: &str| ToolArguments {
            arg: Vec::new(),
            json_args: Some(text.to_owned()),
        };
        assert_eq!(
            json(r#"{"a":[]}"#).object().map(Value::Object),
            Ok(json!({"a":[]}))
        );
        assert!(json("[1]").object().is_err());
        assert!(json("{a:1}").object().is_err());
    }
}
