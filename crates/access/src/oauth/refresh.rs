//! Refresh tokens: each works once and is followed by another one. Who shows a spent one is a thief, or was robbed, so
//! everything of the family ends; except that for a moment the same client gets the same answer again, for answers are
//! lost on their way, and programs refresh from two windows at once.

use portreeve_core::oauth::{Authorization, Client, RefreshToken, Scopes};
use portreeve_core::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::{OauthCode, OauthError};
use super::token::{TokenAnswer, TokenRequest};
use super::{AuthorizationServer, RETRY_WINDOW};
use crate::token;

/// An answer, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    access: String,
    refresh: String,
    scope: String,
    /// When the access token stops working, in milliseconds.
    until: i64,
}

impl AuthorizationServer {
    pub(super) async fn by_refresh(
        &self,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, OauthError> {
        let given = request
            .refresh_token
            .as_ref()
            .ok_or_else(|| OauthError::request("`refresh_token` is missing"))?;
        let hash = token::hash_hex(given.expose()).ok_or_else(dead)?;
        let found = self.parts.authorizations.refresh_token(&hash).await?;
        let (stored, authorization) = found.ok_or_else(dead)?;
        if authorization.client != client.id || authorization.ended_at.is_some() {
            return Err(dead());
        }
        self.check_target(&authorization.resource, &request.resources)?;
        let scopes = narrowed(&authorization.scopes, request.scope.as_deref())?;
        if stored.spent_at.is_some() {
            return self.repeated(client, &stored, &authorization).await;
        }
        let now = self.parts.clock.now();
        if stored.expires_at <= now {
            return Err(dead());
        }
        let caller = self.still_allowed(&authorization)?;
        let (secret, next) = self.refresh_of(&authorization, now);
        let answer = self.issued(&authorization, &scopes, Some(&secret)).await?;
        let sealed = self.sealed(&hash, &answer)?;
        let mut event = self.event("oauth.refresh", &caller, &client.id);
        event.detail = Some(json!({ "authorization": authorization.id, "scopes": scopes.to_string() }));
        let authorizations = &self.parts.authorizations;
        if authorizations.rotate(&hash, (&sealed, &next), now, event).await? {
            return Ok(answer);
        }
        // Another request with the same token was faster: both get what that one got.
        match authorizations.refresh_token(&hash).await? {
            Some((stored, authorization)) if authorization.ended_at.is_none() => {
                self.repeated(client, &stored, &authorization).await
            }
            _ => Err(dead()),
        }
    }

    /// The answer of a moment ago, or the end of the family.
    async fn repeated(
        &self,
        client: &Client,
        stored: &RefreshToken,
        authorization: &Authorization,
    ) -> Result<TokenAnswer, OauthError> {
        let now = self.parts.clock.now();
        let recent = stored
            .spent_at
            .is_some_and(|spent| now.since(spent) < RETRY_WINDOW);
        let kept = stored.successor.as_deref().filter(|_| recent);
        if let Some(kept) = kept.and_then(|sealed| self.opened(&stored.hash, sealed)) {
            let until = portreeve_core::time::Timestamp::from_millis(kept.until);
            return Ok(TokenAnswer {
                access_token: Secret::new(kept.access),
                expires_in: until.since(now),
                refresh_token: Some(Secret::new(kept.refresh)),
                scope: Scopes::known_in(&kept.scope),
            });
        }
        self.end(authorization, client, "refresh-token-used-twice")
            .await?;
        Err(dead())
    }

    fn sealed(&self, hash: &str, answer: &TokenAnswer) -> Result<String, OauthError> {
        let kept = Kept {
            access: answer.access_token.expose().to_owned(),
            refresh: answer
                .refresh_token
                .as_ref()
                .map(|secret| secret.expose().to_owned())
                .unwrap_or_default(),
            scope: answer.scope.to_string(),
            until: self.parts.clock.now().plus(answer.expires_in).as_millis(),
        };
        let failed =
            |_| OauthError::request("the token cannot be kept: this is a fault of Portreeve, report it");
        let text = Secret::new(serde_json::to_string(&kept).unwrap_or_default());
        self.sealer
            .seal(&text, &["oauth-refresh", hash], &*self.parts.rng)
            .map_err(failed)
    }

    fn opened(&self, hash: &str, sealed: &str) -> Option<Kept> {
        let text = self.sealer.open(sealed, &["oauth-refresh", hash]).ok()?;
        serde_json::from_str(text.expose()).ok()
    }
}

fn dead() -> OauthError {
    OauthError::grant("the refresh token does not work, or not any more: ask the user again at `/authorize`")
}

/// What is asked for within what was allowed.
fn narrowed(allowed: &Scopes, asked: Option<&str>) -> Result<Scopes, OauthError> {
    let asked = Scopes::known_in(asked.unwrap_or_default());
    if asked.is_empty() {
        return Ok(allowed.clone());
    }
    if !allowed.include(&asked) {
        return Err(OauthError::new(
            OauthCode::InvalidScope,
            format!("`{allowed}` was allowed: ask the user for more at `/authorize`"),
        ));
    }
    Ok(allowed
        .iter()
        .filter(|scope| asked.cover(&scope.route, scope.class))
        .cloned()
        .collect())
}
