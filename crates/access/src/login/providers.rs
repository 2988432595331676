//! Signing in by an identity provider. A browser is sent away with a `state` of our own and comes back with it, once, within
//! ten minutes, and as the same browser: what it keeps in its cookie is hashed beside the `state`. Who follows the address
//! of somebody else's attempt comes without that cookie and is refused (A-CD-4).
//!
//! Nonce and PKCE verifier follow from the cookie's secret and the `state`, so neither is stored anywhere.

use std::iter;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::caller::{Caller, User};
use portreeve_core::id::UserId;
use portreeve_core::name::GroupName;
use portreeve_core::ports::{SignInAttempt, StoreError};
use portreeve_core::secret::Secret;
use portreeve_core::user::{EndedSessions, Session, SignInMethod, UserName, UserOrigin};
use portreeve_inspect::sha256;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use url::Url;

use super::sessions::NewSession;
use super::{Login, LoginError, Next, SignedIn};
use crate::provider::{IdentityProvider, Inbound, Outbound, ProviderError, SignOut, Vouched};
use crate::{AccessError, token};

/// How long a browser may stay away.
const AWAY: Duration = Duration::from_secs(10 * 60);

/// Characters of what a provider says that are shown.
const SAID_CHARS: usize = 300;

/// Where a browser comes back to that signed out of a provider.
const SIGNED_OUT: &str = "/signed-out";

/// The last number that is put behind a name.
const NUMBERED: u32 = 20;

/// A provider, for a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFacts {
    /// Its name, as it stands in addresses.
    pub name: String,
    /// What people call it.
    pub title: String,
}

/// What may go on at a provider after somebody signed out here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// What people call it.
    pub title: String,
    /// Where to sign out of it, too; `None` if it cannot be asked, or knows no such place.
    pub address: Option<Url>,
}

/// What came back with a browser.
#[derive(Debug, Clone, Default)]
pub struct Returned {
    /// Our own word for the attempt.
    pub state: Option<String>,
    /// What tokens are redeemed for.
    pub code: Option<String>,
    /// Who says that it answers.
    pub issuer: Option<String>,
    /// What went wrong there.
    pub error: Option<String>,
    /// The same in its words.
    pub description: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

impl Login {
    /// Every provider, in the order of the configuration.
    pub fn providers(&self) -> Vec<ProviderFacts> {
        let facts = |provider: &dyn IdentityProvider| ProviderFacts {
            name: provider.name().to_owned(),
            title: provider.title().to_owned(),
        };
        self.providers
            .iter()
            .map(|provider| facts(provider.as_ref()))
            .collect()
    }

    /// A secret for the cookie of a browser that is about to sign in.
    pub fn browser_secret(&self) -> Secret {
        token::mint(&*self.access.parts.rng).0
    }

    fn provider(&self, name: &str) -> Result<&dyn IdentityProvider, LoginError> {
        let found = self.providers.iter().find(|provider| provider.name() == name);
        found.map(AsRef::as_ref).ok_or_else(|| {
            let name = name.chars().take(40).collect();
            LoginError::UnknownProvider(name)
        })
    }

    /// The name of the provider whose session goes on when one of ours ends, if who signs out is to be offered that one's end,
    /// too.
    pub fn left_behind(&self, session: &Session) -> Option<&str> {
        let issuer = session.issuer.as_deref()?;
        let found = self
            .providers
            .iter()
            .find(|provider| provider.sign_out() == SignOut::Provider && provider.issuer() == issuer);
        found.map(|provider| provider.name())
    }

    /// Where somebody who signed out here signs out of a provider, too (OpenID Connect RP-Initiated Logout 1.0). The browser
    /// comes back with `state`. `None` for a provider of which that is not offered.
    pub async fn departure(&self, provider: &str, state: &str) -> Option<LeftBehind> {
        let found = self.providers.iter().find(|known| known.name() == provider)?;
        if found.sign_out() != SignOut::Provider {
            return None;
        }
        let back_to = format!("{}{SIGNED_OUT}", self.origin);
        let address = found.departure(&back_to, state).await.unwrap_or_else(|error| {
            tracing::warn!(provider, %error, "Nobody can be sent to sign out of a provider");
            None
        });
        Some(LeftBehind {
            title: found.title().to_owned(),
            address,
        })
    }

    fn redirect_uri(&self, provider: &str) -> String {
        format!("{}/sign-in/{provider}/callback", self.origin)
    }

