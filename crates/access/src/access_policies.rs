//! Access policies: listed, checked, saved with their tests, switched, removed.
//!
//! Before: a face read the request. After: the face has the catalogue refreshed, and every node follows.

mod dry_run;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::access_policy::{AccessPolicy, PolicyTest};
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::name::PolicyName;
use portreeve_core::ports::StoreError;

pub use self::dry_run::{Change, DryRun, DryRunOf, KnownTool, MOST_CHANGES};
pub use self::trial::TestOutcome;
use crate::policies::TextProblem;
use crate::{Access, AccessError};

/// The most access policies of an installation.
pub const MOST_POLICIES: usize = 2_000;
/// The most tests of one policy.
pub const MOST_TESTS: usize = 200;
/// The most characters of a description.
const MOST_DESCRIPTION: usize = 1_000;
/// The longest that somebody waits for what is to be said about a text.
const LONGEST_CHECK: Duration = Duration::from_secs(20);

/// A policy as somebody wants it to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// Its name.
    pub name: PolicyName,
    /// What people say about it.
    pub description: String,
    /// Its rules.
    pub text: String,
    /// What it must answer.
    pub tests: Vec<PolicyTest>,
    /// Whether it is asked.
    pub enabled: bool,
}

/// Which state of a policy somebody wants to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Whatever it is, and whether there is one or not.
    Any,
    /// There is none of its name.
    New,
    /// This revision of one that exists.
    At(i64),
}

/// What is to be said about a text that is not saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// What is wrong with it.
    pub problems: Vec<TextProblem>,
    /// How its tests went, if nothing is wrong with it.
    pub tests: Vec<TestOutcome>,
}

/// Why a policy was not saved.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The text cannot be taken.
    #[error("the text of `{name}` cannot be taken: {} of it is wrong", .problems.len())]
    Text {
        /// The policy.
        name: String,
        /// Everything that is wrong.
        problems: Vec<TextProblem>,
    },
    /// The text does not say what its tests expect.
    #[error("`{name}` does not say what its tests expect: {} of them", .failed.len())]
    Tests {
        /// The policy.
        name: String,
        /// Those that fail.
        failed: Vec<TestOutcome>,
    },
    /// It is not as the caller saw it.
    #[error("access policy `{name}` was changed meanwhile")]
    Changed {
        /// The policy.
        name: String,
    },
    /// Anything else.
    #[error(transparent)]
    Access(#[from] AccessError),
}

// === impl Access ===

impl Access {
    /// All access policies, by name.
    pub async fn access_policies(&self, caller: &Caller) -> Result<Vec<AccessPolicy>, PolicyError> {
        self.require_auditor(caller, "look at access policies")?;
        Ok(self.stored().await?)
    }

    /// One of them.
    pub async fn access_policy(
        &self,
        caller: &Caller,
        name: &PolicyName,
    ) -> Result<AccessPolicy, PolicyError> {
        self.require_auditor(caller, "look at access policies")?;
        self.stored_policy(name).await
    }

    /// Saves a policy, whether there is one of its name or not. A text with problems is refused, and one that fails its
    /// tests.
    pub async fn set_access_policy(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewPolicy,
        standing: Standing,
    ) -> Result<AccessPolicy, PolicyError> {
        let policies = self.require_manager(caller)?;
        self.check_policy_fields(&new)?;
        let checked = self.checked_beside(&new.name, &new.text, &new.tests).await?;
        let name = new.name.to_string();
        if !checked.problems.is_empty() {
            let problems = checked.problems;
            return Err(PolicyError::Text { name, problems });
        }
        let failed: Vec<_> = checked
            .tests
            .into_iter()
            .filter(|test| !test.is_passed())
            .collect();
        if !failed.is_empty() {
            return Err(PolicyError::Tests { name, failed });
        }
        let stored = self.stored().await?;
        let is_full = stored.len() >= MOST_POLICIES;
        let had = stored.into_iter().find(|one| one.name == new.name);
        match (&had, standing) {
            (Some(had), Standing::At(revision)) if had.revision != revision => {
                return Err(PolicyError::Changed { name });
            }
            (Some(_), Standing::New) => return Err(AccessError::NameTaken { name }.into()),
            (None, Standing::At(_)) => return Err(PolicyError::Changed { name }),
            (None, _) if is_full => {
                let problem = format!(
                    "there are {MOST_POLICIES} access policies, which is the most: remove one first, or write its rules \
                     into another"
                );
                return Err(AccessError::Rejected {
                    field: "policy",
                    problem,
                }
                .into());
            }
            _ => {}
        }
        self.save(caller, (new, had), policies).await
    }

