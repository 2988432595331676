//! The end of an authorization: a client gives its token back (RFC 7009), or a token was used that must not be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::audit::AuditOutcome;
use portreeve_core::caller::Caller;
use portreeve_core::id::AuthorizationId;
use portreeve_core::oauth::{Authorization, Client, ClientId};
use portreeve_core::route::Credentials;
use serde_json::{Value, json};

use super::AuthorizationServer;
use super::credential::Credential;
use super::error::OauthError;
use crate::{Place, token};

impl AuthorizationServer {
    /// Answers the revocation endpoint. A token that means nothing here is no error.
    pub async fn revoke(&self, credential: &Credential, given: Option<&str>) -> Result<(), OauthError> {
        let client = self.authenticated(credential).await?;
        let given = given.ok_or_else(|| OauthError::request("`token` is missing"))?;
        if let Some(hash) = token::hash_hex(given) {
            let found = self.parts.authorizations.refresh_token(&hash).await?;
            if let Some((_, authorization)) = found
                && authorization.client == client.id
            {
                let caller = self.caller(&authorization.principal);
                return self
                    .ended(authorization.id, caller, (&client.id, "revoked"))
                    .await;
            }
        } else if let Some((caller, id)) = self.of_access_token(given, &client.id).await {
            return self.ended(id, Some(caller), (&client.id, "revoked")).await;
        }
        Ok(())
    }

    /// Whose access token this is, if it is one of this client and works.
    async fn of_access_token(&self, text: &str, client: &ClientId) -> Option<(Caller, AuthorizationId)> {
        // It says itself which resource it is for; whether that is true is looked at right after.
        let body = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&body).ok()?;
        let audience = match claims.get("aud")? {
            Value::Array(all) => all.first()?.as_str()?.to_owned(),
            one => one.as_str()?.to_owned(),
        };
        let resource = self.parts.resources.find(&audience)?;
        let takes = Credentials::default();
        let place = Place {
            resource: &resource.uri,
            route: &resource.route,
            takes: &takes,
        };
        let mut caller = self.parts.access.authenticate_at(text, &place).await.ok()?;
        let grant = caller.token.take()?;
        let id = grant.authorization.filter(|_| grant.client == *client)?;
        Some((caller, id))
    }

    /// Ends an authorization because of what was tried with it.
    pub(super) async fn end(
        &self,
        authorization: &Authorization,
        client: &Client,
        reason: &'static str,
    ) -> Result<(), OauthError> {
        let caller = self.caller(&authorization.principal);
        self.ended(authorization.id, caller, (&client.id, reason)).await
    }

    async fn ended(
        &self,
        id: AuthorizationId,
        caller: Option<Caller>,
        (client, reason): (&ClientId, &'static str),
    ) -> Result<(), OauthError> {
        let mut event = self.event("oauth.end", &caller.unwrap_or_else(Caller::system), client);
        if reason != "revoked" {
            event.outcome = AuditOutcome::Refused;
        }
        event.reason = Some(reason.to_owned());
        event.detail = Some(json!({ "authorization": id }));
        let now = self.parts.clock.now();
        self.parts.authorizations.end(id, now, event).await?;
        // Asked again for one that ended, this is done again: should it fail, the client hears so and comes back.
        self.parts.access.end_authorization(id).await?;
        Ok(())
    }
}
