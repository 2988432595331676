//! Schemas of arguments, compiled once and kept within a bound.

use std::sync::{Arc, Weak};

use portreeve_core::rest::Bindings;
use portreeve_inspect::ToolSchema;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Approved;

/// The compiled schemas of a node.
pub struct Schemas(Cache<Key, Arc<Kept>, Weight>);

/// Of which tool. Bindings never change, so their place names them as long as somebody holds on to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    bindings: usize,
    tool: String,
}

struct Kept {
    /// Keeps the place from being given to other bindings.
    bindings: Weak<Bindings>,
    hash: Arc<str>,
    schema: Result<ToolSchema, String>,
    bytes: usize,
}

#[derive(Clone)]
struct Weight;

/// A compiled schema takes several times the bytes of its text.
const COMPILED: usize = 12;
/// A guess that only sets the size of tables at the start.
const SCHEMAS: usize = 256;

/// What is left of an approved definition here.
#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "inputSchema")]
    input_schema: Value,
}

/// A schema that judges arguments, or why there is none.
pub(super) struct Judge(Arc<Kept>);

impl Judge {
    pub(super) fn schema(&self) -> Result<&ToolSchema, &str> {
        self.0.schema.as_ref().map_err(String::as_str)
    }
}

// === impl Schemas ===

impl Schemas {
    /// None yet; never more than about so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Cache::with_weighter(SCHEMAS, bytes as u64, Weight))
    }

    /// The schema that the arguments of a tool must meet.
    pub(super) fn of(
        &self,
        bindings: &Arc<Bindings>,
        tool: &str,
        approved: &Approved,
        other: Option<&Map<String, Value>>,
    ) -> Judge {
        let key = Key {
            bindings: Arc::as_ptr(bindings) as usize,
            tool: tool.to_owned(),
        };
        if let Some(kept) = self.0.get(&key)
            && *kept.hash == *approved.hash
            && std::ptr::eq(kept.bindings.as_ptr(), Arc::as_ptr(bindings))
        {
            return Judge(kept);
        }
        let (schema, bytes) = match other {
            Some(schema) => {
                let schema = Value::Object(schema.clone());
                (compile(&schema), schema.to_string().len())
            }
            None => match serde_json::from_str::<Definition>(&approved.definition) {
                Ok(definition) => (compile(&definition.input_schema), approved.definition.len()),
                Err(error) => (Err(error.to_string()), approved.definition.len()),
            },
        };
        let kept = Arc::new(Kept {
            bindings: Arc::downgrade(bindings),
            hash: Arc::clone(&approved.hash),
            schema,
            bytes,
        });
        self.0.insert(key, Arc::clone(&kept));
        Judge(kept)
    }
}

fn compile(schema: &Value) -> Result<ToolSchema, String> {
    ToolSchema::compile(schema).map_err(|error| error.to_string())
}

// === impl Weight ===

impl Weighter<Key, Arc<Kept>> for Weight {
    fn weight(&self, key: &Key, kept: &Arc<Kept>) -> u64 {
        (kept.bytes * COMPILED + key.tool.len() + 512) as u64
    }
}
