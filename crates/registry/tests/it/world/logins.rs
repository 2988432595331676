//! Logins in memory, and a vault of which one secret is missing.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::login::{Login, Presented, ServerLogin};
use portreeve_core::name::{SecretName, ServerName};
use portreeve_core::ports::{LoginStore, Outgoing, Purpose, SecretUnavailable, StoreError};
use portreeve_core::secret::Secret;

use super::store::Memory;

/// Everything in it is `hush`, and `nowhere` is not there.
pub(crate) struct Shelf;

#[async_trait]
impl Outgoing for Shelf {
    async fn open(&self, name: &SecretName, _: Purpose) -> Result<Secret, SecretUnavailable> {
        if name.as_str() == "nowhere" {
            return Err(SecretUnavailable::Unknown(name.clone()));
        }
        Ok(Secret::new("hush"))
    }

    async fn login(&self, login: &Login, purpose: Purpose) -> Result<Presented, SecretUnavailable> {
        let value = self.open(&login.secret().0, purpose).await?;
        let header = "authorization".to_owned();
        Ok(Presented { header, value })
    }
}

#[async_trait]
impl LoginStore for Memory {
    async fn logins(&self, server: &ServerName) -> Result<Vec<ServerLogin>, StoreError> {
        let logins = self.kept_logins();
        Ok(logins
            .iter()
            .filter(|login| login.server == *server)
            .cloned()
            .collect())
    }

    async fn set_login(&self, login: &ServerLogin, _: usize, event: AuditEvent) -> Result<(), StoreError> {
        let mut logins = self.kept_logins();
        logins.retain(|known| (&known.server, &known.url) != (&login.server, &login.url));
        logins.push(login.clone());
        drop(logins);
        self.note(&[event]);
        Ok(())
    }

    async fn remove_login(
        &self,
        server: &ServerName,
        url: &str,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut logins = self.kept_logins();
        let before = logins.len();
        logins.retain(|known| (&known.server, known.url.as_str()) != (server, url));
        if logins.len() == before {
            return Err(StoreError::NotFound {
                what: format!("login for `{url}`"),
            });
        }
        drop(logins);
        self.note(&[event]);
        Ok(())
    }
}
