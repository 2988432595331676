//! Words that speak to the model: they order it about, hide something from the person, or fetch what is not theirs.
//!
//! A description may well say how a tool is used. What is looked for are phrases that no description needs, as sequences
//! of words with little between them, so that neither case nor punctuation nor line breaks hide one.

use super::shown;

/// How sure it is that the words are meant ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A person should look.
    Suspicious,
    /// No description needs it.
    Hostile,
}

/// Words that speak to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// How sure it is.
    pub weight: Weight,
    /// What they do, as a sentence.
    pub meaning: &'static str,
    /// The words.
    pub words: String,
}

/// Steps of a phrase: each is one word out of several, with at most so many other words before it.
struct Phrase {
    weight: Weight,
    meaning: &'static str,
    gap: usize,
    steps: &'static [&'static [&'static str]],
}

/// Texts that are looked for as they are, in lower case.
struct Mark {
    weight: Weight,
    meaning: &'static str,
    text: &'static str,
}

const OVERRIDES: &str = "it tells the model to set other instructions aside";
const CONCEALS: &str = "it tells the model to hide something from the person";
const SENDS: &str = "it tells the model to give a conversation or a credential away";
const SPEAKS: &str = "it speaks to the model as if it were the host";
const READS: &str = "it names a file of credentials";
const FIRST: &str = "it puts itself before other tools";

const PHRASES: &[Phrase] = &[
    Phrase {
        weight: Weight::Hostile,
        meaning: OVERRIDES,
        gap: 3,
        steps: &[
            &["ignore", "disregard", "forget", "override", "bypass"],
            &[
                "previous",
                "prior",
                "above",
                "earlier",
                "preceding",
                "other",
                "all",
                "system",
                "safety",
            ],
            &[
                "instructions",
                "instruction",
                "rules",
                "prompt",
                "prompts",
                "directions",
                "guidelines",
                "policies",
            ],
        ],
    },
    Phrase {
        weight: Weight::Hostile,
        meaning: CONCEALS,
        gap: 3,
        steps: &[
            &["not", "dont", "never", "without"],
            &[
                "tell",
                "telling",
                "inform",
                "informing",
                "mention",
                "mentioning",
                "notify",
                "notifying",
                "alert",
                "reveal",
            ],
            &["user", "users", "human", "person", "customer"],
        ],
    },
    Phrase {
        weight: Weight::Hostile,
        meaning: SENDS,
        gap: 4,
        steps: &[
            &[
                "send",
                "forward",
                "post",
                "upload",
                "transmit",
                "exfiltrate",
                "email",
                "bcc",
                "leak",
            ],
            &[
                "conversation",
                "chat",
                "history",
                "credentials",
                "credential",
                "password",
                "passwords",
                "secrets",
                "keys",
            ],
            &["to"],
        ],
    },
    Phrase {
        weight: Weight::Suspicious,
        meaning: SPEAKS,
        gap: 1,
        steps: &[&["you"], &["are", "must"], &["now", "always", "never"]],
    },
    Phrase {
        weight: Weight::Suspicious,
        meaning: FIRST,
        gap: 3,
        steps: &[
            &["before", "whenever"],
            &["using", "calling", "invoking", "use", "call"],
            &["any", "other", "every", "another"],
            &["tool", "tools"],
        ],
    },
    Phrase {
        weight: Weight::Suspicious,
        meaning: FIRST,
        gap: 2,
        steps: &[
            &["instead"],
            &["of"],
            &["any", "other", "every"],
            &["tool", "tools"],
        ],
    },
];

const MARKS: &[Mark] = &[
    Mark {
        weight: Weight::Hostile,
        meaning: SPEAKS,
        text: "<|im_start|>",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: SPEAKS,
        text: "<important>",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: SPEAKS,
        text: "<system>",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: SPEAKS,
        text: "[system]",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: SPEAKS,
        text: "[inst]",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: SPEAKS,
        text: "<instructions>",
    },
    Mark {
        weight: Weight::Suspicious,
        meaning: "a part of it is hidden in a comment",
        text: "<!--",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: READS,
        text: "~/.ssh",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: READS,
        text: "id_rsa",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: READS,
        text: ".aws/credentials",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: READS,
        text: ".cursor/mcp.json",
    },
    Mark {
        weight: Weight::Hostile,
        meaning: READS,
        text: "/etc/passwd",
    },
    Mark {
        weight: Weight::Suspicious,
        meaning: SPEAKS,
        text: "system prompt",
    },
];

/// Everything in the text that speaks to the model, one for each kind.
pub fn instructions(text: &str) -> Vec<Instruction> {
    let text = folded(text);
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let phrases = PHRASES.iter().filter_map(|phrase| {
        phrase.find(&words).map(|words| Instruction {
            weight: phrase.weight,
            meaning: phrase.meaning,
            words: shown(&words.join(" ")),
        })
    });
    let marks = MARKS
        .iter()
        .filter(|mark| text.contains(mark.text))
        .map(|mark| Instruction {
            weight: mark.weight,
            meaning: mark.meaning,
            words: mark.text.to_owned(),
        });
    phrases.chain(marks).collect()
}

/// Lower case, and nothing that only breaks a word: `Do\u{200b}n't` is `dont`.
fn folded(text: &str) -> String {
    let kept = text.chars().filter(|c| {
        c.is_whitespace() || !(matches!(c, '\'' | '\u{2019}') || crate::excerpt::is_invisible(*c))
    });
    kept.flat_map(char::to_lowercase).collect()
}

impl Phrase {
    /// The words of the phrase with what stands between them.
    fn find<'a>(&self, words: &'a [&'a str]) -> Option<&'a [&'a str]> {
        let (first, rest) = self.steps.split_first()?;
        let begins = (0..words.len()).filter(|at| words.get(*at).is_some_and(|word| first.contains(word)));
        begins.into_iter().find_map(|begin| {
            let mut end = begin + 1;
            for step in rest {
                let near = words.get(end..words.len().min(end + self.gap + 1))?;
                end += near.iter().position(|word| step.contains(word))? + 1;
            }
            words.get(begin..end)
        })
    }
}
