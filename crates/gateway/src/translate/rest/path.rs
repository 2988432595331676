//! The path: pieces of the description, and values that cannot leave their segment.

use portreeve_core::rest::{Binding, Encoding, Parameter, Piece, Style};

use super::values::{Flat, content};
use super::{Filling, Problems, percent, problem, value_of};

/// Writes the path behind the base path.
pub(super) fn write(binding: &Binding, filling: Filling<'_>, problems: &mut Problems) -> String {
    let mut path = String::new();
    let mut place = String::new();
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
                        let text = one(parameter, value);
                        if text.is_empty() {
                            problems.push(problem(&pointer, "an empty value would name something else"));
                        }
                        path.push_str(&text);
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
    if path.split('/').any(is_dots) {
        // Encoded or not, servers and proxies on the way take such a segment for a step up.
        problems.push(problem(&place, "`.` and `..` cannot stand alone in a path"));
    }
    path
}

/// Whether a segment is `.` or `..`, in whatever notation.
fn is_dots(segment: &str) -> bool {
    matches!(
        segment.replace("%2E", ".").replace("%2e", ".").as_str(),
        "." | ".."
    )
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
