//! Registries as administrators make and change them.
//!
//! Before: the default one exists from the start. After: `views` opens them for their readers.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::EventId;
use portreeve_core::name::{NamespacePattern, RegistryName};
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_mcp::server_json::Problem;
use serde_json::json;

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::views::no_registry;

/// Characters of a title.
const LONGEST_TITLE: usize = 100;
/// Characters of a description.
const LONGEST_TEXT: usize = 4_000;
/// Members of one list of a registry: tags, readers, patterns.
const MOST_MEMBERS: usize = 100;
/// Characters of one of them.
const LONGEST_MEMBER: usize = 200;

/// What of a registry shall change; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryPatch {
    /// The name people read.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who may read it.
    pub visibility: Option<Readers>,
    /// What is in it.
    pub selection: Option<Selection>,
    /// Submissions in these namespaces are approved at once.
    pub auto_approve: Option<Vec<NamespacePattern>>,
    /// Whether what is in it is approved by somebody else than who submitted it.
    pub approver_differs: Option<bool>,
}

// === impl Registry ===

impl Registry {
    /// The registries that the caller may read, by name.
    pub async fn registries(&self, caller: &Caller) -> Result<Vec<RegistryRecord>, RegistryError> {
        let mut all = self.parts.governance.registries().await?;
        all.retain(|record| self.may_read(caller, record));
        for record in &mut all {
            // Who reads a registry is not told who else does, nor what is approved without a look.
            if !self.may(caller, Action::View, &Target::Registry(&record.name)) {
                if let Readers::Only(_) = record.visibility {
                    record.visibility = Readers::Only([caller.label.to_string()].into());
                }
                record.auto_approve.clear();
            }
        }
        Ok(all)
    }

    /// One registry.
    pub async fn registry(
        &self,
        caller: &Caller,
        name: &RegistryName,
    ) -> Result<RegistryRecord, RegistryError> {
        let all = self.registries(caller).await?;
        let found = all.into_iter().find(|record| record.name == *name);
        found.ok_or_else(|| no_registry(name))
    }

