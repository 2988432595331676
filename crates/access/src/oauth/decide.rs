//! What a person decides about a request: allowed, with a code, or refused. Before: `authorize` asked. After: the
//! browser takes the answer to the client, which comes to `token`.

use portreeve_core::audit::AuditOutcome;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::AuthorizationId;
use portreeve_core::oauth::{
    Authorization, AuthorizationCode, Client, Consent, PendingAuthorization, ProtectedResource, Scopes,
    ToolClass,
};
use portreeve_core::ports::Approval;
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_core::user::Session;
use portreeve_inspect::sha256_hex;
use serde_json::json;

use super::authorize::{Destination, scopes_for, session_hash};
use super::error::{OauthCode, OauthError};
use super::redirect::RedirectUri;
use super::{AuthorizationServer, CODE_LIFE};
use crate::token;

/// What somebody chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The client may, at this resource (needed where the request names none), as far as these scopes go.
    Allow {
        /// The canonical address of the resource.
        resource: Option<String>,
        /// Whether tools that change something are among it.
        writing: Writing,
    },
    /// The client may not.
    Refuse,
}

/// How much is allowed of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// All of it.
    Allowed,
    /// Only what reads.
    Refused,
}

/// What is granted, to whom.
pub(super) struct Granting<'a> {
    pub(super) principal: Principal,
    pub(super) client: &'a Client,
    pub(super) resource: &'a str,
    pub(super) scopes: &'a Scopes,
    pub(super) redirect_uri: &'a str,
    pub(super) challenge: &'a str,
    pub(super) signed_in_at: Option<Timestamp>,
}

impl AuthorizationServer {
    /// Decides a request that waits. It must wait for this very session.
    ///
    /// # Errors
    ///
    /// With what is shown as a page.
    pub async fn decide(
        &self,
        (caller, cookie): (&Caller, &Secret),
        request: &str,
        choice: &Choice,
    ) -> Result<Destination, OauthError> {
        let over = || {
            OauthError::request(
                "this request is over, or was answered before: go back to the program and begin again",
            )
        };
        let now = self.parts.clock.now();
        let hash = token::hash_hex(request).ok_or_else(over)?;
        let pending = self
            .parts
            .authorizations
            .pending(&hash, now)
            .await?
            .ok_or_else(over)?;
        let session = session_hash(cookie);
        let is_asked = pending.session == session && Principal::User(pending.user) == caller.principal;
        if !is_asked {
            self.note_foreign(caller, &pending)?;
            return Err(over());
        }
        let redirect = RedirectUri::parse(&pending.redirect_uri).map_err(|_| over())?;
        let outcome = match choice {
            Choice::Refuse => {
                let event = self.event("oauth.refuse", caller, &pending.client);
                if !self.parts.authorizations.refuse(&hash, &session, event).await? {
                    return Err(over());
                }
                Err(OauthError::new(OauthCode::AccessDenied, "the user refused"))
            }
            Choice::Allow { resource, writing } => {
                let resource = self.chosen(caller, &pending, resource.as_deref())?;
                Ok(self
                    .allow((caller, cookie), (&pending, &redirect), (&resource, *writing))
                    .await?)
            }
        };
        Ok(self.answer(&redirect, pending.state.as_deref(), &outcome))
    }

    /// Notes that a form came for a request of another session, or with another page's token. Nothing is decided by it.
    ///
    /// # Errors
    ///
    /// When it cannot be noted.
    pub async fn note_forgery(&self, caller: &Caller, request: &str) -> Result<(), OauthError> {
        let Some(hash) = token::hash_hex(request) else {
            return Ok(());
        };
        let now = self.parts.clock.now();
        match self.parts.authorizations.pending(&hash, now).await? {
            Some(pending) => self.note_foreign(caller, &pending),
            None => Ok(()),
        }
    }

    /// Somebody tried to have a request decided in another browser than the one that asked.
    fn note_foreign(&self, caller: &Caller, pending: &PendingAuthorization) -> Result<(), OauthError> {
        let mut event = self.event("oauth.authorize", caller, &pending.client);
        event.outcome = AuditOutcome::Refused;
        event.reason = Some("foreign-request".to_owned());
        event.detail = Some(json!({ "askedOf": pending.user }));
        Ok(self.parts.journal.append(&event)?)
    }

