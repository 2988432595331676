//! Names that are easily taken for another: one letter off, letters that look alike, a well-known maker's namespace, a
//! verified partner's.

mod letters;
mod partners;

pub(crate) use partners::Vouched;

use letters::{shown, skeleton};

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct NearNames;

/// Names to compare with, each with what is compared: there are thousands, and many versions are judged against them.
#[derive(Default)]
pub(crate) struct Neighbours {
    /// All of them, and all skeletons, one behind the other: a text of its own for each takes three times as much memory.
    names: String,
    skeletons: String,
    /// Where the name and the skeleton of each end.
    ends: Vec<(usize, usize)>,
}

impl Neighbours {
    pub(super) fn of(names: Vec<String>) -> Self {
        let mut neighbours = Self::default();
        for name in names {
            neighbours.names.push_str(&name);
            neighbours.skeletons.push_str(&skeleton(&name));
            neighbours
                .ends
                .push((neighbours.names.len(), neighbours.skeletons.len()));
        }
        neighbours.names.shrink_to_fit();
        neighbours.skeletons.shrink_to_fit();
        neighbours
    }

    /// Each name with its skeleton.
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(&(0, 0)).chain(&self.ends);
        starts.zip(&self.ends).filter_map(|(start, end)| {
            let name = self.names.get(start.0..end.0)?;
            Some((name, self.skeletons.get(start.1..end.1)?))
        })
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
                notes.show(Severity::High, "name", message, shown(&namespace));
            }
        }
        let own = name.as_str().to_ascii_lowercase();
        let bones = skeleton(&own);
        for (other, skeleton) in subject.neighbours.iter() {
            if other.eq_ignore_ascii_case(&own) {
                continue;
            }
            let severity = if bones == skeleton {
                Severity::High
            } else if own.len() >= SHORTEST && is_one_edit(&own, other) {
                Severity::Medium
            } else {
                continue;
            };
            let other_namespace = other.split('/').next().unwrap_or_default();
            let same_namespace = other_namespace.eq_ignore_ascii_case(&namespace);
            // Who owns a namespace may name two things alike.
            let severity = if same_namespace { Severity::Low } else { severity };
            notes.show(
                severity,
                "name",
                format!("is easily taken for `{other}`"),
                shown(&own),
            );
        }
    }
}

fn is_near(one: &str, other: &str) -> bool {
    skeleton(one) == skeleton(other) || (other.len() >= SHORTEST && is_one_edit(one, other))
}

/// Whether one text becomes the other by one letter more, less, or other, or by two that change places. Small letters and
/// capitals are the same.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    if long.len() - short.len() > 1 || short.eq_ignore_ascii_case(long) {
        return false;
    }
    let is_rest = |from: usize, of_long: usize| rest(short, from).eq_ignore_ascii_case(rest(long, of_long));
    let same = short.iter().zip(long);
    let same = same.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    if short.len() < long.len() {
        return is_rest(same, same + 1);
    }
    if is_rest(same + 1, same + 1) {
        return true;
    }
    let is_letter = |of_short: usize, of_long: usize| {
        let letters = short.get(of_short).zip(long.get(of_long));
        letters.is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    is_letter(same, same + 1) && is_letter(same + 1, same) && is_rest(same + 2, same + 2)
}

fn rest(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Neighbours, is_near, is_one_edit, skeleton};

    #[test]
    fn each_name_stands_beside_its_own_skeleton() {
        let names = ["com.acme/Tool", "x/y", "io.github.ada/t00l"].map(str::to_owned);
        let kept = Neighbours::of(names.to_vec());
        let kept: Vec<_> = kept.iter().collect();
        assert_eq!(kept.len(), names.len());
        for (name, (kept, bones)) in names.iter().zip(kept) {
            assert_eq!(kept, name);
            assert_eq!(bones, skeleton(name));
        }
    }

    #[test]
    fn one_edit_is_one_letter_or_two_that_change_places() {
        for (one, other) in [
            ("com.acme/tool", "com.acme/tools"),
            ("com.acme/tool", "com.acme/tol"),
            ("com.acme/tool", "com.acne/tool"),
            ("com.acme/tool", "com.amce/tool"),
            ("xcom.acme/tool", "com.acme/tool"),
            ("Com.Acme/tool", "com.aCme/tools"),
            ("com.acme/otol", "com.acme/Tool"),
        ] {
            assert!(
                is_one_edit(one, other) && is_one_edit(other, one),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("com.acme/tool", "com.acme/tool"),
            ("com.acme/tool", "COM.acme/tool"),
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
