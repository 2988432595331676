//! `/authorize`: what a client asks for, judged in the order that keeps its user safe.
//!
//! Client and redirect come first: while they are in doubt, a refusal is a page, since a redirect would lead to whoever
//! wrote the request. After that, refusals go back to the client, with `iss` (RFC 9207) and its `state`. Somebody who is
//! not signed in signs in first, and then the request comes again: so it is bound to the session of the browser that
//! asked from its first moment on, and what waits in one browser cannot be decided in another.

use std::net::IpAddr;
use std::time::Duration;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::UserId;
use portreeve_core::oauth::{
    Client, ClientKind, Consent, GrantKind, PendingAuthorization, ProtectedResource, Scope, Scopes,
};
use portreeve_core::secret::Secret;
use portreeve_inspect::sha256_hex;
use serde_json::json;
use url::Url;

use super::error::{OauthCode, OauthError};
use super::parameters::{Parameters, Prompt};
use super::redirect::{RedirectUri, admitted};
use super::{AuthorizationServer, PENDING_LIFE};
use crate::token;

/// Bytes of `state`.
const STATE: usize = 4_096;
/// Servers that a page offers.
const OFFERED: usize = 200;

/// Where an answer goes: a redirect that may be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination(pub String);

/// What becomes of a request.
#[derive(Debug)]
pub enum Begun {
    /// The user signs in, and the request comes again.
    SignIn,
    /// The user is asked.
    Ask(Box<Asked>),
    /// The client gets an answer at once, good or bad.
    Answer(Destination),
}

/// What the user is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The identity of the request, for the form.
    pub request: Secret,
    /// Who asks.
    pub client: Client,
    /// Where the code goes.
    pub redirect: RedirectUri,
    /// The resource; several where the request names none.
    pub resources: Vec<ProtectedResource>,
    /// What is asked for, of a resource that is named; none otherwise.
    pub scopes: Scopes,
}

/// A request whose client and redirect are right.
struct Trusted {
    client: Client,
    redirect: RedirectUri,
    state: Option<String>,
}

/// The rest of it.
struct Judged {
    challenge: String,
    resource: Option<ProtectedResource>,
    scopes: Scopes,
    prompt: Prompt,
    /// How long ago the user may have signed in.
    signed_in_within: Option<Duration>,
}

// === impl AuthorizationServer ===

impl AuthorizationServer {
    /// Judges a request, and finds out whether its user must be asked. `visitor` is who is signed in, with the secret of
    /// the session; `fresh` says that they signed in for this request, `from` where it comes from.
    ///
    /// # Errors
    ///
    /// With what is shown as a page, because nobody knows where a redirect would lead.
    pub async fn begin(
        &self,
        visitor: Option<(&Caller, &Secret)>,
        pairs: &[(String, String)],
        (fresh, from): (Fresh, Option<IpAddr>),
    ) -> Result<Begun, OauthError> {
        let parameters = Parameters(pairs);
        let trusted = self.trusted(&parameters, from).await?;
        match self.judged(visitor, &parameters, &trusted, fresh).await {
            Ok(begun) => Ok(begun),
            Err(error) => {
                let refused = self.answer(&trusted.redirect, trusted.state.as_deref(), &Err(error));
                Ok(Begun::Answer(refused))
            }
        }
    }

