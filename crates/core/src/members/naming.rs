//! The names under which a virtual server offers what its members have. A name stays as its member gave it, unless another
//! member has one like it already: then the member's prefix stands before it. Once given, a name is kept, whatever becomes of
//! the others: models and people remember it.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{CALL_TOOL, Member, SEARCH_TOOLS, SEPARATOR, VirtualServer};
use crate::name::Slug;
use crate::server::as_words;

/// Longest name (2025-11-25, tools, tool names).
const LONGEST: usize = 128;

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
}

as_words!(Kind { Tool = "tool", Prompt = "prompt" });

/// A name that was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    /// What it names.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The route of the member that has it.
    pub member: Slug,
    /// What the member calls it.
    pub own: String,
}

/// Given names, to look up both ways.
#[derive(Debug, Default)]
pub struct Naming {
    owners: HashMap<(Kind, String), (Slug, String)>,
    names: HashMap<(Kind, Slug, String), String>,
}

// === impl Given ===

impl Given {
    /// What no other name of its kind may be like: names that look alike are one.
    pub fn folded(&self) -> String {
        folded(&self.name)
    }
}

// === impl Naming ===

impl Naming {
    /// These names.
    pub fn of(all: impl IntoIterator<Item = Given>) -> Self {
        let mut naming = Self::default();
        for given in all {
            let Given {
                kind,
                name,
                member,
                own,
            } = given;
            naming
                .owners
                .insert((kind, name.clone()), (member.clone(), own.clone()));
            naming.names.insert((kind, member, own), name);
        }
        naming
    }

    /// Whose a name is, and what it is called there.
    pub fn owner(&self, kind: Kind, name: &str) -> Option<(&Slug, &str)> {
        let (member, own) = self.owners.get(&(kind, name.to_owned()))?;
        Some((member, own))
    }

    /// The name of something of a member.
    pub fn name(&self, kind: Kind, member: &Slug, own: &str) -> Option<&str> {
        let key = (kind, member.clone(), own.to_owned());
        self.names.get(&key).map(String::as_str)
    }
}

/// Names for what has none yet, in the order of the members. What cannot be told from something else has none.
pub fn give(server: &VirtualServer, kind: Kind, known: &[Given], lists: &[(&Slug, Vec<&str>)]) -> Vec<Given> {
    let known = known.iter().filter(|given| given.kind == kind);
    let mut taken: HashSet<String> = [SEARCH_TOOLS, CALL_TOOL].map(folded).into();
    let mut named: HashSet<(&str, &str)> = HashSet::new();
    for given in known {
        taken.insert(given.folded());
        named.insert((given.member.as_str(), &given.own));
    }
    let mut new = Vec::new();
    for member in &server.members {
        let own = lists.iter().filter(|(route, _)| **route == member.route);
        for own in own.flat_map(|(_, names)| names) {
            if !is_plain(own) || !named.insert((member.route.as_str(), own)) {
                continue;
            }
            let prefixed = format!("{}{SEPARATOR}{own}", member.prefix);
            let bare = (!claims_another(server, member, own)).then(|| (*own).to_owned());
            let free = bare
                .into_iter()
                .chain([prefixed])
                .find(|name| is_plain(name) && !taken.contains(&folded(name)));
            if let Some(name) = free {
                taken.insert(folded(&name));
                new.push(Given {
                    kind,
                    name,
                    member: member.route.clone(),
                    own: (*own).to_owned(),
                });
            }
        }
    }
    new
}

/// Whether a name looks as if another member had given it its prefix.
fn claims_another(server: &VirtualServer, member: &Member, own: &str) -> bool {
    let own = folded(own);
    let others = server.members.iter().filter(|other| other.route != member.route);
    others.map(|other| folded(other.prefix.as_str())).any(|prefix| {
        own.strip_prefix(&prefix)
            .is_some_and(|rest| rest.starts_with(SEPARATOR))
    })
}

/// Whether a name has 1 to 128 characters that cannot be taken for others: letters and digits of ASCII, `_`, `-` and `.`.
pub fn is_plain(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Whether two names look alike.
pub fn looks_alike(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// The same for names that look alike: in any case, with `1` or `I` for `l`, with `0` for `O`, with `-` or `.` for `_`.
pub(super) fn folded(name: &str) -> String {
    let one = |c: char| match c.to_ascii_lowercase() {
        '1' | 'i' => 'l',
        '0' => 'o',
        '-' | '.' => '_',
        other => other,
    };
    name.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(members: &str) -> VirtualServer {
        VirtualServer::at(&format!("virtual:{members}")).unwrap()
    }

    fn named(server: &VirtualServer, known: &[Given], lists: &[(&str, &[&str])]) -> Vec<String> {
        let slugs: Vec<Slug> = lists.iter().map(|(slug, _)| slug.parse().unwrap()).collect();
        let lists: Vec<_> = slugs
            .iter()
            .zip(lists)
            .map(|(slug, (_, names))| (slug, names.to_vec()))
            .collect();
        let given = give(server, Kind::Tool, known, &lists);
        given.into_iter().map(|given| given.name).collect()
    }

    #[test]
    fn a_gw_3_names_stay_and_the_second_of_two_gets_a_prefix() {
        let two = server("billing,jira=j");
        let lists: [(&str, &[&str]); 2] = [("billing", &["send", "pay"]), ("jira", &["send", "open"])];
        assert_eq!(named(&two, &[], &lists), ["send", "pay", "j__send", "open"]);
    }

    #[test]
    fn a_gw_3_a_name_that_was_given_stays_when_its_rival_goes() {
        let two = server("billing,jira");
        let known = [Given {
            kind: Kind::Tool,
            name: "jira__send".to_owned(),
            member: "jira".parse().unwrap(),
            own: "send".to_owned(),
        }];
        assert_eq!(
            named(&two, &known, &[("billing", &[]), ("jira", &["send"])]),
            [""; 0]
        );
        assert_eq!(named(&two, &known, &[("billing", &["send"])]), ["send"]);
    }

    #[test]
    fn a_gw_3_no_member_claims_the_prefix_of_another() {
        let two = server("billing,jira");
        assert_eq!(
            named(
                &two,
                &[],
                &[("billing", &["jira__open", "JIRA__close", "j1ra__x"])]
            ),
            ["billing__jira__open", "billing__JIRA__close", "billing__j1ra__x"]
        );
        assert_eq!(named(&two, &[], &[("jira", &["jira__open"])]), ["jira__open"]);
    }

    #[test]
    fn a_gw_3_names_that_look_alike_are_one_and_invisible_characters_are_refused() {
        let two = server("a,b");
        assert_eq!(
            named(
                &two,
                &[],
                &[("a", &["send_mail", "bill"]), ("b", &["Send-Mail", "bi1l"])]
            ),
            ["send_mail", "bill", "b__Send-Mail", "b__bi1l"]
        );
        let odd = ["send\u{200b}mail", "s\u{435}nd", "two words", "", "\u{202e}x"];
        assert_eq!(named(&two, &[], &[("a", &odd)]), [""; 0]);
    }

    #[test]
    fn the_two_tools_that_search_keep_their_names() {
        assert_eq!(
            named(&server("a,b"), &[], &[("a", &["search_tools", "call_tool"])]),
            ["a__search_tools", "a__call_tool"]
        );
    }
}
