//! Who may do which step: publishers hand in, managers approve, and where a registry says so, somebody else approves
//! than who submitted.

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{GroupName, ServerName};
use portreeve_core::ports::Entry;
use portreeve_core::profile::Profile;
use portreeve_core::server::{Server, Version};
use portreeve_core::view::RegistryRecord;

use crate::error::RegistryError;
use crate::registry::{Registry, forbidden};
use crate::work::Work;

// === impl Registry ===

impl Registry {
    /// Whether the caller may register versions of the server, describe it and hand it in.
    pub(crate) fn may_publish(&self, caller: &Caller, name: &ServerName) -> bool {
        self.may_to(caller, Action::Publish, name)
    }

    /// Refuses who may not publish the server, whether it exists or not.
    pub(crate) fn require_publish(&self, caller: &Caller, name: &ServerName) -> Result<(), RegistryError> {
        self.require_to(caller, Action::Publish, name)
    }

    /// Refuses to give a server to a group, or to take it from one, to who neither manages it nor belongs to that group:
    /// members of a group that owns a server may publish it. Roles hang on these groups as well, so once a version is
    /// approved it is for who manages the server alone.
    pub(crate) fn require_owner(
        &self,
        caller: &Caller,
        work: &Work,
        (before, after): (&Profile, &Profile),
    ) -> Result<(), RegistryError> {
        let name = &work.server.name;
        let given = after
            .owner_groups
            .iter()
            .filter(|group| !before.owner_groups.contains(group));
        let taken = before
            .owner_groups
            .iter()
            .filter(|group| !after.owner_groups.contains(group));
        if self.may_to(caller, Action::Manage, name) {
            return Ok(());
        }
        let is_of = |group: &&String| caller.groups.iter().any(|own| own.as_str() == group.as_str());
        let is_approved = work.has_approved();
        match given.chain(taken).find(|group| is_approved || !is_of(group)) {
            Some(group) if is_approved => Err(forbidden(
                caller,
                format!(
                    "say whether group `{group}` owns server `{name}`, of which a version is approved: ask for a grant of `manage` on it"
                ),
            )),
            Some(group) => Err(forbidden(
                caller,
                format!(
                    "say whether group `{group}` owns server `{name}`: its members may, and who manages the server"
                ),
            )),
            None => Ok(()),
        }
    }

    /// Refuses tags that change which registries are about a server to who does not manage it, where something hangs on
    /// that: roles over what is approved, and for a draft that somebody else approves it.
    pub(crate) fn require_moving(
        &self,
        caller: &Caller,
        work: &Work,
        (before, after): (&Profile, &Profile),
    ) -> Result<(), RegistryError> {
        let name = &work.server.name;
        let is_approved = work.has_approved();
        let registries = self.parts.views.registries();
        let moved = registries.iter().find(|record| {
            let was = record.selection.is_about(name, &before.tags);
            let is = record.selection.is_about(name, &after.tags);
            was != is && (is_approved || (was && record.approver_differs))
        });
        match moved {
            Some(record) => {
                let what = format!(
                    "change the tags by which registry `{}` is about `{name}`",
                    record.name
                );
                self.require(caller, (Action::Manage, &Target::Server(name)), &what)
            }
            None => Ok(()),
        }
    }

    /// The registry that wants what it holds approved by somebody else than who submitted it. Whether an entry is
    /// served, and how mature it is, decide nothing here: both may come of the very approval.
    pub(crate) fn four_eyes(&self, server: &Server) -> Option<RegistryRecord> {
        let registries = self.parts.views.registries();
        let wants = |record: &&RegistryRecord| record.approver_differs && record.selection.concerns(server);
        registries.iter().find(wants).cloned()
    }

    /// Refuses an approval by who submitted, where that matters.
    pub(crate) fn require_another(
        &self,
        caller: &Caller,
        server: &Server,
        submitted_by: &str,
    ) -> Result<(), RegistryError> {
        let owns = |group: &GroupName| {
            server
                .profile
                .owner_groups
                .iter()
                .any(|owner| owner == group.as_str())
        };
        let own = caller.groups.iter().find(|group| owns(group));
        match (self.four_eyes(server), own) {
            (Some(record), Some(group)) if !is_one_person(&caller.label, submitted_by) => Err(forbidden(
                caller,
                format!(
                    "approve anything of `{}`, which group `{group}` owns: registry `{}` wants an approver who does not belong to it",
                    server.name, record.name
                ),
            )),
            (Some(record), _) if is_one_person(&caller.label, submitted_by) => Err(forbidden(
                caller,
                format!(
                    "approve what `{submitted_by}` submitted of `{}`: registry `{}` wants another approver",
                    server.name, record.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The same for a version and the deployments that are approved with it.
    pub(crate) fn require_another_approver(
        &self,
        caller: &Caller,
        entry: &Entry,
        chosen: &Version,
    ) -> Result<(), RegistryError> {
        self.require_another(caller, &entry.server, &chosen.submitted_by)?;
        match &entry.server.deployments.proposed {
            Some(proposed) => self.require_another(caller, &entry.server, &proposed.by),
            None => Ok(()),
        }
    }
}

/// Whether two labels may stand for one person: they are the same, or name somebody alike in two ways, as `user:ada` and
/// `oidc:ada@acme.example`. A key of a user carries the user's label already; whose any other key is nobody can tell.
fn is_one_person(one: &str, other: &str) -> bool {
    fn person(label: &str) -> Option<&str> {
        let (kind, name) = label.split_once(':')?;
        let is_of_people = matches!(kind, "user" | "key" | "oidc" | "github");
        is_of_people.then(|| name.split_once('@').map_or(name, |(local, _)| local))
    }
    let alike = |(one, other): (&str, &str)| one.eq_ignore_ascii_case(other);
    one == other || person(one).zip(person(other)).is_some_and(alike)
}

#[cfg(test)]
mod tests {
    use super::is_one_person;

    #[test]
    fn one_person_is_known_by_several_labels() {
        for (one, other) in [
            ("user:ada", "user:ada"),
            ("user:ada", "oidc:ada"),
            ("oidc:Ada@acme.example", "user:ada"),
            ("key:ada", "github:ada"),
            ("system", "system"),
        ] {
            assert!(
                is_one_person(one, other) && is_one_person(other, one),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("user:ada", "user:ben"),
            ("user:acme.com", "dns:acme.com"),
            ("user:ada", "system"),
            ("dns:acme.com", "http:acme.com"),
        ] {
            assert!(!is_one_person(one, other), "{one} {other}");
        }
    }
}
