//! Choices as people make them on a page: operations that are ticked, names and descriptions that are typed. They become a
//! [`Curation`], which keeps everything in it that was not on the page.

use std::collections::{BTreeMap, BTreeSet};

use super::curation::{Curation, Selector, ToolCuration};
use super::names;
use super::report::{OperationOutcome, Report};

/// What a page showed, and what somebody said there. Operations go by the names that their tools have without choices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pick {
    /// The operations that were shown. Others stay as they were.
    pub shown: BTreeSet<String>,
    /// Those of them that become tools.
    pub chosen: BTreeSet<String>,
    /// What was typed to them.
    pub words: BTreeMap<String, Words>,
}

/// What was typed to an operation. Empty: as its description says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// The tool's name.
    pub name: String,
    /// Its description.
    pub description: String,
}

/// A choice that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickProblem {
    /// The operation.
    pub generated: String,
    /// What is wrong.
    pub message: String,
}

impl Curation {
    /// The same choices, with what was picked.
    ///
    /// # Errors
    ///
    /// Names that no tool can have, and names that two of them would have.
    pub fn with(&self, report: &Report, pick: &Pick) -> Result<Self, Vec<PickProblem>> {
        let mut curation = self.clone();
        for generated in &pick.shown {
            let words = pick.words.get(generated).cloned().unwrap_or_default();
            let tool = curation.tools.entry(generated.clone()).or_default();
            tool.rename = Some(words.name).filter(|name| !name.is_empty() && name != generated);
            tool.description = Some(words.description).filter(|text| !text.is_empty());
            if *tool == ToolCuration::default() {
                curation.tools.remove(generated);
            }
        }
        let (mut chosen, mut left) = (Vec::new(), Vec::new());
        for operation in &report.operations {
            let (generated, was_chosen) = match &operation.outcome {
                OperationOutcome::Tool { generated, .. } => (generated, true),
                OperationOutcome::NotChosen { generated } => (generated, false),
                OperationOutcome::Skipped { .. } => continue,
            };
            let is_chosen = match pick.shown.contains(generated) {
                true => pick.chosen.contains(generated),
                false => was_chosen,
            };
            if is_chosen { &mut chosen } else { &mut left }
                .push((generated.as_str(), operation.method.as_str()));
        }
        curation.select(&chosen, &left);
        let chosen: Vec<&str> = chosen.into_iter().map(|(name, _)| name).collect();
        let problems = curation.names_of(&chosen);
        if problems.is_empty() {
            Ok(curation)
        } else {
            Err(problems)
        }
    }

    /// Says which operations become tools, each with its name and method, in the shorter way. A mutation of GraphQL is only
    /// chosen where its method is said.
    fn select(&mut self, chosen: &[(&str, &str)], left: &[(&str, &str)]) {
        const MUTATION: &str = "mutation";
        let named = |operations: &[(&str, &str)]| -> Vec<Selector> {
            let one = |(name, method): &(&str, &str)| Selector {
                name: Some((*name).to_owned()),
                method: (*method == MUTATION).then(|| MUTATION.to_owned()),
                ..Selector::default()
            };
            operations.iter().map(one).collect()
        };
        let changes = chosen.iter().any(|(_, method)| *method == MUTATION);
        // Nothing chosen is not everything chosen.
        if chosen.is_empty() || (left.len() < chosen.len() && !changes) {
            self.include = Vec::new();
            self.exclude = named(left);
        } else {
            self.include = named(chosen);
            self.exclude = Vec::new();
        }
    }

    fn names_of(&self, chosen: &[&str]) -> Vec<PickProblem> {
        let mut problems = Vec::new();
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        for generated in chosen {
            let renamed = self.tools.get(*generated).and_then(|tool| tool.rename.as_deref());
            let name = renamed.unwrap_or(generated);
            let mut say = |message: String| {
                problems.push(PickProblem {
                    generated: (*generated).to_owned(),
                    message,
                });
            };
            if name.len() > names::LONGEST || names::word(name) != name {
                say(format!(
                    "`{name}` is no name of a tool: letters, digits, `_` and `-`, at most 64"
                ));
            } else if let Some(other) = taken.insert(name.to_ascii_lowercase(), generated) {
                say(format!("`{name}` is the name of the tool of `{other}` already"));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::OperationReport;
    use super::*;

    fn report(outcomes: &[(&str, bool)]) -> Report {
        let one = |(name, chosen): &(&str, bool)| OperationReport {
            method: "GET".to_owned(),
            path: format!("/{name}"),
            operation_id: None,
            tags: Vec::new(),
            pointer: String::new(),
            resource: None,
            base_url: None,
            outcome: match chosen {
                true => OperationOutcome::Tool {
                    name: (*name).to_owned(),
                    generated: (*name).to_owned(),
                    tokens: 1,
                    output_tokens: 0,
                },
                false => OperationOutcome::NotChosen {
                    generated: (*name).to_owned(),
                },
            },
            notes: Vec::new(),
        };
        Report {
            operations: outcomes.iter().map(one).collect(),
            ..Report::default()
        }
    }

    fn names(selectors: &[Selector]) -> Vec<&str> {
        selectors.iter().filter_map(|one| one.name.as_deref()).collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_was_not_shown_stays() {
        let report = report(&[("a", true), ("b", false), ("c", true), ("d", true)]);
        let pick = Pick {
            shown: set(&["a", "b"]),
            chosen: set(&["b"]),
            ..Pick::default()
        };
        let curation = Curation::default().with(&report, &pick).unwrap();
        assert_eq!(
            (names(&curation.include), names(&curation.exclude)),
            (vec![], vec!["a"])
        );
        let pick = Pick {
            shown: set(&["a", "c"]),
            ..Pick::default()
        };
        let curation = curation.with(&report, &pick).unwrap();
        assert_eq!(
            (names(&curation.include), names(&curation.exclude)),
            (vec!["d"], vec![])
        );
        let none = Pick {
            shown: set(&["a", "b", "c", "d"]),
            ..Pick::default()
        };
        let curation = curation.with(&report, &none).unwrap();
        assert_eq!(names(&curation.exclude), ["a", "b", "c", "d"]);
    }

    #[test]
    fn words_are_kept_and_taken_back_and_no_two_names_are_one() {
        let report = report(&[("a", true), ("b", true)]);
        let words = |name: &str, description: &str| Words {
            name: name.to_owned(),
            description: description.to_owned(),
        };
        let pick = |a: Words, b: Words| Pick {
            shown: set(&["a", "b"]),
            chosen: set(&["a", "b"]),
            words: [("a".to_owned(), a), ("b".to_owned(), b)].into(),
        };
        let before: Curation = serde_json::from_str(r#"{"tools": {"a": {"timeoutMs": 5}}}"#).unwrap();
        let curation = before
            .with(&report, &pick(words("find", "Finds."), words("b", "")))
            .unwrap();
        assert_eq!(curation.tools["a"].rename.as_deref(), Some("find"));
        assert_eq!(curation.tools["a"].description.as_deref(), Some("Finds."));
        assert_eq!(
            (curation.tools["a"].timeout_ms, curation.tools.len()),
            (Some(5), 1)
        );
        let curation = curation
            .with(&report, &pick(words("", ""), words("", "")))
            .unwrap();
        assert_eq!(curation, before);
        let twice = before
            .with(&report, &pick(words("B", ""), words("", "")))
            .unwrap_err();
        assert_eq!(twice[0].generated, "b");
        let odd = before
            .with(&report, &pick(words("a b", ""), words("", "")))
            .unwrap_err();
        assert!(odd[0].message.contains("`a b`"), "{odd:?}");
    }
}
