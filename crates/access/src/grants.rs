//! Grants: added, listed, removed. Before: a face read the request. After: the face has the catalogue refreshed.

use std::time::Duration;

use portreeve_core::caller::{ApiKey, Caller, Principal, User};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{ClientIdentity, GrantId, KeyId};
use portreeve_core::name::ServerName;
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;
use portreeve_inspect::MAX_TOOL_NAME;

use crate::roles::nobody_left;
use crate::roles::scope_holds;
use crate::{Access, AccessError};

/// The most tools that one grant may name.
pub const MAX_NAMED_TOOLS: usize = 100;

/// How long ago a grant ended that is removed: clocks differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// Ended grants that are removed in one change of the catalogue.
const ENDED_AT_ONCE: usize = 100;

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
    /// When it ends. `None`: when somebody takes it back.
    pub expires_at: Option<Timestamp>,
}

/// A grant with its subject as people know it: `key:deploy`, `user:admin`, `group:finance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedGrant {
    /// The grant.
    pub grant: Grant,
    /// The label of its subject.
    pub subject: String,
}

/// Who shall be granted something, by a name or an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectName<'a> {
    /// A key.
    Key(&'a str),
    /// A user.
    User(&'a str),
    /// An OAuth client that acts for itself.
    Client(&'a str),
    /// Everybody in a group.
    Group(&'a str),
}

impl Access {
    /// Adds a grant. One that says the same already is given back instead.
    pub async fn add_grant(&self, caller: &Caller, new: NewGrant) -> Result<Grant, AccessError> {
        let policies = self.require_reach(caller, (new.rights, &new.servers))?;
        check(&new)?;
        if let Some(at) = new.expires_at {
            check_end(new.rights, (at, self.parts.clock.now()))?;
        }
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
        let missing = || AccessError::not_found("grant", &id.to_string());
        // What the caller may not read does not exist here.
        let grants = self.grants(caller).await?;
        let grant = grants
            .into_iter()
            .find(|grant| grant.id == id)
            .ok_or_else(missing)?;
        let policies = self.require_reach(caller, (grant.rights, &grant.servers))?;
        if grant.rights == Rights::Manage {
            self.require_somebody_left((Some(id), None), &id.to_string())
                .await?;
        }
        let event = self.grant_event("grant.remove", caller, (&grant, policies));
        match self.parts.identity.remove_grant(id, event).await {
            Ok(()) => Ok(grant),
            // Somebody else took another one away in the same moment.
            Err(StoreError::Conflict { .. }) => Err(nobody_left(&id.to_string())),
            Err(StoreError::NotFound { .. }) => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    /// The grants that reach no further than where the caller audits or manages, oldest first.
    pub async fn grants(&self, caller: &Caller) -> Result<Vec<Grant>, AccessError> {
        let what = "read who was granted what";
        let whole = self.require_auditor(caller, what);
        let is_whole = match whole {
            Ok(()) => true,
            Err(_) if self.reads_some_grants(caller) => false,
            Err(error) => return Err(error),
        };
        let mut grants = self.parts.identity.grants().await?;
        if !is_whole {
            grants.retain(|grant| self.may_read_grant(caller, grant));
        }
        Ok(grants)
    }

    /// The same with the names of their subjects.
    pub async fn named_grants(&self, caller: &Caller) -> Result<Vec<NamedGrant>, AccessError> {
        let grants = self.grants(caller).await?;
        let (keys, users) = (
            self.parts.identity.keys().await?,
            self.parts.identity.users().await?,
        );
        let named = |grant: Grant| NamedGrant {
            subject: label_of(&grant.subject, &keys, &users),
            grant,
        };
        Ok(grants.into_iter().map(named).collect())
    }

    /// Those of them that speak of one server.
    pub async fn grants_on(
        &self,
        caller: &Caller,
        server: &ServerName,
    ) -> Result<Vec<NamedGrant>, AccessError> {
        let here = ServerScope::Server(server.clone());
        let mut named = self.named_grants(caller).await?;
        let state = self.state.load();
        named.retain(|one| scope_holds(&one.grant.servers, &here, &state.facts));
        Ok(named)
    }

    /// A grant that was just made, with the name of its subject.
    pub async fn named_grant(&self, grant: Grant) -> Result<NamedGrant, AccessError> {
        let (keys, users) = (
            self.parts.identity.keys().await?,
            self.parts.identity.users().await?,
        );
        Ok(NamedGrant {
            subject: label_of(&grant.subject, &keys, &users),
            grant,
        })
    }

    /// Who is meant by a name or an identity, for who may make grants. A revoked key gives its name up. `None`: nobody.
    pub async fn subject_named(
        &self,
        caller: &Caller,
        name: SubjectName<'_>,
    ) -> Result<Option<Subject>, AccessError> {
        let manages = |grant: &Grant| grant.rights == Rights::Manage;
        if !self.live_grants(caller).iter().any(manages) {
            self.require_manager(caller)?;
        }
        Ok(match name {
            SubjectName::Group(text) => {
                let group = text.strip_prefix("group:").unwrap_or(text);
                group.parse().ok().map(Subject::Group)
            }
            SubjectName::Key(text) => {
                let keys = self.parts.identity.keys().await?;
                keys.into_iter()
                    .filter(|key| key.revoked_at.is_none())
                    .filter(|key| key.name == text || key.id.to_string() == text)
                    .max_by_key(|key| key.created_at)
                    .map(|key| Subject::Key(key.id))
            }
            SubjectName::User(text) => {
                let users = self.parts.identity.users().await?;
                let mut users = users.into_iter();
                let user = users.find(|user| user.name == text || user.id.to_string() == text);
                user.map(|user| Subject::User(user.id))
            }
            SubjectName::Client(text) => {
                let client = text.parse().ok();
                client.map(|client| Subject::Client(ClientIdentity::of(&client)))
            }
        })
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
            expires_at: new.expires_at,
            request: None,
        };
        let event = self.grant_event("grant.create", caller, (&grant, policies));
        self.parts.identity.add_grant(&grant, event).await?;
        Ok(grant)
    }

    /// Removes the grants whose time is over. They count no more from that moment on; this tidies up, tells the hosts whose
    /// lists got shorter, and writes down that it happened. Of several nodes, one does it. A moment is let pass first: what is
    /// removed is gone for good, and the clock of this node may be ahead of the others'.
    pub async fn remove_ended_grants(&self) -> Result<usize, AccessError> {
        let by = self.parts.clock.now().minus(LEEWAY);
        let mut removed = 0;
        for batch in self.ended_grants(by).chunks(ENDED_AT_ONCE) {
            let event_of =
                |grant: &Grant| self.grant_event("grant.expire", &Caller::system(), (grant, Vec::new()));
            let ended = batch.iter().map(|grant| (grant.id, event_of(grant))).collect();
            removed += self.parts.identity.remove_ended_grants(ended, by).await?;
        }
        Ok(removed)
    }

    pub(crate) fn grant_event(
        &self,
        action: &str,
        caller: &Caller,
        (grant, policies): (&Grant, Vec<String>),
    ) -> portreeve_core::audit::AuditEvent {
        let mut event = self.event(action, caller);
        event.target = Some(format!("grant:{}", grant.id));
        // The audit log is read by server, too.
        if let ServerScope::Server(name) = &grant.servers {
            event.server = Some(name.to_string());
        }
        event.policies = policies;
        event.detail = serde_json::to_value(grant).ok();
        event
    }

    /// Refuses keys that do not exist, and keys that act as a user: their own grants would never be asked.
    pub(crate) async fn require_own_key(&self, id: KeyId) -> Result<(), AccessError> {
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
            // One that ends at another moment does not say the same.
            && self.expires_at == grant.expires_at
    }
}

pub(crate) fn check(new: &NewGrant) -> Result<(), AccessError> {
    if new.rights != Rights::Use && new.tools != ToolScope::All {
        let problem = "roles of the management side are about servers: leave tools out";
        return Err(AccessError::invalid("tools", new.rights.as_str(), problem));
    }
    check_tools(&new.tools)
}

/// Names of tools that can be names.
pub(crate) fn check_tools(tools: &ToolScope) -> Result<(), AccessError> {
    let ToolScope::Named(names) = tools else {
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

/// Whoever manages hands on grants, keys and policies, which would stay when that right ends by itself: it would look as if
/// somebody's access was over while it went on.
fn check_end(rights: Rights, (at, now): (Timestamp, Timestamp)) -> Result<(), AccessError> {
    let fail = |problem| Err(AccessError::invalid("expiresAt", &at.to_string(), problem));
    if at <= now {
        return fail("it must lie in the future");
    }
    if rights == Rights::Manage {
        return fail(
            "what a manager hands on would outlast it: leave the end out, and take it back when its time is over",
        );
    }
    Ok(())
}

fn label_of(subject: &Subject, keys: &[ApiKey], users: &[User]) -> String {
    let key = |id: &KeyId| keys.iter().find(|key| key.id == *id).map(|key| key.name.clone());
    match subject {
        Subject::Key(id) => format!("key:{}", key(id).unwrap_or_else(|| id.to_string())),
        Subject::User(id) => {
            let user = users.iter().find(|user| user.id == *id);
            format!(
                "user:{}",
                user.map_or_else(|| id.to_string(), |user| user.name.clone())
            )
        }
        Subject::Client(id) => Principal::Client(*id).to_string(),
        Subject::Group(group) => format!("group:{group}"),
    }
}
