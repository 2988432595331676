//! The path: pieces of the description, and values that cannot leave their segment.

use portreeve_core::rest::{Binding, Encoding, Parameter, Piece, Style};

use super::values::{Flat, content};
use super::{Filling, Problems, percent, problem, value_of};

/// Writes the path behind the base path.
pub(super) fn write(binding: &Binding, filling: Filling<'_>, problems: &mut Problems) -> String {
    let mut path = String::new();
    let mut place = String::new();
    // Whose value a step up comes from, as far as that is known.
    let mut steps = None;
    for piece in &binding.path {
        match piece {
            Piece::Literal(literal) => path.push_str(&percent::literal(literal)),
            Piece::Parameter(name) => {
                let Some(parameter) = binding.path_parameter(name) else {
                    problems.push(problem(
                        "",
                        format!("the path needs `{name}`, which the tool does not have"),
                    ));
                    continue;
                };
                match value_of(parameter, filling) {
                    Some((value, pointer)) => {
                        if steps.is_none() && leads_up(finished(&path)) {
                            steps = Some(place);
                        }
                        let text = one(parameter, value);
                        if text.is_empty() {
                            problems.push(problem(&pointer, "an empty value would name something else"));
                        }
                        path.push_str(&text);
                        if steps.is_none() && leads_up(finished(&path)) {
                            steps = Some(pointer.clone());
                        }
                        place = pointer;
                    }
                    None => problems.push(problem("", format!("`{name}` is missing"))),
                }
            }
        }
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    if leads_up(&path) {
        // Encoded or not, servers and proxies on the way take such a component for a step up.
        problems.push(problem(
            &steps.unwrap_or(place),
            "`.` and `..` cannot stand alone in a path, nor between slashes of a value",
        ));
    }
    path
}

/// Whether a reader that decodes slashes, or takes backslashes for them, finds a `.` or a `..` among the components; what
/// stands behind a semicolon is no part of a component for some.
fn leads_up(path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|component| {
        let name = component.split(';').next().unwrap_or_default();
        matches!(name, "." | "..")
    })
}

/// What no later piece of a path can change: all but its last component, slashes of values included.
fn finished(path: &str) -> &str {
    let ends = ["/", "%2F", "%5C"].map(|slash| path.rfind(slash).unwrap_or(0));
    let end = ends.into_iter().max().unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

fn one(parameter: &Parameter, value: &serde_json::Value) -> String {
    let (style, explode) = match &parameter.encoding {
        Encoding::Content { media_type } => return percent::text(&content(value, media_type)).into_owned(),
        Encoding::Styled { style, explode, .. } => (*style, *explode),
    };
    let flat = Flat::of(value);
    if flat == Flat::Nothing {
        return String::new();
    }
    match style {
        Style::Label => {
            let between = if explode { "." } else { "," };
            format!(".{}", flat.line(between, explode, percent::text))
        }
        Style::Matrix => matrix(&parameter.name, &flat, explode),
        _ => flat.line(",", explode, percent::text),
    }
}

fn matrix(name: &str, flat: &Flat, explode: bool) -> String {
    let name = percent::text(name);
    match flat {
        Flat::List(list) if explode => list
            .iter()
            .map(|one| format!(";{name}={}", percent::text(one)))
            .collect(),
        Flat::Members(_) if explode => format!(";{}", flat.line(";", true, percent::text)),
        Flat::One(one) if one.is_empty() => format!(";{name}"),
        other => format!(";{name}={}", other.line(",", false, percent::text)),
    }
}