    async fn trusted(
        &self,
        parameters: &Parameters<'_>,
        from: Option<IpAddr>,
    ) -> Result<Trusted, OauthError> {
        let id = parameters
            .one("client_id")?
            .ok_or_else(|| OauthError::request("`client_id` is missing"))?;
        let id = id
            .parse()
            .map_err(|error| OauthError::client(format!("{error}")))?;
        let client = self.client(&id, from).await?;
        let redirect = match (parameters.one("redirect_uri")?, client.redirect_uris.as_slice()) {
            (Some(asked), known) => {
                let redirect = RedirectUri::parse(asked)
                    .ok()
                    .filter(|asked| admitted(known, asked));
                match redirect {
                    Some(redirect) => redirect,
                    None => return Err(self.unregistered(&client.id, from, asked).await),
                }
            }
            (None, [only]) => RedirectUri::parse(only)
                .map_err(|_| OauthError::request("the registered redirect of this client cannot be used"))?,
            (None, _) => return Err(OauthError::request("`redirect_uri` is missing")),
        };
        // `state` is not read with the others: one that cannot be repeated makes the answer unsafe.
        let state = parameters.one("state")?.map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > STATE) {
            return Err(OauthError::request("`state` has more than 4,096 bytes"));
        }
        Ok(Trusted {
            client,
            redirect,
            state,
        })
    }

    async fn judged(
        &self,
        visitor: Option<(&Caller, &Secret)>,
        parameters: &Parameters<'_>,
        trusted: &Trusted,
        fresh: Fresh,
    ) -> Result<Begun, OauthError> {
        let judged = self.judge(parameters, &trusted.client)?;
        let Some((caller, session)) = visitor else {
            if judged.prompt == Prompt::Never {
                return Err(OauthError::new(OauthCode::LoginRequired, "nobody is signed in"));
            }
            return Ok(Begun::SignIn);
        };
        let Principal::User(user) = caller.principal else {
            return Err(OauthError::new(
                OauthCode::AccessDenied,
                "only people can allow something",
            ));
        };
        if let Some(within) = judged.signed_in_within
            && !self.signed_in_within(session, within).await?
        {
            return match (judged.prompt, fresh) {
                (Prompt::Never, _) => Err(OauthError::new(
                    OauthCode::LoginRequired,
                    "the user signed in longer ago than `max_age` says",
                )),
                // They did so a moment ago, as far as this browser knows: once more would be for ever.
                (_, Fresh::Yes) => Err(OauthError::new(
                    OauthCode::LoginRequired,
                    "the identity provider did not ask the user anew",
                )),
                _ => Ok(Begun::SignIn),
            };
        }
        let resources = self.offered(caller, judged.resource.as_ref())?;
        if let Some(resource) = &judged.resource
            && judged.prompt != Prompt::Always
            && fresh == Fresh::No
            && is_silent(&trusted.client, &trusted.redirect)
            && self.is_consented(user, trusted, resource, &judged.scopes).await?
        {
            let code = self
                .silently((caller, session), trusted, (resource, &judged))
                .await?;
            return Ok(Begun::Answer(self.answer(
                &trusted.redirect,
                trusted.state.as_deref(),
                &Ok(code),
            )));
        }
        if judged.prompt == Prompt::Never {
            return Err(OauthError::new(
                OauthCode::InteractionRequired,
                "the user must be asked: repeat the request without `prompt=none`",
            ));
        }
        let (request, hash) = token::mint(&*self.parts.rng);
        let pending = PendingAuthorization {
            hash,
            session: session_hash(session),
            user,
            client: trusted.client.id.clone(),
            snapshot: trusted.client.snapshot.clone(),
            redirect_uri: trusted.redirect.to_string(),
            state: trusted.state.clone(),
            challenge: judged.challenge,
            resource: judged.resource.map(|resource| resource.uri),
            scopes: judged.scopes.clone(),
            expires_at: self.parts.clock.now().plus(PENDING_LIFE),
        };
        self.parts.authorizations.add_pending(&pending).await?;
        Ok(Begun::Ask(Box::new(Asked {
            request,
            client: trusted.client.clone(),
            redirect: trusted.redirect.clone(),
            resources,
            scopes: judged.scopes,
        })))
    }

    async fn signed_in_within(&self, session: &Secret, within: Duration) -> Result<bool, OauthError> {
        let session = self.session(session).await?;
        let now = self.parts.clock.now();
        Ok(session.is_some_and(|session| now.since(session.authenticated_at) <= within))
    }

    /// Everything that can be said without knowing who is asked.
    fn judge(&self, parameters: &Parameters<'_>, client: &Client) -> Result<Judged, OauthError> {
        if !client.may(GrantKind::AuthorizationCode) {
            return Err(OauthError::new(
                OauthCode::UnauthorizedClient,
                "this client acts for itself, and cannot ask people",
            ));
        }
        match parameters.one("response_type")? {
            Some("code") => {}
            Some(_) => {
                return Err(OauthError::new(
                    OauthCode::UnsupportedResponseType,
                    "`response_type` must be `code`",
                ));
            }
            None => {
                return Err(OauthError::request(
                    "`response_type` is missing: it must be `code`",
                ));
            }
        }
        if parameters
            .one("response_mode")?
            .is_some_and(|mode| mode != "query")
        {
            return Err(OauthError::request("`response_mode` must be `query`"));
        }
        if parameters.one("request")?.is_some() || parameters.one("request_uri")?.is_some() {
            return Err(OauthError::request(
                "`request` and `request_uri` are not taken here",
            ));
        }
        let challenge = parameters.challenge()?;
        let (prompt, signed_in_within) = (parameters.prompt()?, parameters.signed_in_within()?);
        let asked = Scopes::known_in(parameters.one("scope")?.unwrap_or_default());
        let resource = self.target(parameters.all("resource"), &asked)?;
        let scopes = resource
            .as_ref()
            .map(|resource| scopes_for(resource, &asked))
            .unwrap_or_default();
        Ok(Judged {
            challenge,
            resource,
            scopes,
            prompt,
            signed_in_within,
        })
    }

    /// The resource that a request is about: the one it names, else that of the route in its scope.
    pub(super) fn target<'a>(
        &self,
        named: impl Iterator<Item = &'a str>,
        asked: &Scopes,
    ) -> Result<Option<ProtectedResource>, OauthError> {
        let mut found: Option<ProtectedResource> = None;
        for uri in named.filter(|uri| !uri.is_empty()) {
            let shown: String = uri.chars().take(200).collect();
            let resource = (!uri.contains('#'))
                .then(|| self.parts.resources.find(uri))
                .flatten()
                .ok_or_else(|| {
                    OauthError::target(format!(
                        "`{shown}` is no MCP endpoint here: name one, without a fragment"
                    ))
                })?;
            if found.as_ref().is_some_and(|found| *found != resource) {
                return Err(OauthError::target(
                    "a token is for one resource: ask for each by itself",
                ));
            }
            found = Some(resource);
        }
        if found.is_some() {
            return Ok(found);
        }
        let mut routes: Vec<_> = asked.iter().map(|scope| &scope.route).collect();
        routes.dedup();
        match routes.as_slice() {
            [route] => Ok(self.parts.resources.of_route(route)),
            _ => Ok(None),
        }
    }

    /// What a user may be asked about: the resource that is named, or all that they may discover.
    pub(super) fn offered(
        &self,
        caller: &Caller,
        named: Option<&ProtectedResource>,
    ) -> Result<Vec<ProtectedResource>, OauthError> {
        let denied = |text: String| Err(OauthError::new(OauthCode::AccessDenied, text));
        if let Some(resource) = named {
            if self.may_discover(caller, resource) {
                return Ok(vec![resource.clone()]);
            }
            return denied(format!(
                "{} may not use {}: ask an administrator for a grant",
                caller.label, resource.route
            ));
        }
        let mut all = self.parts.resources.all();
        all.retain(|resource| self.may_discover(caller, resource));
        all.truncate(OFFERED);
        if all.is_empty() {
            return denied(format!(
                "{} may not use any server yet: ask an administrator for a grant",
                caller.label
            ));
        }
        Ok(all)
    }

    async fn is_consented(
        &self,
        user: UserId,
        trusted: &Trusted,
        resource: &ProtectedResource,
        scopes: &Scopes,
    ) -> Result<bool, OauthError> {
        let consents = self
            .parts
            .authorizations
            .consents(user, &trusted.client.id, &resource.uri);
        let host = trusted.redirect.host();
        let covers = |consent: &Consent| {
            consent.snapshot == trusted.client.snapshot
                && consent.redirect_host == host
                && consent.scopes.include(scopes)
        };
        Ok(consents.await?.iter().any(covers))
    }

    async fn silently(
        &self,
        (caller, session): (&Caller, &Secret),
        trusted: &Trusted,
        (resource, judged): (&ProtectedResource, &Judged),
    ) -> Result<Secret, OauthError> {
        let mut event = self.event("oauth.authorize", caller, &trusted.client.id);
        event.route = Some(resource.route.to_string());
        event.detail = Some(json!({ "scopes": judged.scopes.to_string(), "asked": false }));
        let signed_in = self.session(session).await?;
        let granting = super::decide::Granting {
            principal: caller.principal,
            client: &trusted.client,
            resource: &resource.uri,
            scopes: &judged.scopes,
            redirect_uri: trusted.redirect.as_str(),
            challenge: &judged.challenge,
            signed_in_at: signed_in.as_ref().map(|session| session.authenticated_at),
        };
        let (approval, code) = self.granted(&granting);
        let now = self.parts.clock.now();
        if !self.parts.authorizations.approve(&approval, now, event).await? {
            return Err(OauthError::request("the request is over: repeat it"));
        }
        self.note_session(signed_in.as_ref(), approval.authorization.id)
            .await?;
        Ok(code)
    }

    /// The address that an answer goes to: the redirect with the code or the refusal, the state, and who answers.
    pub(super) fn answer(
        &self,
        redirect: &RedirectUri,
        state: Option<&str>,
        outcome: &Result<Secret, OauthError>,
    ) -> Destination {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        match outcome {
            Ok(code) => {
                query.append_pair("code", code.expose());
            }
            Err(error) => {
                query.append_pair("error", error.code.as_str());
                query.append_pair("error_description", &error.description);
            }
        }
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.parts.issuer);
        let text = redirect.as_str();
        let gap = if text.contains('?') { '&' } else { '?' };
        Destination(format!("{text}{gap}{}", query.finish()))
    }
}

