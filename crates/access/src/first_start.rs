//! The first start: the local administrator and what it may do. Before: the store is open. After: `serve` makes the
//! administrator's key.

use portreeve_core::caller::{Caller, User};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::UserId;

use crate::grants::NewGrant;
use crate::policies::SYSTEM_POLICY;
use crate::{Access, AccessError};

impl Access {
    /// Makes sure that the local administrator exists. Its two grants (manage; use everything) are made with it and
    /// never again, so that one that was removed stays removed.
    pub async fn first_start(&self) -> Result<(), AccessError> {
        let system = Caller::system();
        let admin = User::local(UserId::LOCAL_ADMIN, "admin", self.parts.clock.now());
        let mut event = self.event("user.create", &system);
        event.target = Some("user:admin".to_owned());
        event.policies = vec![SYSTEM_POLICY.to_owned()];
        let made_now = self.parts.identity.ensure_user(&admin, event).await?;
        if !made_now && !self.was_interrupted().await? {
            return Ok(());
        }
        for rights in [Rights::Manage, Rights::Use] {
            let grant = NewGrant {
                subject: Subject::User(UserId::LOCAL_ADMIN),
                rights,
                servers: ServerScope::All,
                tools: ToolScope::All,
                expires_at: None,
            };
            self.store_grant(&system, grant, vec![SYSTEM_POLICY.to_owned()])
                .await?;
        }
        Ok(())
    }

    /// Whether a former first start ended between the user and its grants. Nobody ever held a key then, and nobody has
    /// any right: an installation that nobody could use is finished, not respected.
    async fn was_interrupted(&self) -> Result<bool, AccessError> {
        let identity = &self.parts.identity;
        Ok(identity.grants().await?.is_empty() && identity.keys().await?.is_empty())
    }
}