    /// Where a browser is sent that wants to sign in by a provider.
    pub async fn begin(
        &self,
        provider: &str,
        next: &Next,
        (browser, address): (&Secret, Option<IpAddr>),
    ) -> Result<Url, LoginError> {
        self.count_address(address).await?;
        let provider = self.provider(provider)?;
        let (state, state_hash) = token::mint(&*self.access.parts.rng);
        let browser_hash = token::hash_hex(browser.expose()).ok_or(LoginError::NotBegunHere)?;
        let outbound = Outbound {
            state: state.expose(),
            nonce: &derived("nonce", browser, state.expose()),
            verifier: &derived("verifier", browser, state.expose()),
            redirect_uri: &self.redirect_uri(provider.name()),
            is_anew: next.is_anew(),
        };
        let address = provider.address(&outbound).await?;
        let attempt = SignInAttempt {
            state_hash,
            browser_hash,
            provider: provider.name().to_owned(),
            next: next.as_str().to_owned(),
            expires_at: self.access.parts.clock.now().plus(AWAY),
        };
        self.access.parts.sessions.add_attempt(&attempt).await?;
        Ok(address)
    }

    /// Signs in who came back.
    pub async fn finish(
        &self,
        provider: &str,
        returned: &Returned,
        (browser, address): (Option<&Secret>, Option<IpAddr>),
    ) -> Result<SignedIn, LoginError> {
        self.count_address(address).await?;
        let signed_in = self.came_back(provider, returned, browser).await;
        if let Err(error) = &signed_in
            && !error.is_too_fast()
        {
            let by: String = provider.chars().take(40).collect();
            tracing::info!(provider = by, %error, "Somebody came back from a provider and is not signed in");
            self.note_refusal(&format!("provider:{by}"), error.reason());
        }
        signed_in
    }

    async fn came_back(
        &self,
        provider: &str,
        returned: &Returned,
        browser: Option<&Secret>,
    ) -> Result<SignedIn, LoginError> {
        let provider = self.provider(provider)?;
        let state = returned.state.as_deref().ok_or(LoginError::NotBegunHere)?;
        let browser = browser.ok_or(LoginError::NotBegunHere)?;
        let next = self.begun(provider.name(), state, browser).await?;
        if let Some(error) = &returned.error {
            let said = match &returned.description {
                Some(description) => format!("{error}: {description}"),
                None => error.clone(),
            };
            let said = said.chars().filter(|c| !c.is_control()).take(SAID_CHARS);
            return Err(LoginError::Provider(ProviderError::Said {
                provider: provider.name().to_owned(),
                said: said.collect(),
            }));
        }
        let inbound = Inbound {
            code: returned.code.as_deref().ok_or(LoginError::NotBegunHere)?,
            issuer: returned.issuer.as_deref(),
            nonce: &derived("nonce", browser, state),
            verifier: &derived("verifier", browser, state),
            redirect_uri: &self.redirect_uri(provider.name()),
        };
        let vouched = provider.vouched(&inbound).await?;
        let user = self.known_user(provider.name(), &vouched).await?;
        let session = NewSession {
            authenticated_at: vouched.authenticated_at,
            issuer: Some(vouched.external.issuer.clone()),
            provider_session: vouched.session.clone(),
            provider: Some(provider.name().to_owned()),
            ..NewSession::new(user, SignInMethod::Provider, returned.agent.as_deref())
        };
        self.enter(session, next).await
    }

    /// Where an attempt was to go on, if it was begun in this browser with this provider and has not been used. Using it up
    /// does not need the right browser: what was shown to a stranger is worth nothing any more.
    async fn begun(&self, provider: &str, state: &str, browser: &Secret) -> Result<Next, LoginError> {
        let state_hash = token::hash_hex(state).ok_or(LoginError::NotBegunHere)?;
        let browser_hash = token::hash_hex(browser.expose()).ok_or(LoginError::NotBegunHere)?;
        let now = self.access.parts.clock.now();
        let attempt = self.access.parts.sessions.take_attempt(&state_hash, now).await?;
        let attempt = attempt.ok_or(LoginError::NotBegunHere)?;
        let is_this_browser = attempt.browser_hash.as_bytes().ct_eq(browser_hash.as_bytes());
        if !bool::from(is_this_browser) || attempt.provider != provider {
            return Err(LoginError::NotBegunHere);
        }
        Ok(Next::read(Some(&attempt.next)))
    }

    /// The user for whom a provider vouches, made at the first sign-in, and as the provider describes it now.
    async fn known_user(&self, provider: &str, vouched: &Vouched) -> Result<UserId, LoginError> {
        let id = UserId::of_subject(&vouched.external.issuer, &vouched.external.subject);
        let now = self.access.parts.clock.now();
        let user = User {
            display_name: vouched.display_name.clone(),
            email: vouched.email.clone(),
            origin: UserOrigin::Provider,
            external: Some(vouched.external.clone()),
            provider_groups: vouched.groups.iter().cloned().collect(),
            signed_in_at: Some(now),
            ..User::local(id, String::new(), now)
        };
        match self.access.parts.identity.user_signed_in(&user).await {
            Ok(kept) => self.note_kept(provider, (id, &kept))?,
            Err(StoreError::NotFound { .. }) => self.make(provider, user, vouched).await?,
            Err(error) => return Err(error.into()),
        }
        // The session is for a user of this moment: who was made just now must be known.
        self.refresh.refresh().await;
        Ok(id)
    }

