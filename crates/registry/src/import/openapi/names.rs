//! Names of tools: from the operation's identifier, or from its method and path. The same document gives the same names
//! in whatever order its operations stand.

use std::collections::HashMap;

use portreeve_inspect::sha256_hex;

use super::operations::Operation;

/// Longest name of a tool.
pub(super) const LONGEST: usize = 64;
/// What tells names apart that would be the same.
const MARK: usize = 6;

/// The name of each operation, in their order.
pub(super) fn names(operations: &[Operation<'_>]) -> Vec<String> {
    let plain: Vec<String> = operations.iter().map(plain).collect();
    let mut count: HashMap<String, usize> = HashMap::new();
    for name in &plain {
        *count.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let is_shared = |name: &str| {
        count
            .get(&name.to_ascii_lowercase())
            .is_some_and(|count| *count > 1)
    };
    operations
        .iter()
        .zip(plain)
        .map(|(operation, name)| {
            if is_shared(&name) {
                marked(&name, operation)
            } else {
                name
            }
        })
        .collect()
}

fn plain(operation: &Operation<'_>) -> String {
    let id = operation.id().map(word).filter(|name| !name.is_empty());
    let name = id.unwrap_or_else(|| word(&format!("{}_{}", operation.method.to_lowercase(), operation.path)));
    if name.len() > LONGEST {
        marked(&name, operation)
    } else {
        name
    }
}

/// Letters, digits, `_` and `-`; everything else becomes one `_`.
pub(super) fn word(text: &str) -> String {
    let mut word = String::with_capacity(text.len().min(256));
    for character in text.chars().take(256) {
        if character.is_ascii_alphanumeric() || character == '-' {
            word.push(character);
        } else if !word.ends_with('_') {
            word.push('_');
        }
    }
    word.trim_matches('_').to_owned()
}

fn marked(name: &str, operation: &Operation<'_>) -> String {
    let whole = format!("{} {}", operation.method, operation.path);
    let mark: String = sha256_hex(whole.as_bytes()).chars().take(MARK).collect();
    let head: String = name.chars().take(LONGEST - MARK - 1).collect();
    format!("{}_{mark}", head.trim_end_matches('_'))
}
