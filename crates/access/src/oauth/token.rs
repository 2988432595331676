//! The token endpoint: a code, nothing but one's own name, or an assertion of the company's identity provider become an
//! access token. Refresh tokens have a file of their own.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::{AuthorizationId, ClientIdentity};
use portreeve_core::oauth::{
    Authorization, AuthorizationCode, Client, ClientAuth, GrantKind, ProtectedResource, RefreshToken, Scopes,
};
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_inspect::sha256;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::AuthorizationServer;
use super::authorize::scopes_for;
use super::credential::Credential;
use super::error::{OauthCode, OauthError};
use crate::{NewToken, token};

/// A request at the token endpoint.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// What is handed in.
    pub grant_type: Option<String>,
    /// Who asks.
    pub credential: Credential,
    /// The code.
    pub code: Option<Secret>,
    /// Where it was sent.
    pub redirect_uri: Option<String>,
    /// The proof key of the code.
    pub code_verifier: Option<Secret>,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// The assertion of an identity provider.
    pub assertion: Option<Secret>,
    /// How far the token shall go.
    pub scope: Option<String>,
    /// What it shall be for.
    pub resources: Vec<String>,
}

/// What the client gets.
#[derive(Debug, Clone)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Secret,
    /// How long it works.
    pub expires_in: Duration,
    /// The next refresh token.
    pub refresh_token: Option<Secret>,
    /// How far the access token goes.
    pub scope: Scopes,
}

/// How long an authorization lasts, however often it is used: then its user is asked again, and who is gone is not there.
const MOST: Duration = Duration::from_secs(90 * 24 * 60 * 60);

impl AuthorizationServer {
    /// Answers the token endpoint.
    pub async fn token(&self, request: &TokenRequest) -> Result<TokenAnswer, OauthError> {
        let word = request
            .grant_type
            .as_deref()
            .ok_or_else(|| OauthError::request("`grant_type` is missing"))?;
        let grant = GrantKind::from_word(word)
            .filter(|grant| *grant != GrantKind::JwtBearer || !self.parts.settings.issuers.is_empty());
        let Some(grant) = grant else {
            let shown: String = word.chars().take(100).collect();
            return Err(OauthError::new(
                OauthCode::UnsupportedGrantType,
                format!("`{shown}` is not taken here: look at `grant_types_supported` of the metadata"),
            ));
        };
        let client = self.authenticated(&request.credential).await?;
        let answer = match self.traded(grant, &client, request).await {
            Ok(answer) => answer,
            Err(error) => {
                let whose = (&client.id, request.credential.from);
                return Err(self.noted("oauth.token", whose, error).await);
            }
        };
        let now = self.parts.clock.now();
        if let Err(error) = self.parts.clients.note_client_used(&client.id, now).await {
            tracing::warn!(%error, "When a client got its last token could not be noted.");
        }
        Ok(answer)
    }

