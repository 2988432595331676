//! Users: made, listed, put into groups, disabled, removed. Before: a face read the request. After: the face has the
//! catalogue refreshed, and who is disabled is nobody within a second on every node.

use std::time::Duration;

use portreeve_core::caller::{Caller, Principal, User};
use portreeve_core::id::UserId;
use portreeve_core::name::GroupName;
use portreeve_core::ports::{LinkPurpose, StoreError};
use portreeve_core::secret::Secret;
use portreeve_core::user::{EndedSessions, UserChange, UserName, groups_of};
use serde_json::json;

use crate::keys::GROUPS;
use crate::roles::nobody_left;
use crate::{Access, AccessError};

/// How long the link works with which a new user sets a password.
pub const PASSWORD_LINK_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest name to read, and the longest address of mail.
const TEXT_CHARS: usize = 200;

/// A user to be made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The name people will know the user by.
    pub name: String,
    /// What the user is called.
    pub display_name: Option<String>,
    /// Where mail for the user goes.
    pub email: Option<String>,
    /// Groups, at most 50.
    pub groups: Vec<GroupName>,
}

impl Access {
    /// All users, oldest first.
    pub async fn users(&self, caller: &Caller) -> Result<Vec<User>, AccessError> {
        self.require_auditor(caller, "list users")?;
        Ok(self.parts.identity.users().await?)
    }

    /// One user, by name or identity.
    pub async fn find_user(&self, caller: &Caller, name_or_id: &str) -> Result<User, AccessError> {
        self.require_auditor(caller, "look at users")?;
        self.stored_user(name_or_id).await
    }

    /// What is stored of the user who calls.
    pub async fn own_user(&self, caller: &Caller) -> Result<User, AccessError> {
        let missing = || AccessError::not_found("user", &caller.label);
        let Principal::User(id) = caller.principal else {
            return Err(missing());
        };
        let users = self.parts.identity.users().await?;
        users.into_iter().find(|user| user.id == id).ok_or_else(missing)
    }

    /// Every group that a user or a key belongs to, or that a grant is for, with how many users each has.
    pub async fn groups(&self, caller: &Caller) -> Result<Vec<(GroupName, usize)>, AccessError> {
        self.require_auditor(caller, "list groups")?;
        Ok(groups_of(&self.parts.identity.users().await?))
    }

    /// Makes a local user. There is no password yet: a link sets it.
    pub async fn create_user(&self, caller: &Caller, new: NewUser) -> Result<User, AccessError> {
        let policies = self.require_manager(caller)?;
        let name: UserName = new
            .name
            .parse()
            .map_err(|error: portreeve_core::name::InvalidName| {
                AccessError::invalid("name", &new.name, error.reason)
            })?;
        check_groups(&new.groups)?;
        check_text("displayName", new.display_name.as_deref())?;
        check_text("email", new.email.as_deref())?;
        let id = UserId::new(&*self.parts.clock, &*self.parts.rng);
        let user = User {
            display_name: new.display_name,
            email: new.email,
            groups: new.groups,
            ..User::local(id, name.as_str(), self.parts.clock.now())
        };
        let mut event = self.event("user.create", caller);
        event.target = Some(format!("user:{}", user.name));
        event.policies = policies;
        event.detail = Some(json!({ "id": id, "origin": user.origin, "groups": user.groups }));
        match self.parts.identity.ensure_user(&user, event).await {
            Ok(_) => Ok(user),
            Err(StoreError::Conflict { .. }) => Err(AccessError::NameTaken { name: user.name }),
            Err(error) => Err(error.into()),
        }
    }

    /// A one-time link with which a local user sets a password. Whoever holds it is the user.
    pub async fn password_link(&self, caller: &Caller, user: &User) -> Result<Secret, AccessError> {
        self.require_manager(caller)?;
        self.link(user.id, LinkPurpose::Password, PASSWORD_LINK_LIFE)
            .await
    }

    /// Puts a user into groups, besides those that follow from the identity provider.
    pub async fn set_groups(
        &self,
        caller: &Caller,
        name_or_id: &str,
        groups: Vec<GroupName>,
    ) -> Result<User, AccessError> {
        check_groups(&groups)?;
        self.require_manager(caller)?;
        let user = self.stored_user(name_or_id).await?;
        self.require_somebody_left_in(&user, &groups).await?;
        let change = UserChange::Groups(groups.clone());
        let mut user = self
            .change_user(caller, name_or_id, ("user.groups", change))
            .await?;
        user.groups = groups;
        Ok(user)
    }

