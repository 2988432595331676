//! What somebody allowed clients: seen, and taken back.

use std::collections::BTreeMap;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::UserId;
use portreeve_core::oauth::{Authorization, Client, ClientId};
use portreeve_core::time::Timestamp;
use serde_json::json;

use super::AuthorizationServer;
use crate::AccessError;

/// A client that somebody allowed something.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// The client.
    pub id: ClientId,
    /// What is known of it; nothing when it was removed meanwhile.
    pub client: Option<Client>,
    /// Resources and scopes, newest first.
    pub authorizations: Vec<Authorization>,
    /// When it got a token last.
    pub used_at: Timestamp,
}

impl AuthorizationServer {
    /// The clients that the caller allowed something, the one that was used last first.
    pub async fn allowed(&self, caller: &Caller) -> Result<Vec<Allowed>, AccessError> {
        let user = person(caller)?;
        let mut grouped: BTreeMap<ClientId, Vec<Authorization>> = BTreeMap::new();
        for authorization in self.parts.authorizations.authorizations(user).await? {
            grouped
                .entry(authorization.client.clone())
                .or_default()
                .push(authorization);
        }
        let mut all = Vec::with_capacity(grouped.len());
        for (id, authorizations) in grouped {
            let used_at = authorizations.iter().map(|one| one.used_at).max();
            all.push(Allowed {
                client: self.parts.clients.client(&id).await?,
                id,
                authorizations,
                used_at: used_at.unwrap_or_default(),
            });
        }
        all.sort_by_key(|allowed| std::cmp::Reverse(allowed.used_at));
        Ok(all)
    }

    /// Takes back everything that the caller allowed a client. Its tokens die at once.
    pub async fn withdraw(&self, caller: &Caller, client: &str) -> Result<(), AccessError> {
        let user = person(caller)?;
        let id: ClientId = client
            .parse()
            .map_err(|_| AccessError::not_found("client", client))?;
        let mut event = self.event("oauth.withdraw", caller, &id);
        event.detail = Some(json!({ "user": user }));
        let now = self.parts.clock.now();
        let ended = self.parts.authorizations.withdraw(user, &id, now, event).await?;
        for authorization in ended {
            self.parts.access.end_authorization(authorization).await?;
        }
        Ok(())
    }
}

fn person(caller: &Caller) -> Result<UserId, AccessError> {
    match caller.principal {
        Principal::User(user) => Ok(user),
        _ => Err(AccessError::Forbidden {
            caller: caller.label.to_string(),
            action: "do this: clients act for people, and this caller is none".to_owned(),
        }),
    }
}
