//! After any order of changes and joins, an index answers as one that is built anew.

use std::collections::BTreeMap;

use portreeve_core::ports::Searchable;
use portreeve_search::Index;
use proptest::prelude::*;

use crate::world::{ask, entry, settled, told, unlisted, with_tool};

/// Words that share beginnings, and are slips of each other.
const WORDS: [&str; 12] = [
    "mail", "mails", "mailing", "slack", "slakc", "weather", "wether", "post", "postgres", "postgers",
    "list", "server",
];

/// What happens to the index.
#[derive(Debug, Clone)]
enum Step {
    /// Entries change together: by number, with words or without an entry from now on.
    Change(Vec<(u8, Option<Words>)>),
    /// Somebody begins to join what should be joined, entries change meanwhile, and he ends.
    Join(Vec<(u8, Option<Words>)>),
}

/// The words of an entry, by number, and whether it is listed.
#[derive(Debug, Clone)]
struct Words {
    title: [u8; 2],
    description: [u8; 3],
    tool: u8,
    is_listed: bool,
}

fn word(number: u8) -> &'static str {
    WORDS[usize::from(number) % WORDS.len()]
}

fn searchable(number: u8, words: &Words) -> Searchable {
    let text = |words: &[u8]| {
        words
            .iter()
            .map(|number| word(*number))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let name = format!("com.acme/{}-{number}", word(number));
    let made = entry(
        &name,
        (&text(&words.title), &text(&words.description)),
        &[word(words.tool)],
    );
    let made = with_tool(made, &format!("{}_{}", word(words.tool), word(number)));
    if words.is_listed { made } else { unlisted(made) }
}

fn words() -> impl Strategy<Value = Words> {
    (any::<[u8; 2]>(), any::<[u8; 3]>(), any::<u8>(), any::<bool>()).prop_map(
        |(title, description, tool, is_listed)| Words {
            title,
            description,
            tool,
            is_listed,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let changes = || prop::collection::vec((0..24_u8, prop::option::weighted(0.8, words())), 1..6);
    let step = prop_oneof![3 => changes().prop_map(Step::Change), 1 => changes().prop_map(Step::Join)];
    prop::collection::vec(step, 1..24)
}

fn changed(index: &Index, changes: &[(u8, Option<Words>)], now: &mut BTreeMap<String, Searchable>) -> Index {
    let mut names = Vec::new();
    for (number, words) in changes {
        let name = format!("com.acme/{}-{number}", word(*number));
        match words {
            Some(words) => now.insert(name.clone(), searchable(*number, words)),
            None => now.remove(&name),
        };
        names.push(name);
    }
    names.sort();
    names.dedup();
    let entries: Vec<Searchable> = names.iter().filter_map(|name| now.get(name).cloned()).collect();
    index.with(&names, &entries)
}

proptest! {
    #[test]
    fn any_order_of_changes_answers_as_an_index_built_anew(steps in steps()) {
        let mut now = BTreeMap::new();
        let mut index = Index::default();
        for step in &steps {
            index = match step {
                Step::Change(changes) => changed(&index, changes, &mut now),
                Step::Join(changes) => {
                    let merge = index.to_merge(usize::MAX);
                    let meanwhile = changed(&index, changes, &mut now);
                    merge.map_or(meanwhile.clone(), |merge| meanwhile.with_merged(merge.run()))
                }
            };
        }
        let entries: Vec<Searchable> = now.into_values().collect();
        let anew = Index::default().with(&[], &entries);
        let settled = settled(index.clone());
        for text in [
            "", "mail", "mai", "slack mail", "wether post", "postgrse list", "m", "list weather", "server",
        ] {
            for is_manager in [true, false] {
                let expected = ask(&anew, text, is_manager);
                for index in [&index, &settled] {
                    let found = ask(index, text, is_manager);
                    prop_assert_eq!(told(index, &found), told(&anew, &expected), "{}", text);
                    prop_assert_eq!(&found.terms, &expected.terms);
                    prop_assert_eq!(found.more, expected.more);
                    let typed = |of: &portreeve_search::Ranked| -> Vec<String> {
                        of.corrected.iter().map(|(typed, _)| typed.clone()).collect()
                    };
                    prop_assert_eq!(typed(&found), typed(&expected));
                }
            }
        }
        for needle in ["ail", "post", "com.acme/s", "\0"] {
            for from in ["", "com.acme/p"] {
                let all = |index: &Index| index.containing(needle, (from, 5), |entry| entry.is_listed());
                prop_assert_eq!(all(&index), all(&anew), "{} from {}", needle, from);
                prop_assert_eq!(all(&settled), all(&anew), "{} from {}", needle, from);
            }
        }
        prop_assert_eq!((index.len(), settled.len()), (entries.len(), entries.len()));
    }
}