    /// Makes a registry: for members, of everything, unless the patch says otherwise.
    pub async fn create_registry(
        &self,
        caller: &Caller,
        name: RegistryName,
        patch: RegistryPatch,
    ) -> Result<RegistryRecord, RegistryError> {
        self.require_here(caller, Action::Manage, "make registries")?;
        let most = self.parts.limits.registries;
        if self.parts.governance.registries().await?.len() >= most {
            return Err(RegistryError::State {
                what: format!("there are {most} registries already, the most there may be"),
                hint: "delete one that nobody reads",
            });
        }
        let now = self.parts.clock.now();
        let mut record = RegistryRecord {
            title: name.to_string(),
            name,
            description: String::new(),
            visibility: Readers::Members,
            selection: Selection::default(),
            auto_approve: Vec::new(),
            approver_differs: false,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        self.amend(&mut record, &patch).await?;
        let event = self.view_event(caller, "registry.create", &record);
        self.parts.governance.add_registry(&record, most, event).await?;
        self.parts.refresh.refresh().await;
        Ok(record)
    }

    /// Changes a registry at the revision that the caller saw; without one, the last writer wins.
    pub async fn change_registry(
        &self,
        caller: &Caller,
        name: &RegistryName,
        patch: RegistryPatch,
        expected: Option<i64>,
    ) -> Result<RegistryRecord, RegistryError> {
        let (this, what) = (Target::Registry(name), format!("change registry `{name}`"));
        self.require(caller, (Action::Operate, &this), &what)?;
        let mut record = self.registry(caller, name).await?;
        require_revision(&record, expected)?;
        let before = record.clone();
        self.amend(&mut record, &patch).await?;
        if record == before {
            return Ok(record);
        }
        self.require_rights_of(caller, (&before, &record))?;
        record.updated_at = self.parts.clock.now();
        let event = self.view_event(caller, "registry.change", &record);
        record.revision = self.parts.governance.save_registry(&record, event).await?;
        self.parts.refresh.refresh().await;
        Ok(record)
    }

    /// Removes a registry. What was in it stays where it is.
    pub async fn remove_registry(
        &self,
        caller: &Caller,
        name: &RegistryName,
        expected: Option<i64>,
    ) -> Result<(), RegistryError> {
        self.require_here(caller, Action::Manage, &format!("delete registry `{name}`"))?;
        if *name == RegistryName::main() {
            return Err(RegistryError::State {
                what: "registry `default` cannot be deleted".to_owned(),
                hint: "close it to strangers with `portreeve registry edit default --visibility members`",
            });
        }
        let record = self.registry(caller, name).await?;
        require_revision(&record, expected)?;
        let event = self.view_event(caller, "registry.delete", &record);
        self.parts
            .governance
            .remove_registry(name, record.revision, event)
            .await?;
        self.parts.refresh.refresh().await;
        Ok(())
    }

    /// Refuses to change by a smaller right what moves rights. Roles over a registry reach what it selects, so who widens
    /// that gives rights to others, and perhaps to himself; what is approved at once, and by whom, is for approvers.
    fn require_rights_of(
        &self,
        caller: &Caller,
        (before, after): (&RegistryRecord, &RegistryRecord),
    ) -> Result<(), RegistryError> {
        let name = &after.name;
        if before.selection != after.selection {
            let what = format!("say what registry `{name}` selects, since roles over it reach that");
            self.require_here(caller, Action::Manage, &what)?;
        }
        let rules = |record: &RegistryRecord| (record.auto_approve.clone(), record.approver_differs);
        if rules(before) != rules(after) {
            let what = format!("say how registry `{name}` approves");
            self.require(caller, (Action::Approve, &Target::Registry(name)), &what)?;
        }
        Ok(())
    }

    async fn amend(&self, record: &mut RegistryRecord, patch: &RegistryPatch) -> Result<(), RegistryError> {
        let mut problems = Vec::new();
        text(&mut problems, "title", patch.title.as_deref(), LONGEST_TITLE);
        text(
            &mut problems,
            "description",
            patch.description.as_deref(),
            LONGEST_TEXT,
        );
        if let Some(title) = patch.title.as_deref().map(str::trim) {
            let title = if title.is_empty() {
                record.name.as_str()
            } else {
                title
            };
            title.clone_into(&mut record.title);
        }
        if let Some(description) = &patch.description {
            description.trim().clone_into(&mut record.description);
        }
        if let Some(visibility) = &patch.visibility {
            check_readers(&mut problems, visibility);
            record.visibility.clone_from(visibility);
        }
        if let Some(selection) = &patch.selection {
            self.check_selection(&mut problems, &record.name, selection)
                .await?;
            record.selection.clone_from(selection);
        }
        if let Some(rules) = &patch.auto_approve {
            few(&mut problems, "autoApprove", rules.len());
            record.auto_approve.clone_from(rules);
        }
        record.approver_differs = patch.approver_differs.unwrap_or(record.approver_differs);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RegistryError::Invalid(problems))
        }
    }

    async fn check_selection(
        &self,
        problems: &mut Vec<Problem>,
        name: &RegistryName,
        selection: &Selection,
    ) -> Result<(), RegistryError> {
        if *name == RegistryName::main() && !selection.is_everything() {
            problems.push(problem(
                "selection",
                "the default registry holds everything that is approved",
            ));
        }
        few(problems, "selection.tags", selection.tags.len());
        few(problems, "selection.namespaces", selection.namespaces.len());
        few(problems, "selection.lifecycles", selection.lifecycles.len());
        for tag in &selection.tags {
            text(problems, "selection.tags", Some(tag), LONGEST_MEMBER);
        }
        let known = self.environments().await?;
        for environment in &selection.environments {
            if !known.iter().any(|record| record.name == *environment) {
                let message = format!("there is no environment `{environment}`");
                problems.push(problem("selection.environments", &message));
            }
        }
        Ok(())
    }

    fn view_event(&self, caller: &Caller, action: &str, record: &RegistryRecord) -> AuditEvent {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
        event.target = Some(format!("registry:{}", record.name));
        event.detail = Some(json!({
            "visibility": record.visibility,
            "selection": record.selection,
            "autoApprove": record.auto_approve,
            "approverDiffers": record.approver_differs,
        }));
        event
    }
}

fn require_revision(record: &RegistryRecord, expected: Option<i64>) -> Result<(), RegistryError> {
    if expected.is_none_or(|expected| expected == record.revision) {
        return Ok(());
    }
    Err(RegistryError::Conflict {
        what: format!("registry `{}`", record.name),
    })
}

fn check_readers(problems: &mut Vec<Problem>, readers: &Readers) {
    let Readers::Only(labels) = readers else {
        return;
    };
    few(problems, "visibility", labels.len());
    for label in labels {
        let is_label = ["key:", "user:", "group:"]
            .iter()
            .any(|kind| label.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
        if !is_label || label.chars().count() > LONGEST_MEMBER {
            let message =
                format!("`{label}` is not a reader, as in `key:deploy`, `user:ada` or `group:finance`");
            problems.push(problem("visibility", &message));
        }
    }
}

fn text(problems: &mut Vec<Problem>, path: &str, given: Option<&str>, longest: usize) {
    if given.is_some_and(|text| text.chars().count() > longest || text.contains('\0')) {
        let message = format!("it must have at most {longest} characters, none of them NUL");
        problems.push(problem(path, &message));
    }
}

fn few(problems: &mut Vec<Problem>, path: &str, members: usize) {
    if members > MOST_MEMBERS {
        problems.push(problem(
            path,
            &format!("it must have at most {MOST_MEMBERS} members"),
        ));
    }
}

fn problem(path: &str, message: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}
