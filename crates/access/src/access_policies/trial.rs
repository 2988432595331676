//! Tests of policies: questions that are put to the text alone.

use std::sync::Arc;

use portreeve_core::access_policy::{AccessPolicy, Expected, PolicyTest};
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::PolicyName;
use serde::Serialize;

use super::{Checked, PolicyError};
use crate::Access;
use crate::policies::{Arguments, Asked, Asker, Rulebook, SPOKEN_OF, Said};

/// How one test went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestOutcome {
    /// The policy.
    pub policy: String,
    /// Its place among the policy's tests, from 1.
    pub number: usize,
    /// What is asked, in words.
    pub question: String,
    /// What is expected.
    pub expected: Expected,
    /// What the text says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<Expected>,
    /// The rules that say it.
    pub by: Vec<Arc<str>>,
    /// Why the question could not be put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

// === impl TestOutcome ===

impl TestOutcome {
    /// Whether the text says what is expected.
    pub fn is_passed(&self) -> bool {
        self.said == Some(self.expected)
    }
}

impl std::fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (number, question, expected) = (self.number, &self.question, self.expected);
        match (&self.problem, self.said) {
            (Some(problem), _) => write!(f, "test {number} ({question}): {problem}"),
            (None, said) => {
                let said = said.unwrap_or(Expected::Nothing);
                write!(
                    f,
                    "test {number} ({question}): expected `{expected}`, but the text says `{said}`"
                )?;
                if !self.by.is_empty() {
                    write!(f, " by `{}`", self.by.join("`, `"))?;
                }
                Ok(())
            }
        }
    }
}

// === impl Access ===

impl Access {
    /// Runs the tests that are stored: those of one policy, or of all.
    pub async fn test_access_policies(
        self: &Arc<Self>,
        caller: &Caller,
        name: Option<&PolicyName>,
    ) -> Result<Vec<TestOutcome>, PolicyError> {
        let policies = match name {
            Some(name) => vec![self.access_policy(caller, name).await?],
            None => self.access_policies(caller).await?,
        };
        let outcomes = self.beside(move |access| {
            let outcomes = policies.iter().flat_map(|policy| access.tested(policy));
            outcomes.collect::<Vec<_>>()
        });
        Ok(outcomes.await?)
    }

    fn tested(&self, policy: &AccessPolicy) -> Vec<TestOutcome> {
        let checked = self.checked(policy.name.as_str(), &policy.text, &policy.tests);
        if checked.problems.is_empty() {
            return checked.tests;
        }
        let fail = |(place, test)| TestOutcome {
            problem: Some("the text cannot be read any more".to_owned()),
            ..outcome(policy.name.as_str(), place, test)
        };
        policy.tests.iter().enumerate().map(fail).collect()
    }

    /// What is wrong with a text; of one without problems, how its tests go.
    pub(super) fn checked(&self, name: &str, text: &str, tests: &[PolicyTest]) -> Checked {
        let rules = match self.engine.rules(name, text) {
            Ok(rules) => rules,
            Err(problems) => {
                return Checked {
                    problems,
                    tests: Vec::new(),
                };
            }
        };
        let book = Rulebook::of_rules(&rules);
        let run = |(place, test)| self.run(&book, outcome(name, place, test), test);
        Checked {
            problems: Vec::new(),
            tests: tests.iter().enumerate().map(run).collect(),
        }
    }

    fn run(&self, book: &Rulebook, mut outcome: TestOutcome, test: &PolicyTest) -> TestOutcome {
        let action = SPOKEN_OF
            .into_iter()
            .find(|action| action.as_str() == test.action);
        let (Some(action), Some(asker)) = (action, Asker::of_test(test)) else {
            outcome.problem = Some(
                "`who` is `user:NAME`, `key:NAME`, `client:ID` or `anonymous`, and `action` one of discover, read, \
                 call, publish, view, approve, operate"
                    .to_owned(),
            );
            return outcome;
        };
        let target = match (action, &test.tool) {
            (Action::CallTool, Some(tool)) => Target::Tool {
                server: &test.server,
                tool,
                annotations: &test.annotations,
                arguments: None,
            },
            (Action::CallTool, None) => {
                outcome.problem = Some("`call` is about a `tool`".to_owned());
                return outcome;
            }
            _ => Target::Server(&test.server),
        };
        let arguments = test
            .arguments
            .as_ref()
            .map(|raw| Arguments::read(raw.get().as_bytes()));
        let asked = match &arguments {
            None => Asked::AnyCall,
            Some(arguments) => Asked::ThisCall(arguments.as_ref()),
        };
        let state = self.state.load();
        let facts = &state.facts;
        let (said, _) = book.ask(&self.engine, (&asker, facts), (action, &target), asked);
        (outcome.said, outcome.by) = match said {
            Said::Forbid(names) => (Some(Expected::Forbid), names),
            Said::Permit(names) => (Some(Expected::Permit), names),
            Said::Nothing => (Some(Expected::Nothing), Vec::new()),
        };
        outcome
    }
}

fn outcome(policy: &str, place: usize, test: &PolicyTest) -> TestOutcome {
    let tool = test.tool.as_deref().map(|tool| format!("`{tool}` of "));
    let within = test
        .environment
        .as_ref()
        .map(|environment| format!(" in {environment}"));
    let with = test.arguments.as_ref().map(|raw| {
        let cut: String = raw.get().chars().take(200).collect();
        format!(" with {cut}")
    });
    TestOutcome {
        policy: policy.to_owned(),
        number: place + 1,
        question: format!(
            "{} {} {}`{}`{}{}",
            test.who,
            test.action,
            tool.unwrap_or_default(),
            test.server,
            within.unwrap_or_default(),
            with.unwrap_or_default()
        ),
        expected: test.expect,
        said: None,
        by: Vec::new(),
        problem: None,
    }
}
