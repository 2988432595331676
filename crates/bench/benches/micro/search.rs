//! What a search costs, without the store: of 20,000 and of 100,000 servers whose words are as rare and as frequent as those
//! of a language. Words are drawn from a vocabulary of 20,000, the first of them most often.

use std::io::{self, Write as _};
use std::time::Instant;

use anyhow::Result;
use portreeve_core::ports::Searchable;
use portreeve_core::profile::Profile;
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;
use portreeve_search::{Index, Narrow, Question, rank};
use serde_json::json;

use crate::step;

/// Servers of the index.
const SIZES: [usize; 2] = [20_000, 100_000];
/// Servers that are taken in at once.
const STEP: usize = 500;
const VOCABULARY: f64 = 20_000.0;

/// Numbers that look drawn, and are the same in every run.
struct Drawn(u64);

impl Drawn {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A word; the hundredth comes a hundred times less often than the first.
    fn word(&mut self) -> String {
        word(VOCABULARY.powf(self.next()) as usize)
    }
}

/// A word of the vocabulary: two to four syllables.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 28] = [
        "ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu", "pa", "que", "ri", "so", "tu", "va",
        "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo", "gru", "pla", "ste", "tri",
    ];
    let mut rest = number * 7_919 + 28;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES.get(rest % SYLLABLES.len()).copied().unwrap_or_default());
        rest /= SYLLABLES.len();
    }
    word
}

pub(super) fn measure() -> Result<()> {
    for size in SIZES {
        let mut drawn = Drawn(1);
        let begun = Instant::now();
        let mut index = Index::default();
        for first in (0..size).step_by(STEP) {
            let entries: Vec<Searchable> = (first..first + STEP)
                .map(|number| entry(number, &mut drawn))
                .collect::<Result<_>>()?;
            index = settled(index.with(&[], &entries));
        }
        let (entries, bytes, took) = (index.len(), index.bytes(), begun.elapsed());
        writeln!(
            io::stdout(),
            "search: {entries} servers in {} ms, {} bytes each, {} segments",
            took.as_millis(),
            bytes / entries.max(1),
            index.segments(),
        )?;
        ask(&format!("search {size}: a frequent word"), &index, &word(1))?;
        ask(&format!("search {size}: a rare word"), &index, &word(9_000))?;
        ask(
            &format!("search {size}: two words"),
            &index,
            &format!("{} {}", word(40), word(300)),
        )?;
        ask(
            &format!("search {size}: a beginning"),
            &index,
            &format!("{} ba", word(40)),
        )?;
        ask(&format!("search {size}: one letter"), &index, "b")?;
        ask(
            &format!("search {size}: ten words"),
            &index,
            &(1..=10).map(word).collect::<Vec<_>>().join(" "),
        )?;
        let mut slip: Vec<char> = word(4_000).chars().collect();
        slip.swap(2, 3);
        ask(
            &format!("search {size}: a slip"),
            &index,
            &slip.into_iter().collect::<String>(),
        )?;
        let needle = "lidrif";
        step(&format!("search {size}: a contained text"), || {
            index.containing(needle, ("", 31), |_| true)
        })?;
        let one = entry(7, &mut drawn)?;
        step(&format!("search {size}: a change"), || {
            index.with(&[], std::slice::from_ref(&one))
        })?;
    }
    Ok(())
}

fn settled(mut index: Index) -> Index {
    while let Some(merge) = index.to_merge(usize::MAX) {
        index = index.with_merged(merge.run());
    }
    index
}

fn ask(name: &str, index: &Index, text: &str) -> Result<()> {
    let narrow = Narrow::default();
    let question = Question {
        text,
        sees_unlisted: false,
        exists: None,
        inside: None,
        narrow: &narrow,
    };
    step(name, || rank(index, &question))
}

fn entry(number: usize, drawn: &mut Drawn) -> Result<Searchable> {
    let name = format!(
        "com.maker-{}/{}-{}-{number}",
        number % 997,
        drawn.word(),
        drawn.word()
    );
    let (title, description) = (
        format!("{} {}", drawn.word(), drawn.word()),
        (0..14).map(|_| drawn.word()).collect::<Vec<_>>().join(" "),
    );
    let at = Timestamp::default();
    let document = json!({"name": name, "title": title, "description": description, "version": "1.0.0"});
    Ok(Searchable {
        name: name.parse()?,
        shown: Version {
            name: name.parse()?,
            version: "1.0.0".parse()?,
            document: document.to_string(),
            content_hash: String::new(),
            approval: Approval::Approved,
            lifecycle: Lifecycle::Production,
            former_lifecycle: None,
            ended_by: None,
            status_message: None,
            submitted_by: String::new(),
            decided_by: None,
            is_latest: true,
            metadata: Default::default(),
            published_at: at,
            status_changed_at: at,
            updated_at: at,
        },
        profile: Profile::default(),
        texts: vec![title, description],
        tools: Vec::new(),
        environments: Vec::new(),
    })
}
