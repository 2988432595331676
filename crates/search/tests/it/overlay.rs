//! What changed a moment ago, in a segment of its own over the others, is seen by whom it may be seen, and by nobody else.

use portreeve_search::Index;

use crate::world::{ask, entry, names, put, settled, told, unlisted, with_tool};

fn many() -> Index {
    let entries: Vec<_> = (0..200)
        .map(|number| entry(&format!("com.acme/mail-{number}"), ("Mail", "Sends letters"), &[]))
        .collect();
    Index::default().with(&[], &entries)
}

#[test]
fn what_is_closed_over_a_segment_is_closed() {
    let listed = put(&many(), entry("com.acme/zeppelin", ("Zeppelin", "Flies"), &[]));
    assert_eq!(names(&listed, "zeppelin", false), ["com.acme/zeppelin"]);
    let closed = put(
        &settled(listed),
        unlisted(entry("com.acme/zeppelin", ("Zeppelin", "Flies"), &[])),
    );
    assert!(closed.segments() > 1, "the change lies over the others");
    for text in ["zeppelin", "zep", "flies"] {
        assert!(names(&closed, text, false).is_empty(), "{text}");
    }
    assert!(
        ask(&closed, "zepelin", false).corrected.is_empty(),
        "no slip tells that it is there"
    );
    assert_eq!(ask(&closed, "zepelin", true).corrected[0].1, "zeppelin");
    assert_eq!(names(&closed, "zeppelin", true), ["com.acme/zeppelin"]);
}

#[test]
fn a_tool_over_a_segment_is_found_by_who_may_see_it() {
    let plain = || entry("com.acme/mail-7", ("Mail", "Sends letters"), &[]);
    let index = put(&many(), with_tool(plain(), "read_parchment"));
    assert!(names(&index, "parchment", false).is_empty());
    let found = told(&index, &ask(&index, "parchment", true));
    assert_eq!(found[0].2, ["read_parchment"]);
    let without = put(&index, plain());
    assert!(
        names(&without, "parchment", true).is_empty(),
        "a tool that went is not found"
    );
    assert_eq!(without.len(), 200);
}

#[test]
fn what_was_removed_is_gone_before_it_is_written_anew() {
    let index = put(&many(), entry("com.acme/zeppelin", ("Zeppelin", "Flies"), &[]));
    let index = index.with(
        &["com.acme/zeppelin".to_owned(), "com.acme/mail-3".to_owned()],
        &[],
    );
    assert!(names(&index, "zeppelin", true).is_empty());
    assert_eq!(names(&index, "mail", true).len(), 199);
    assert!(index.containing("zeppelin", ("", 10), |_| true).is_empty());
}

#[test]
fn where_an_entry_runs_is_kept_when_segments_are_joined() {
    let mut index = Index::default();
    for number in 0..40 {
        let mut deployed = entry(&format!("com.acme/mail-{number}"), ("Mail", "Sends letters"), &[]);
        deployed.environments = vec!["production".parse().unwrap(), "test".parse().unwrap()];
        index = settled(put(&index, deployed));
    }
    assert!(index.segments() < 40, "some were joined");
    for hit in ask(&index, "", false).hits {
        let entry = index.entry(hit.entry).unwrap();
        assert_eq!(entry.environments().collect::<Vec<_>>(), ["production", "test"]);
    }
}