    /// Notes the groups that stay with the last who manages everything, though the provider names them no more.
    fn note_kept(&self, provider: &str, (user, kept): (UserId, &[GroupName])) -> Result<(), LoginError> {
        if kept.is_empty() {
            return Ok(());
        }
        tracing::warn!(provider, user.id = %user, "A user keeps groups that the provider took away: nobody else manages everything");
        let mut event = self.access.event("user.groups", &Caller::system());
        event.target = Some(format!("user:{user}"));
        event.reason = Some("last-manager".to_owned());
        event.detail = Some(json!({ "by": format!("provider:{provider}"), "kept": kept }));
        Ok(self.access.parts.journal.append(&event)?)
    }

    /// Makes a user. A name that somebody has or had, or that a label names, gets a number behind it: a provider lends
    /// nobody the name of another user, nor what that name may.
    async fn make(&self, provider: &str, mut user: User, vouched: &Vouched) -> Result<(), LoginError> {
        let identity = user.id.to_string();
        let short: String = identity.chars().take(8).collect();
        let wanted = vouched.name.as_deref().and_then(UserName::near);
        let wanted = wanted.map_or_else(|| format!("{provider}-{short}"), |name| name.to_string());
        let cut: String = wanted.chars().take(90).collect();
        let numbered = (2..=NUMBERED).map(|number| format!("{cut}-{number}"));
        let last = [format!("{cut}-{short}"), format!("{provider}-{identity}")];
        for name in iter::once(wanted.clone()).chain(numbered).chain(last) {
            user.name = name;
            let mut event = self.access.event("user.create", &Caller::system());
            event.target = Some(format!("user:{}", user.name));
            event.detail = Some(json!({
                "id": user.id, "origin": user.origin, "provider": provider, "groups": user.provider_groups,
            }));
            match self.access.parts.identity.ensure_user(&user, event).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(LoginError::Access(AccessError::NameTaken { name: wanted }))
    }

    /// Ends the sessions that a provider says are over, and what clients were allowed in them (OpenID Connect Back-Channel
    /// Logout 1.0). A token that comes twice ends nothing that began after it, so none needs to be remembered.
    pub async fn back_channel_logout(&self, provider: &str, token: &str) -> Result<usize, LoginError> {
        let provider = self.provider(provider)?;
        let logout = provider.logout(token).await?;
        let which = match (logout.session, logout.subject) {
            (Some(session), _) => EndedSessions::OfProvider {
                issuer: logout.issuer,
                session,
            },
            (None, subject) => EndedSessions::OfSubject {
                user: UserId::of_subject(&logout.issuer, subject.as_deref().unwrap_or_default()),
                issuer: logout.issuer,
                before: logout.issued_at,
            },
        };
        let by = format!("provider:{}", provider.name());
        let asked = match &which {
            EndedSessions::OfSubject { user, .. } => (Some(*user), None),
            EndedSessions::OfProvider { session, .. } => (None, Some(session.clone())),
            _ => (None, None),
        };
        // Written first: what ends without a word in the log did not happen. Whose sessions they are is known by then.
        self.note_logout((&by, "providerSession"), asked)?;
        let ended = self.access.parts.sessions.end_sessions(&which).await?;
        for session in &ended.sessions {
            let whose = (Some(session.user), Some(session.id.to_string()));
            self.note_logout((&by, "session"), whose)?;
        }
        self.access.end_authorizations(&ended).await;
        Ok(ended.sessions.len())
    }

    /// Notes what a provider ends: of whom, and which session, as far as that is known.
    fn note_logout(
        &self,
        (by, kind): (&str, &str),
        (user, session): (Option<UserId>, Option<String>),
    ) -> Result<(), LoginError> {
        let mut event = self.access.event("session.end", &Caller::system());
        event.target = user.map(|user| format!("user:{user}"));
        event.detail = Some(json!({ "by": by, kind: session }));
        Ok(self.access.parts.journal.append(&event)?)
    }
}

/// A text that only this browser and this attempt make: 43 characters, as PKCE wants them.
fn derived(purpose: &str, browser: &Secret, state: &str) -> String {
    // Both have a fixed length and stand last, so no two statements are alike.
    let statement = Secret::new(format!("{purpose}\0{}{state}", browser.expose()));
    URL_SAFE_NO_PAD.encode(sha256(statement.expose().as_bytes()))
}
