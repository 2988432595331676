//! How the index is laid out after many changes: few segments, and little memory.

use portreeve_search::Index;

use crate::world::{ask, entry, put, settled};

fn described(number: usize) -> portreeve_core::ports::Searchable {
    let words = [
        "mail", "weather", "invoice", "calendar", "ticket", "graph", "vector", "cloud",
    ];
    let word = |step: usize| words[(number * 7 + step * 3) % words.len()];
    let name = format!("com.maker-{}/{}-{number}", number % 97, word(0));
    let description = format!("A server for {} and {} with every {}", word(1), word(2), word(3));
    entry(&name, (word(0), &description), &[word(1)])
}

#[test]
fn a_thousand_changes_leave_few_segments() {
    let mut index = Index::default();
    for number in 0..1_000 {
        index = settled(put(&index, described(number)));
        assert!(index.segments() <= 16, "{}", index.segments());
    }
    assert_eq!(index.len(), 1_000);
}

#[test]
fn what_is_changed_again_and_again_is_not_kept() {
    let entries: Vec<_> = (0..1_000).map(described).collect();
    let mut index = Index::default().with(&[], &entries);
    let before = index.bytes();
    for round in 0..4 {
        for number in (round * 7..1_000).step_by(5) {
            index = settled(put(&index, described(number)));
        }
    }
    assert_eq!(index.len(), 1_000);
    assert!(index.bytes() < before * 3, "{} of {before}", index.bytes());
}

#[test]
fn an_entry_takes_less_than_a_kilobyte() {
    let entries: Vec<_> = (0..5_000).map(described).collect();
    let index = Index::default().with(&[], &entries);
    assert!(index.bytes() < 5_000 * 700, "{}", index.bytes() / 5_000);
}

#[test]
fn at_most_a_thousand_are_ranked_and_the_best_are_among_them() {
    let mut entries: Vec<_> = (0..9_000)
        .map(|number| entry(&format!("com.acme/s{number:05}"), ("Letters", "Reads mail"), &[]))
        .collect();
    entries.push(entry("com.acme/zz-mail", ("Mail", "Reads mail"), &[]));
    let index = Index::default().with(&[], &entries);
    let ranked = ask(&index, "mail", false);
    assert_eq!((ranked.hits.len(), ranked.more), (1_000, true));
    let first = index.entry(ranked.hits[0].entry).unwrap();
    assert_eq!(first.name().as_str(), "com.acme/zz-mail");
    let second = index.entry(ranked.hits[1].entry).unwrap();
    assert_eq!(
        second.name().as_str(),
        "com.acme/s00000",
        "equals are ordered by name"
    );
    let last = index.entry(ranked.hits[999].entry).unwrap();
    assert_eq!(last.name().as_str(), "com.acme/s00998");
}
