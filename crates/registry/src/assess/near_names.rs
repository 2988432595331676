//! Names that are easily taken for another: one letter off, letters that look alike, a well-known maker's namespace, a
//! verified partner's.

mod partners;

pub(crate) use partners::Vouched;

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct NearNames;

/// Names to compare with, each with what is compared: there are thousands, and many versions are judged against them.
#[derive(Default)]
pub(crate) struct Neighbours(Vec<Neighbour>);

struct Neighbour {
    name: String,
    folded: String,
    skeleton: String,
}

impl Neighbours {
    pub(super) fn of(names: Vec<String>) -> Self {
        let neighbour = |name: String| {
            let folded = name.to_ascii_lowercase();
            let skeleton = skeleton(&folded);
            Neighbour {
                name,
                folded,
                skeleton,
            }
        };
        Self(names.into_iter().map(neighbour).collect())
    }
}

/// Namespaces of makers whose names are worth faking.
const WELL_KNOWN: [&str; 16] = [
    "com.microsoft",
    "com.github",
    "com.google",
    "com.amazon",
    "com.atlassian",
    "com.stripe",
    "com.slack",
    "com.notion",
    "com.anthropic",
    "com.openai",
    "com.salesforce",
    "com.paypal",
    "com.cloudflare",
    "com.mongodb",
    "com.figma",
    "io.modelcontextprotocol",
];
/// Below this length nearly everything is one letter off something.
const SHORTEST: usize = 6;

impl Assessor for NearNames {
    fn id(&self) -> &'static str {
        "near-names"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        let Some(name) = &subject.view.name else { return };
        let namespace = name.namespace().to_ascii_lowercase();
        let said = partners::note(subject, &namespace, notes);
        let protected = WELL_KNOWN
            .iter()
            .copied()
            .chain(subject.protected.iter().map(String::as_str));
        for known in protected {
            let known = known.to_ascii_lowercase();
            let is_said = said.contains(&known.as_str());
            if namespace != known && !is_said && is_near(&namespace, &known) {
                let message = format!("is easily taken for the namespace `{known}`");
                notes.show(Severity::High, "name", message, namespace.clone());
            }
        }
        let own = name.as_str().to_ascii_lowercase();
        let bones = skeleton(&own);
        for other in &subject.neighbours.0 {
            let Neighbour {
                name: other,
                folded,
                skeleton,
            } = other;
            if *folded == own {
                continue;
            }
            let severity = if bones == *skeleton {
                Severity::High
            } else if own.len() >= SHORTEST && is_one_edit(&own, folded) {
                Severity::Medium
            } else {
                continue;
            };
            let same_namespace = folded.split('/').next() == Some(namespace.as_str());
            // Who owns a namespace may name two things alike.
            let severity = if same_namespace { Severity::Low } else { severity };
            notes.show(
                severity,
                "name",
                format!("is easily taken for `{other}`"),
                own.clone(),
            );
        }
    }
}

fn is_near(one: &str, other: &str) -> bool {
    skeleton(one) == skeleton(other) || (other.len() >= SHORTEST && is_one_edit(one, other))
}

/// The text with letters that look alike made one, and without what parts words.
fn skeleton(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' => 'l',
            '3' => 'e',
            '5' => 's',
            other => other,
        })
        .collect();
    plain.replace("rn", "m").replace("vv", "w")
}

/// Whether one text becomes the other by one letter more, less, or other, or by two that change places.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    if long.len() - short.len() > 1 || short == long {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    if short.len() < long.len() {
        return rest(short, same) == rest(long, same + 1);
    }
    if rest(short, same + 1) == rest(long, same + 1) {
        return true;
    }
    let swapped = short.get(same).zip(short.get(same + 1)) == long.get(same + 1).zip(long.get(same));
    swapped && rest(short, same + 2) == rest(long, same + 2)
}

fn rest(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{is_near, is_one_edit, skeleton};

    #[test]
    fn one_edit_is_one_letter_or_two_that_change_places() {
        for (one, other) in [
            ("com.acme/tool", "com.acme/tools"),
            ("com.acme/tool", "com.acme/tol"),
            ("com.acme/tool", "com.acne/tool"),
            ("com.acme/tool", "com.amce/tool"),
            ("xcom.acme/tool", "com.acme/tool"),
        ] {
            assert!(
                is_one_edit(one, other) && is_one_edit(other, one),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("com.acme/tool", "com.acme/tool"),
            ("com.acme/tool", "com.acme/fool!"),
            ("com.acme/tool", "com.other/tool"),
            ("", "ab"),
            ("ab", "cd"),
        ] {
            assert!(!is_one_edit(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_gw_8_letters_that_look_alike_are_one() {
        for (one, other) in [
            ("com.rnicrosoft", "com.microsoft"),
            ("com.g00gle", "com.google"),
            ("com.micros0ft", "com.microsoft"),
            ("com.paypa1", "com.paypal"),
            ("com.git-hub", "com.github"),
        ] {
            assert!(is_near(one, other), "{one} {other} {}", skeleton(one));
        }
        for (one, other) in [("com.acme", "com.google"), ("com.microsystems", "com.microsoft")] {
            assert!(!is_near(one, other), "{one} {other}");
        }
    }
}