    async fn traded(
        &self,
        grant: GrantKind,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, OauthError> {
        if !client.may(grant) {
            return Err(OauthError::new(
                OauthCode::UnauthorizedClient,
                format!("this client may not use `{grant}`: it was not registered with it"),
            ));
        }
        match grant {
            GrantKind::AuthorizationCode => self.by_code(client, request).await,
            GrantKind::RefreshToken => self.by_refresh(client, request).await,
            GrantKind::ClientCredentials => self.by_itself(client, request).await,
            GrantKind::JwtBearer => self.by_assertion(client, request).await,
        }
    }

    async fn by_code(&self, client: &Client, request: &TokenRequest) -> Result<TokenAnswer, OauthError> {
        let dead =
            || OauthError::grant("the code does not work, or not any more: begin again at `/authorize`");
        let code = request
            .code
            .as_ref()
            .ok_or_else(|| OauthError::request("`code` is missing"))?;
        let hash = token::hash_hex(code.expose()).ok_or_else(dead)?;
        let found = self.parts.authorizations.code(&hash).await?;
        let (code, authorization) = found.ok_or_else(dead)?;
        if authorization.client != client.id {
            return Err(dead());
        }
        if code.redeemed_at.is_some() {
            // Of the two who hold it, one is a thief: neither keeps anything.
            self.end(&authorization, client, "code-used-twice").await?;
            return Err(dead());
        }
        check_proof(&code, request)?;
        self.check_target(&authorization.resource, &request.resources)?;
        let caller = self.still_allowed(&authorization)?;
        let now = self.parts.clock.now();
        let refresh = client
            .may(GrantKind::RefreshToken)
            .then(|| self.refresh_of(&authorization, now));
        let answer = self
            .issued(
                &authorization,
                &authorization.scopes,
                refresh.as_ref().map(|(secret, _)| secret),
            )
            .await?;
        let mut event = self.event("oauth.token", &caller, &client.id);
        event.detail = Some(json!({
            "grant": "authorization_code", "authorization": authorization.id, "scopes": authorization.scopes.to_string(),
        }));
        let stored = refresh.as_ref().map(|(_, stored)| stored);
        if self
            .parts
            .authorizations
            .redeem(&hash, stored, now, event)
            .await?
        {
            return Ok(answer);
        }
        // Somebody was faster with the same code, unless its time is over.
        let again = self.parts.authorizations.code(&hash).await?;
        if again.is_some_and(|(code, _)| code.redeemed_at.is_some()) {
            self.end(&authorization, client, "code-used-twice").await?;
        }
        Err(dead())
    }

    /// A client that acts in nobody's name. Its rights are those that were granted to it.
    async fn by_itself(&self, client: &Client, request: &TokenRequest) -> Result<TokenAnswer, OauthError> {
        if client.auth == ClientAuth::None {
            return Err(OauthError::new(
                OauthCode::UnauthorizedClient,
                "a client that acts for itself must authenticate",
            ));
        }
        let asked = Scopes::known_in(request.scope.as_deref().unwrap_or_default());
        let resource = self.one_target(request, &asked)?;
        let principal = Principal::Client(ClientIdentity::of(&client.id));
        self.direct(client, principal, (&resource, &asked), "client_credentials")
            .await
    }

    /// The resource of a request that rests on no authorization.
    pub(super) fn one_target(
        &self,
        request: &TokenRequest,
        asked: &Scopes,
    ) -> Result<ProtectedResource, OauthError> {
        self.target(request.resources.iter().map(String::as_str), asked)?
            .ok_or_else(|| {
                OauthError::target("`resource` is missing: name the MCP endpoint that the token is for")
            })
    }

    /// A token without a code and without a refresh token.
    pub(super) async fn direct(
        &self,
        client: &Client,
        principal: Principal,
        (resource, asked): (&ProtectedResource, &Scopes),
        grant: &'static str,
    ) -> Result<TokenAnswer, OauthError> {
        let scopes = scopes_for(resource, asked);
        if asked.iter().any(|scope| scope.route != resource.route) {
            return Err(OauthError::new(
                OauthCode::InvalidScope,
                "a scope is of another server than `resource`",
            ));
        }
        let now = self.parts.clock.now();
        let authorization = Authorization {
            id: AuthorizationId::new(&*self.parts.clock, &*self.parts.rng),
            client: client.id.clone(),
            principal,
            resource: resource.uri.clone(),
            scopes,
            signed_in_at: None,
            granted_at: now,
            used_at: now,
            ended_at: None,
        };
        let caller = self.still_allowed(&authorization)?;
        let answer = self.issued(&authorization, &authorization.scopes, None).await?;
        let mut event = self.event("oauth.token", &caller, &client.id);
        event.route = Some(resource.route.to_string());
        event.detail = Some(json!({
            "grant": grant, "authorization": authorization.id, "scopes": authorization.scopes.to_string(),
        }));
        self.parts.journal.append(&event)?;
        Ok(answer)
    }

    /// Who acts, if they still exist and may still know of the resource.
    pub(super) fn still_allowed(&self, authorization: &Authorization) -> Result<Caller, OauthError> {
        let gone = || OauthError::grant("what this rests on is gone: ask the user again");
        let caller = self.caller(&authorization.principal).ok_or_else(gone)?;
        let resource = self
            .parts
            .resources
            .find(&authorization.resource)
            .ok_or_else(gone)?;
        if self.may_discover(&caller, &resource) {
            Ok(caller)
        } else {
            Err(OauthError::grant(format!(
                "{} may not use {}: ask an administrator for a grant",
                caller.label, resource.route
            )))
        }
    }

    /// Refuses a resource that is not the one of the authorization.
    pub(super) fn check_target(&self, granted: &str, named: &[String]) -> Result<(), OauthError> {
        let is_granted = |uri: &String| {
            let found = self.parts.resources.find(uri);
            !uri.contains('#') && found.is_some_and(|resource| resource.uri == granted)
        };
        if named.iter().all(is_granted) {
            Ok(())
        } else {
            Err(OauthError::target(
                "`resource` is another one than was allowed: ask the user for it at `/authorize`",
            ))
        }
    }

    /// An access token of an authorization.
    pub(super) async fn issued(
        &self,
        authorization: &Authorization,
        scopes: &Scopes,
        refresh: Option<&Secret>,
    ) -> Result<TokenAnswer, OauthError> {
        let new = NewToken {
            subject: authorization.principal,
            client: authorization.client.clone(),
            audience: authorization.resource.clone(),
            scopes: scopes.clone(),
            authorization: authorization.id,
            signed_in_at: authorization.signed_in_at,
        };
        let issued = self.parts.access.issue_token(&new).await?;
        Ok(TokenAnswer {
            access_token: issued.token,
            expires_in: issued.expires_in,
            refresh_token: refresh.cloned(),
            scope: scopes.clone(),
        })
    }

    /// A new refresh token, and what is stored of it.
    pub(super) fn refresh_of(&self, authorization: &Authorization, now: Timestamp) -> (Secret, RefreshToken) {
        let (secret, hash) = token::mint(&*self.parts.rng);
        let stored = RefreshToken {
            hash,
            authorization: authorization.id,
            expires_at: now
                .plus(self.parts.settings.refresh)
                .min(authorization.granted_at.plus(MOST)),
            spent_at: None,
            successor: None,
        };
        (secret, stored)
    }
}

/// The proof key (RFC 7636), and where the code was sent.
fn check_proof(code: &AuthorizationCode, request: &TokenRequest) -> Result<(), OauthError> {
    if request
        .redirect_uri
        .as_ref()
        .is_some_and(|uri| *uri != code.redirect_uri)
    {
        return Err(OauthError::grant(
            "`redirect_uri` is not the one that the code was sent to",
        ));
    }
    let verifier = request
        .code_verifier
        .as_ref()
        .ok_or_else(|| OauthError::grant("`code_verifier` is missing"))?;
    let digest = URL_SAFE_NO_PAD.encode(sha256(verifier.expose().as_bytes()));
    if bool::from(digest.as_bytes().ct_eq(code.challenge.as_bytes())) {
        Ok(())
    } else {
        Err(OauthError::grant(
            "`code_verifier` is not the proof key of this code",
        ))
    }
}