/// Whether the user signed in for this very request. The form that ended the sign-in must not lead on to a client's
/// address by itself, and one click more is no burden then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fresh {
    /// The session was there before.
    No,
    /// It was opened for this request.
    Yes,
}

/// Whether an earlier consent may stand for the page: only for who cannot be played by somebody else.
fn is_silent(client: &Client, redirect: &RedirectUri) -> bool {
    match client.kind {
        ClientKind::Managed => true,
        ClientKind::Document => redirect.is_web(),
        ClientKind::Registered => false,
    }
}

/// What is asked for of one resource; everything when nothing of it is named. To write includes to read.
pub(super) fn scopes_for(resource: &ProtectedResource, asked: &Scopes) -> Scopes {
    let of_it = |scope: &&Scope| scope.route == resource.route;
    let scopes: Scopes = asked.iter().filter(of_it).cloned().collect();
    if scopes.is_empty() {
        return Scopes::all_of(&resource.route);
    }
    let all = Scopes::all_of(&resource.route);
    all.iter()
        .filter(|scope| scopes.cover(&scope.route, scope.class))
        .cloned()
        .collect()
}

/// What is stored of the session that a request belongs to.
pub(super) fn session_hash(session: &Secret) -> String {
    sha256_hex(session.expose().as_bytes())
}

impl Destination {
    /// Whether a browser follows it without asking: not to a program of the system.
    pub fn is_web(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    }
}
