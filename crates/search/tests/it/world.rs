//! Entries to look for.

use portreeve_core::ports::Searchable;
use portreeve_core::profile::Profile;
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;
use portreeve_core::tool::ToolAnnotations;
use portreeve_search::{Index, Inside, Narrow, Question, Ranked, rank};
use serde_json::json;

/// An approved entry with this title, description and tags.
pub(crate) fn entry(name: &str, (title, description): (&str, &str), tags: &[&str]) -> Searchable {
    let document = json!({
        "name": name, "title": title, "description": description, "version": "1.0.0",
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided": {"tags": tags}},
    });
    let at = Timestamp::default();
    Searchable {
        name: name.parse().unwrap(),
        shown: Version {
            name: name.parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            document: document.to_string(),
            content_hash: String::new(),
            approval: Approval::Approved,
            lifecycle: Lifecycle::Production,
            former_lifecycle: None,
            ended_by: None,
            status_message: None,
            submitted_by: "user:test".to_owned(),
            decided_by: None,
            is_latest: true,
            metadata: Default::default(),
            published_at: at,
            status_changed_at: at,
            updated_at: at,
        },
        profile: Profile::default(),
        texts: vec![title.to_lowercase(), description.to_lowercase()],
        tools: Vec::new(),
        environments: Vec::new(),
    }
}

/// The same with a tool.
pub(crate) fn with_tool(mut entry: Searchable, tool: &str) -> Searchable {
    entry.tools.push((tool.to_owned(), ToolAnnotations::default()));
    entry
}

/// The same, known to managers alone.
pub(crate) fn unlisted(mut entry: Searchable) -> Searchable {
    entry.shown.approval = Approval::Submitted;
    entry
}

/// Takes an entry in, as a change of its own.
pub(crate) fn put(index: &Index, entry: Searchable) -> Index {
    index.with(&[entry.name.to_string()], &[entry])
}

/// Joins all that should be joined.
pub(crate) fn settled(mut index: Index) -> Index {
    while let Some(merge) = index.to_merge(usize::MAX) {
        index = index.with_merged(merge.run());
    }
    index
}

/// What somebody finds: a manager, who sees everything, or a stranger, who sees what is listed.
pub(crate) fn ask(index: &Index, text: &str, is_manager: bool) -> Ranked {
    let all = |_: &_, _: &str, _: &_| true;
    let narrow = Narrow::default();
    let question = Question {
        text,
        sees_unlisted: is_manager,
        exists: None,
        inside: is_manager.then_some(Inside {
            sees_tool: &all,
            discovers: &|_| true,
        }),
        narrow: &narrow,
    };
    rank(index, &question)
}

/// The names of results with what they are worth, and their tools.
pub(crate) fn told(index: &Index, ranked: &Ranked) -> Vec<(String, u64, Vec<String>)> {
    let hits = ranked.hits.iter();
    hits.map(|hit| {
        let entry = index.entry(hit.entry).unwrap();
        (entry.name().to_string(), hit.score, hit.tools.clone())
    })
    .collect()
}

/// The names of results.
pub(crate) fn names(index: &Index, text: &str, is_manager: bool) -> Vec<String> {
    let told = told(index, &ask(index, text, is_manager));
    told.into_iter().map(|(name, ..)| name).collect()
}