    /// Lets a user do nothing any more: sessions, keys and tokens stop within a second.
    pub async fn disable_user(&self, caller: &Caller, name_or_id: &str) -> Result<User, AccessError> {
        self.require_manager(caller)?;
        let user = self.stored_user(name_or_id).await?;
        not_oneself(
            caller,
            &user,
            "nobody disables itself: somebody has to be left who can undo it",
        )?;
        self.require_somebody_left((None, Some(user.id)), &user.name)
            .await?;
        let now = self.parts.clock.now();
        let change = UserChange::Disabled(now);
        let mut user = self
            .change_user(caller, name_or_id, ("user.disable", change))
            .await?;
        // The sessions went with the change; what clients were allowed in them goes now.
        self.end_all_of(user.id).await?;
        user.disabled_at.get_or_insert(now);
        Ok(user)
    }

    /// Lets a user do again what was granted.
    pub async fn enable_user(&self, caller: &Caller, name_or_id: &str) -> Result<User, AccessError> {
        let change = UserChange::Enabled;
        let mut user = self
            .change_user(caller, name_or_id, ("user.enable", change))
            .await?;
        user.disabled_at = None;
        Ok(user)
    }

    /// Removes a user, with the keys that act for it and its grants. Somebody whom a provider vouches for may come back, as
    /// a new user of the same identity without them.
    pub async fn remove_user(&self, caller: &Caller, name_or_id: &str) -> Result<User, AccessError> {
        let policies = self.require_manager(caller)?;
        let user = self.stored_user(name_or_id).await?;
        if user.id == UserId::LOCAL_ADMIN {
            let problem = "the local administrator stays: disable it instead";
            return Err(AccessError::invalid("user", &user.name, problem));
        }
        not_oneself(
            caller,
            &user,
            "nobody removes itself: somebody has to be left who can undo it",
        )?;
        self.require_somebody_left((None, Some(user.id)), &user.name)
            .await?;
        self.end_all_of(user.id).await?;
        let mut event = self.event("user.remove", caller);
        event.target = Some(format!("user:{}", user.name));
        event.policies = policies;
        event.detail = Some(json!({ "id": user.id }));
        match self.parts.identity.remove_user(user.id, event).await {
            Ok(()) => Ok(user),
            Err(StoreError::NotFound { .. }) => Err(AccessError::not_found("user", name_or_id)),
            Err(StoreError::Conflict { .. }) => Err(nobody_left(&user.name)),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends every session of a user, and what clients were allowed in them.
    pub(crate) async fn end_all_of(&self, user: UserId) -> Result<(), AccessError> {
        let which = EndedSessions::OfUser(user);
        let ended = self.parts.sessions.end_sessions(&which).await?;
        self.end_authorizations(&ended).await;
        Ok(())
    }

    async fn change_user(
        &self,
        caller: &Caller,
        name_or_id: &str,
        (action, change): (&str, UserChange),
    ) -> Result<User, AccessError> {
        let policies = self.require_manager(caller)?;
        let user = self.stored_user(name_or_id).await?;
        let mut event = self.event(action, caller);
        event.target = Some(format!("user:{}", user.name));
        event.policies = policies;
        event.detail = match &change {
            UserChange::Groups(groups) => {
                Some(json!({ "id": user.id, "groups": groups, "before": user.groups }))
            }
            _ => Some(json!({ "id": user.id })),
        };
        match self.parts.identity.change_user(user.id, &change, event).await {
            Ok(()) => Ok(user),
            Err(StoreError::NotFound { .. }) => Err(AccessError::not_found("user", name_or_id)),
            Err(StoreError::Conflict { .. }) => Err(nobody_left(&user.name)),
            Err(error) => Err(error.into()),
        }
    }

    async fn stored_user(&self, name_or_id: &str) -> Result<User, AccessError> {
        // A name cannot look like an identity.
        let id = name_or_id.parse::<UserId>().ok();
        let users = self.parts.identity.users().await?;
        users
            .into_iter()
            .find(|user| id.map_or(user.name == name_or_id, |id| user.id == id))
            .ok_or_else(|| AccessError::not_found("user", name_or_id))
    }
}

fn not_oneself(caller: &Caller, user: &User, problem: &'static str) -> Result<(), AccessError> {
    if caller.principal == Principal::User(user.id) {
        return Err(AccessError::invalid("user", &user.name, problem));
    }
    Ok(())
}

fn check_groups(groups: &[GroupName]) -> Result<(), AccessError> {
    if groups.len() <= GROUPS {
        return Ok(());
    }
    let given = groups.len().to_string();
    Err(AccessError::invalid(
        "groups",
        &given,
        "a user has at most 50 groups by hand",
    ))
}

fn check_text(field: &'static str, text: Option<&str>) -> Result<(), AccessError> {
    let Some(text) = text else { return Ok(()) };
    let is_good =
        !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS && !text.chars().any(char::is_control);
    if is_good {
        Ok(())
    } else {
        let problem = "it must be one line of 1 to 200 characters";
        Err(AccessError::invalid(field, text, problem))
    }
}
