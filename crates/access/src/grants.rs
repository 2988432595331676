//! Grants: added, listed, removed. Before: a face read the request. After: the face has the catalogue refreshed.

use portreeve_core::caller::Caller;
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, KeyId};
use portreeve_core::ports::StoreError;
use portreeve_inspect::MAX_TOOL_NAME;

use crate::{Access, AccessError};

/// The most tools that one grant may name.
pub const MAX_NAMED_TOOLS: usize = 100;

/// A grant to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Who.
    pub subject: Subject,
    /// What.
    pub rights: Rights,
    /// Where.
    pub servers: ServerScope,
    /// Which tools there.
    pub tools: ToolScope,
}

impl Access {
    /// Adds a grant. One that says the same already is given back instead.
    pub async fn add_grant(&self, caller: &Caller, new: NewGrant) -> Result<Grant, AccessError> {
        let policies = self.require_manager(caller)?;
        check(&new)?;
        match &new.subject {
            Subject::User(id) => self.require_user(*id).await?,
            Subject::Key(id) => self.require_own_key(*id).await?,
            // A group is made by naming it: its members may come with the next sign-in.
            Subject::Group(_) => {}
            // A client may be granted something before it is known here; nobody else can be that client.
            Subject::Client(_) => {}
        }
        let grants = self.parts.identity.grants().await?;
        match grants.into_iter().find(|grant| new.is_said_by(grant)) {
            Some(grant) => Ok(grant),
            None => self.store_grant(caller, new, policies).await,
        }
    }

    /// Removes a grant.
    pub async fn remove_grant(&self, caller: &Caller, id: GrantId) -> Result<Grant, AccessError> {
        let policies = self.require_manager(caller)?;
        let missing = || AccessError::not_found("grant", &id.to_string());
        let grants = self.parts.identity.grants().await?;
        let grant = grants
            .into_iter()
            .find(|grant| grant.id == id)
            .ok_or_else(missing)?;
        let event = self.grant_event("grant.remove", caller, (&grant, policies));
        match self.parts.identity.remove_grant(id, event).await {
            Ok(()) => Ok(grant),
            Err(StoreError::NotFound { .. }) => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    /// All grants, oldest first.
    pub async fn grants(&self, caller: &Caller) -> Result<Vec<Grant>, AccessError> {
        self.require_manager(caller)?;
        Ok(self.parts.identity.grants().await?)
    }

    /// Stores a grant whose right to exist was checked, by the policies named.
    pub(crate) async fn store_grant(
        &self,
        caller: &Caller,
        new: NewGrant,
        policies: Vec<String>,
    ) -> Result<Grant, AccessError> {
        let grant = Grant {
            id: GrantId::new(&*self.parts.clock, &*self.parts.rng),
            subject: new.subject,
            rights: new.rights,
            servers: new.servers,
            tools: new.tools,
            created_by: caller.label.to_string(),
            created_at: self.parts.clock.now(),
        };
        let event = self.grant_event("grant.create", caller, (&grant, policies));
        self.parts.identity.add_grant(&grant, event).await?;
        Ok(grant)
    }

    fn grant_event(
        &self,
        action: &str,
        caller: &Caller,
        (grant, policies): (&Grant, Vec<String>),
    ) -> portreeve_core::audit::AuditEvent {
        let mut event = self.event(action, caller);
        event.target = Some(format!("grant:{}", grant.id));
        if let ServerScope::Server(name) = &grant.servers {
            event.server = Some(name.to_string());
        }
        event.policies = policies;
        event.detail = serde_json::to_value(grant).ok();
        event
    }

    /// Refuses keys that do not exist, and keys that act as a user: their own grants would never be asked.
    async fn require_own_key(&self, id: KeyId) -> Result<(), AccessError> {
        let keys = self.parts.identity.keys().await?;
        let key = keys
            .into_iter()
            .find(|key| key.id == id && key.revoked_at.is_none());
        match key {
            None => Err(AccessError::not_found("live key", &id.to_string())),
            Some(key) if key.owner.is_some() => Err(AccessError::invalid(
                "subject",
                &format!("key:{}", key.name),
                "the key acts as its user, so grant this to the user",
            )),
            Some(_) => Ok(()),
        }
    }
}

// === impl NewGrant ===

impl NewGrant {
    fn is_said_by(&self, grant: &Grant) -> bool {
        self.subject == grant.subject
            && self.rights == grant.rights
            && self.servers == grant.servers
            && self.tools == grant.tools
    }
}

fn check(new: &NewGrant) -> Result<(), AccessError> {
    if new.rights == Rights::Manage && (new.servers != ServerScope::All || new.tools != ToolScope::All) {
        let problem = "managing is a right over the whole installation: leave servers and tools out";
        return Err(AccessError::invalid("rights", new.rights.as_str(), problem));
    }
    if new.rights == Rights::Publish && new.tools != ToolScope::All {
        let problem = "publishing is about servers: leave tools out";
        return Err(AccessError::invalid("tools", new.rights.as_str(), problem));
    }
    let ToolScope::Named(names) = &new.tools else {
        return Ok(());
    };
    let fail = |value: &str, problem| Err(AccessError::invalid("tools", value, problem));
    if names.is_empty() {
        return fail("[]", "name at least one tool");
    }
    if names.len() > MAX_NAMED_TOOLS {
        return fail(
            &format!("{} names", names.len()),
            "a grant names at most 100 tools",
        );
    }
    match names
        .iter()
        .find(|name| name.is_empty() || name.chars().count() > MAX_TOOL_NAME)
    {
        Some(name) => fail(name, "a tool's name has 1 to 256 characters"),
        None => Ok(()),
    }
}