    /// Switches a policy on or off.
    pub async fn switch_access_policy(
        self: &Arc<Self>,
        caller: &Caller,
        name: &PolicyName,
        switch: Switch,
        standing: Standing,
    ) -> Result<AccessPolicy, PolicyError> {
        let policies = self.require_manager(caller)?;
        let had = self.stored_policy(name).await?;
        require_standing(&had, standing)?;
        let new = NewPolicy {
            name: had.name.clone(),
            description: had.description.clone(),
            text: had.text.clone(),
            tests: had.tests.clone(),
            enabled: switch == Switch::On,
        };
        if switch == Switch::On {
            // What was saved long ago is read anew: the vocabulary may have moved on.
            let problems = self.checked_beside(name, &new.text, &[]).await?.problems;
            if !problems.is_empty() {
                let name = name.to_string();
                return Err(PolicyError::Text { name, problems });
            }
        }
        self.save(caller, (new, Some(had)), policies).await
    }

    /// Removes a policy.
    pub async fn remove_access_policy(
        &self,
        caller: &Caller,
        name: &PolicyName,
        standing: Standing,
    ) -> Result<(), PolicyError> {
        let policies = self.require_manager(caller)?;
        let had = self.stored_policy(name).await?;
        require_standing(&had, standing)?;
        let event = self.policy_event("policy.remove", caller, (&had, policies));
        let removed = self
            .parts
            .policies
            .remove_access_policy(name, had.revision, event);
        removed.await.map_err(|error| changed_if_conflict(name, error))
    }

    /// What is wrong with a text, or how its tests go. Nothing is saved.
    pub async fn check_access_policy(
        self: &Arc<Self>,
        caller: &Caller,
        (name, text): (&PolicyName, &str),
        tests: &[PolicyTest],
    ) -> Result<Checked, PolicyError> {
        self.require_auditor(caller, "look at access policies")?;
        require_few(tests)?;
        Ok(self.checked_beside(name, text, tests).await?)
    }