    fn chosen(
        &self,
        caller: &Caller,
        pending: &PendingAuthorization,
        chosen: Option<&str>,
    ) -> Result<ProtectedResource, OauthError> {
        let uri = match (&pending.resource, chosen) {
            (Some(named), _) => named,
            (None, Some(chosen)) => chosen,
            (None, None) => return Err(OauthError::request("choose the server that the program may use")),
        };
        let gone = || OauthError::target("the server is not there any more: go back and begin again");
        let resource = self.parts.resources.find(uri).ok_or_else(gone)?;
        self.offered(caller, Some(&resource))?;
        Ok(resource)
    }

    async fn allow(
        &self,
        (caller, session): (&Caller, &Secret),
        (pending, redirect): (&PendingAuthorization, &RedirectUri),
        (resource, writing): (&ProtectedResource, Writing),
    ) -> Result<Secret, OauthError> {
        let client = self.client_of_token(&pending.client, None).await?;
        if client.snapshot != pending.snapshot {
            return Err(OauthError::client(
                "the program describes itself otherwise than when you were asked: go back and begin again",
            ));
        }
        let asked = scopes_for(resource, &pending.scopes);
        let scopes: Scopes = match writing {
            Writing::Allowed => asked,
            Writing::Refused => Scopes::needed(&resource.route, ToolClass::Read),
        };
        let signed_in = self.session(session).await?;
        let granting = Granting {
            principal: caller.principal,
            client: &client,
            resource: &resource.uri,
            scopes: &scopes,
            redirect_uri: redirect.as_str(),
            challenge: &pending.challenge,
            signed_in_at: signed_in.as_ref().map(|session| session.authenticated_at),
        };
        let (mut approval, code) = self.granted(&granting);
        approval.pending = Some((pending.hash.clone(), pending.session.clone()));
        approval.consent = Some(self.consent(&client, pending, redirect, (resource, &scopes)));
        let mut event = self.event("oauth.authorize", caller, &client.id);
        event.server = Some(resource.server.to_string());
        event.route = Some(resource.route.to_string());
        event.detail = Some(json!({
            "scopes": scopes.to_string(), "redirectHost": redirect.host(), "asked": true,
            "authorization": approval.authorization.id,
        }));
        let now = self.parts.clock.now();
        if !self.parts.authorizations.approve(&approval, now, event).await? {
            return Err(OauthError::request("this request was answered before"));
        }
        self.note_session(signed_in.as_ref(), approval.authorization.id)
            .await?;
        Ok(code)
    }

    /// The session of a browser.
    pub(super) async fn session(&self, secret: &Secret) -> Result<Option<Session>, OauthError> {
        let found = self.parts.access.session_of(secret.expose()).await?;
        Ok(found.map(|(_, session)| session))
    }

    /// Notes in which session something was allowed, before anybody gets the code: it ends when the provider ends that.
    pub(super) async fn note_session(
        &self,
        session: Option<&Session>,
        authorization: AuthorizationId,
    ) -> Result<(), OauthError> {
        if let Some(session) = session {
            self.parts
                .access
                .note_authorization(session, authorization)
                .await?;
        }
        Ok(())
    }

    fn consent(
        &self,
        client: &Client,
        pending: &PendingAuthorization,
        redirect: &RedirectUri,
        (resource, scopes): (&ProtectedResource, &Scopes),
    ) -> Consent {
        let host = redirect.host();
        let key = json!([pending.user, client.id, client.snapshot, host, resource.uri]).to_string();
        Consent {
            key: sha256_hex(key.as_bytes()),
            user: pending.user,
            client: client.id.clone(),
            snapshot: client.snapshot.clone(),
            redirect_host: host,
            resource: resource.uri.clone(),
            scopes: scopes.clone(),
            given_at: self.parts.clock.now(),
        }
    }

    /// A new authorization and its code.
    pub(super) fn granted(&self, granting: &Granting<'_>) -> (Approval, Secret) {
        let now = self.parts.clock.now();
        let id = AuthorizationId::new(&*self.parts.clock, &*self.parts.rng);
        let (code, hash) = token::mint(&*self.parts.rng);
        let approval = Approval {
            pending: None,
            consent: None,
            authorization: Authorization {
                id,
                client: granting.client.id.clone(),
                principal: granting.principal,
                resource: granting.resource.to_owned(),
                scopes: granting.scopes.clone(),
                signed_in_at: granting.signed_in_at,
                granted_at: now,
                used_at: now,
                ended_at: None,
            },
            code: AuthorizationCode {
                hash,
                authorization: id,
                redirect_uri: granting.redirect_uri.to_owned(),
                challenge: granting.challenge.to_owned(),
                expires_at: now.plus(CODE_LIFE),
                redeemed_at: None,
            },
        };
        (approval, code)
    }
}