    /// The vocabulary of policies, in Cedar's words.
    pub fn policy_schema() -> &'static str {
        crate::policies::POLICY_SCHEMA
    }

    async fn save(
        &self,
        caller: &Caller,
        (new, had): (NewPolicy, Option<AccessPolicy>),
        policies: Vec<String>,
    ) -> Result<AccessPolicy, PolicyError> {
        let now = self.parts.clock.now();
        let mut policy = AccessPolicy {
            name: new.name,
            description: new.description,
            text: new.text,
            tests: new.tests,
            enabled: new.enabled,
            revision: had.as_ref().map_or(1, |had| had.revision),
            updated_by: caller.label.to_string(),
            created_at: had.as_ref().map_or(now, |had| had.created_at),
            updated_at: now,
        };
        let action = if had.is_some() {
            "policy.change"
        } else {
            "policy.create"
        };
        let event = self.policy_event(action, caller, (&policy, policies));
        let name = policy.name.clone();
        let stale = |error| changed_if_conflict(&name, error);
        let store = &self.parts.policies;
        if had.is_some() {
            policy.revision = store.save_access_policy(&policy, event).await.map_err(stale)?;
        } else {
            let added = store.add_access_policy(&policy, MOST_POLICIES, event).await;
            added.map_err(stale)?;
        }
        Ok(policy)
    }

    fn policy_event(
        &self,
        action: &str,
        caller: &Caller,
        (policy, policies): (&AccessPolicy, Vec<String>),
    ) -> AuditEvent {
        let mut event = self.event(action, caller);
        event.target = Some(format!("policy:{}", policy.name));
        event.policies = policies;
        event.detail = Some(serde_json::json!({
            "enabled": policy.enabled,
            "text": policy.text,
            "tests": policy.tests.len(),
        }));
        event
    }

    /// Work that may ask a hundred thousand questions: on a thread of its own, one at a time, and its turn lasts as long as
    /// the work does, whether somebody still waits for it or not.
    async fn beside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, AccessError> {
        let turn = Arc::clone(&self.trials).acquire_owned().await;
        let turn = turn.map_err(stopping)?;
        let access = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&access)
        });
        done.await.map_err(stopping)
    }

    /// What is to be said about a text, found beside what this thread serves.
    async fn checked_beside(
        self: &Arc<Self>,
        name: &PolicyName,
        text: &str,
        tests: &[PolicyTest],
    ) -> Result<Checked, AccessError> {
        let (name, text, tests) = (name.clone(), text.to_owned(), tests.to_vec());
        let work = self.beside(move |access| access.checked(name.as_str(), &text, &tests));
        tokio::time::timeout(LONGEST_CHECK, work)
            .await
            .unwrap_or_else(|_| {
                let seconds = LONGEST_CHECK.as_secs();
                Err(AccessError::Rejected {
                    field: "text",
                    problem: format!(
                        "it could not be checked within {seconds} seconds: try again, with fewer tests, or make \
                         several policies of it"
                    ),
                })
            })
    }

    async fn stored(&self) -> Result<Vec<AccessPolicy>, AccessError> {
        Ok(self.parts.policies.access_policies().await?)
    }

    async fn stored_policy(&self, name: &PolicyName) -> Result<AccessPolicy, PolicyError> {
        let all = self.stored().await?;
        let missing = || AccessError::not_found("access policy", name.as_str());
        Ok(all
            .into_iter()
            .find(|one| one.name == *name)
            .ok_or_else(missing)?)
    }

    fn check_policy_fields(&self, new: &NewPolicy) -> Result<(), AccessError> {
        let is_long = new.description.chars().count() > MOST_DESCRIPTION;
        if is_long || new.description.chars().any(|c| c.is_control() && c != '\n') {
            let problem = "it has at most 1,000 characters, and no control characters";
            return Err(AccessError::invalid("description", &new.description, problem));
        }
        require_few(&new.tests)
    }
}

fn require_few(tests: &[PolicyTest]) -> Result<(), AccessError> {
    if tests.len() <= MOST_TESTS {
        return Ok(());
    }
    let given = format!("{} tests", tests.len());
    Err(AccessError::invalid(
        "tests",
        &given,
        "a policy has at most 200 tests",
    ))
}

/// Whether a policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Neither turns nor threads end before the node does.
fn stopping(error: impl std::error::Error + Send + Sync + 'static) -> AccessError {
    StoreError::Unavailable(Box::new(error)).into()
}

fn require_standing(had: &AccessPolicy, standing: Standing) -> Result<(), PolicyError> {
    match standing {
        Standing::At(revision) if revision != had.revision => Err(PolicyError::Changed {
            name: had.name.to_string(),
        }),
        _ => Ok(()),
    }
}

fn changed_if_conflict(name: &PolicyName, error: StoreError) -> PolicyError {
    match error {
        StoreError::Conflict { .. } => PolicyError::Changed {
            name: name.to_string(),
        },
        error => AccessError::from(error).into(),
    }
}

// === impl PolicyError ===

impl PolicyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Text { .. } => "mend each place that is named; `portreeve access schema` shows the words",
            Self::Tests { .. } => "change the text or the tests: a policy is saved when all of them hold",
            Self::Changed { .. } => "show it again and make your change to what is there now",
            Self::Access(error) => error.hint(),
        }
    }
}
