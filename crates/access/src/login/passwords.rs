//! Passwords of local users: argon2id, hashed beside the async workers, set by a one-time link or by who knows the former
//! one. There is no default password.
//!
//! A name that nobody has costs the same time as a wrong password, and says the same.

use std::net::IpAddr;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use portreeve_core::caller::{Caller, Principal, User};
use portreeve_core::id::UserId;
use portreeve_core::ports::{Credentials, LinkPurpose};
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_core::user::{EndedSessions, Session, SignInMethod, UserOrigin};
use std::time::Duration;

use super::sessions::NewSession;
use super::{Login, LoginError, Next, SignedIn};
use crate::AccessError;

/// The shortest password, in characters (NIST SP 800-63B-4 asks for 15 where nothing else is asked for).
pub const LEAST_PASSWORD: usize = 15;

/// The longest one, in bytes.
const PASSWORD_BYTES: usize = 1_000;

/// Memory in KiB, passes, lanes: what OWASP asks for at least.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// How long somebody may take to type a code after the password.
const CODE_WAIT: Duration = Duration::from_secs(5 * 60);

/// A password of nobody, so that a name that nobody has is not answered sooner.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cG9ydHJlZXZlLW5vYm9keQ$gRPkI8cb0f+6dX8r6ARJMqYcvR2xPu9y4YDBuHr2Nq4";

/// What somebody typed to sign in.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

/// What a right password leads to.
#[derive(Debug)]
pub enum PasswordOutcome {
    /// A session.
    SignedIn(Box<SignedIn>),
    /// The question for a code. The ticket goes back with it.
    Code(Secret),
}

// === impl Login ===

impl Login {
    /// Signs in by name and password, or asks for a code.
    pub async fn sign_in_by_password(
        &self,
        typed: &Typed,
        next: &Next,
        browser: &Secret,
    ) -> Result<PasswordOutcome, LoginError> {
        let outcome = self.password_typed(typed, next, browser).await;
        if let Err(error) = &outcome
            && !error.is_too_fast()
        {
            self.note_refusal("password", error.reason());
        }
        outcome
    }

    async fn password_typed(
        &self,
        typed: &Typed,
        next: &Next,
        browser: &Secret,
    ) -> Result<PasswordOutcome, LoginError> {
        if !self.takes_passwords() {
            return Err(LoginError::Wrong);
        }
        self.count_address(typed.address).await?;
        self.count_account(&typed.name).await?;
        let user = self.local_user(&typed.name).await?;
        let credentials = match &user {
            Some(user) => self.credentials.credentials(user.id).await?,
            None => Credentials::default(),
        };
        let is_right = self
            .fits(typed.password.clone(), credentials.password.as_deref())
            .await?;
        let user = user.filter(|_| is_right).ok_or(LoginError::Wrong)?;
        if !user.is_enabled() {
            return Err(LoginError::Disabled);
        }
        if credentials.codes_confirmed {
            return Ok(PasswordOutcome::Code(self.ticket(user.id, next, browser)?));
        }
        let signed_in = self.signed_in(user.id, typed.agent.as_deref(), next.clone());
        Ok(PasswordOutcome::SignedIn(Box::new(signed_in.await?)))
    }

    /// Signs in who typed the password before, by a code or a recovery code.
    pub async fn sign_in_by_code(
        &self,
        (ticket, code): (&str, &str),
        (browser, address): (&Secret, Option<IpAddr>),
        agent: Option<&str>,
    ) -> Result<SignedIn, LoginError> {
        let outcome = self.code_typed((ticket, code), (browser, address), agent).await;
        if let Err(error) = &outcome
            && !error.is_too_fast()
        {
            self.note_refusal("code", error.reason());
        }
        outcome
    }

    async fn code_typed(
        &self,
        (ticket, code): (&str, &str),
        (browser, address): (&Secret, Option<IpAddr>),
        agent: Option<&str>,
    ) -> Result<SignedIn, LoginError> {
        self.count_address(address).await?;
        let (user, next) = self.read_ticket(ticket, browser)?;
        self.count_account(&format!("code of {user}")).await?;
        if !self.takes_code(user, code).await? {
            return Err(LoginError::Wrong);
        }
        self.signed_in(user, agent, next).await
    }

    async fn signed_in(&self, user: UserId, agent: Option<&str>, next: Next) -> Result<SignedIn, LoginError> {
        self.enter(NewSession::new(user, SignInMethod::Password, agent), next)
            .await
    }

    /// Sets a password by a one-time link, which is spent, and signs in. Every other session of the user ends. A user with
    /// codes still has to show one.
    pub async fn set_password_by_link(
        &self,
        (link, password): (&str, &Secret),
        browser: &Secret,
        agent: Option<&str>,
    ) -> Result<PasswordOutcome, LoginError> {
        check(password)?;
        if !self.takes_passwords() {
            return Err(LoginError::State("nobody signs in with a password here"));
        }
        let user = self.access.take_link(link, LinkPurpose::Password).await?;
        let caller = self.access.user(user).ok_or(LoginError::Disabled)?;
        self.store_password(&caller, user, password).await?;
        self.access.end_all_of(user).await?;
        let credentials = self.credentials.credentials(user).await?;
        if credentials.codes_confirmed {
            return Ok(PasswordOutcome::Code(self.ticket(
                user,
                &Next::home(),
                browser,
            )?));
        }
        let signed_in = self.signed_in(user, agent, Next::home()).await?;
        Ok(PasswordOutcome::SignedIn(Box::new(signed_in)))
    }

    /// Changes the caller's own password. Other sessions end.
    pub async fn change_password(
        &self,
        (caller, session): (&Caller, &Session),
        (former, password): (&Secret, &Secret),
    ) -> Result<(), LoginError> {
        check(password)?;
        let user = own(caller)?;
        self.count_account(&caller.label).await?;
        self.require_password(user, former).await?;
        self.store_password(caller, user, password).await?;
        let others = EndedSessions::Others(user, session.id);
        let ended = self.access.parts.sessions.end_sessions(&others).await?;
        self.access.end_authorizations(&ended).await;
        Ok(())
    }

    /// Whether a user has a password, codes, and how many recovery codes.
    pub async fn own_credentials(&self, caller: &Caller) -> Result<Credentials, LoginError> {
        Ok(self.credentials.credentials(own(caller)?).await?)
    }

    /// Takes password and codes of a local user away and ends every session, for somebody who lost them. A link sets a new
    /// password.
    pub async fn reset(&self, caller: &Caller, name_or_id: &str) -> Result<(User, Secret), LoginError> {
        let user = self.access.find_user(caller, name_or_id).await?;
        if user.origin != UserOrigin::Local {
            return Err(LoginError::State(
                "this user signs in by an identity provider, and has no password here",
            ));
        }
        let mut event = self.access.event("user.reset", caller);
        event.target = Some(format!("user:{}", user.name));
        self.credentials.remove_credentials(user.id, event).await?;
        self.access.end_all_sessions(caller, user.id).await?;
        let link = self.access.password_link(caller, &user).await?;
        Ok((user, link))
    }

    /// Where a one-time link that sets a password leads.
    pub fn password_address(&self, link: &Secret) -> Secret {
        Secret::new(format!(
            "{}/sign-in/new-password?link={}",
            self.origin,
            link.expose()
        ))
    }

    pub(super) async fn require_password(&self, user: UserId, password: &Secret) -> Result<(), LoginError> {
        let credentials = self.credentials.credentials(user).await?;
        if self
            .fits(password.clone(), credentials.password.as_deref())
            .await?
        {
            Ok(())
        } else {
            Err(LoginError::Wrong)
        }
    }

    async fn store_password(
        &self,
        caller: &Caller,
        user: UserId,
        password: &Secret,
    ) -> Result<(), LoginError> {
        let mut salt = [0; 16];
        self.access.parts.rng.fill(&mut salt);
        let password = password.clone();
        let hash = self.beside(move || hashed(&password, &salt)).await?;
        let hash = hash.ok_or(LoginError::Access(AccessError::Seal))?;
        let mut event = self.access.event("user.password", caller);
        event.target = Some(caller.label.to_string());
        self.credentials.set_password(user, &hash, event).await?;
        Ok(())
    }

    async fn local_user(&self, name: &str) -> Result<Option<User>, LoginError> {
        let users = self.access.parts.identity.users().await?;
        Ok(users
            .into_iter()
            .find(|user| user.name == name && user.origin == UserOrigin::Local))
    }

    async fn fits(&self, password: Secret, hash: Option<&str>) -> Result<bool, LoginError> {
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or(NOBODYS).to_owned();
        let fits = self.beside(move || verified(&password, &hash)).await?;
        Ok(fits && is_somebodys)
    }

    /// Hashes on a thread of its own, few at once.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LoginError> {
        let failed = || LoginError::State("the node is stopping");
        let _turn = self.hashing.acquire().await.map_err(|_| failed())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| failed())
    }

    /// What goes to the page that asks for a code and comes back: whose password was right, in this browser, until then.
    fn ticket(&self, user: UserId, next: &Next, browser: &Secret) -> Result<Secret, LoginError> {
        let until = self.access.parts.clock.now().plus(CODE_WAIT).as_millis();
        let said = Secret::new(format!("{user} {until} {}", next.as_str()));
        let sealed = self
            .sealer
            .seal(&said, &["code ticket", browser.expose()], &*self.access.parts.rng);
        let sealed = sealed.map_err(|_| LoginError::Access(AccessError::Seal))?;
        Ok(Secret::new(sealed))
    }

    fn read_ticket(&self, ticket: &str, browser: &Secret) -> Result<(UserId, Next), LoginError> {
        let said = self
            .sealer
            .open(ticket, &["code ticket", browser.expose()])
            .map_err(|_| LoginError::NotBegunHere)?;
        let mut parts = said.expose().splitn(3, ' ');
        let user = parts.next().and_then(|user| user.parse().ok());
        let until = parts
            .next()
            .and_then(|until| until.parse().ok())
            .map(Timestamp::from_millis);
        let now = self.access.parts.clock.now();
        match (user, until, parts.next()) {
            (Some(user), Some(until), Some(next)) if now < until => Ok((user, Next::read(Some(next)))),
            _ => Err(LoginError::NotBegunHere),
        }
    }
}

/// The user who calls.
pub(super) fn own(caller: &Caller) -> Result<UserId, LoginError> {
    match caller.principal {
        Principal::User(id) if caller.key.is_none() => Ok(id),
        _ => Err(LoginError::State("only somebody who is signed in has a password")),
    }
}

/// A password that can be taken. Its kinds of characters are nobody's business: length is what counts.
fn check(password: &Secret) -> Result<(), LoginError> {
    let text = password.expose();
    if text.chars().count() < LEAST_PASSWORD {
        return Err(LoginError::Password(
            "it needs 15 characters or more: some words do",
        ));
    }
    if text.len() > PASSWORD_BYTES {
        return Err(LoginError::Password("it is longer than 1,000 bytes"));
    }
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 5 {
        return Err(LoginError::Password("it repeats the same few characters"));
    }
    Ok(())
}

fn argon2() -> Option<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hashed(password: &Secret, salt: &[u8]) -> Option<String> {
    let salt = SaltString::encode_b64(salt).ok()?;
    let hash = argon2()?.hash_password(password.expose().as_bytes(), &salt);
    hash.ok().map(|hash| hash.to_string())
}

fn verified(password: &Secret, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        tracing::error!("The stored hash of a password cannot be read");
        return false;
    };
    let bytes = password.expose().as_bytes();
    bytes.len() <= PASSWORD_BYTES
        && argon2().is_some_and(|argon2| argon2.verify_password(bytes, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash() {
        let password = Secret::new("seven seas and a harbour");
        let hash = hashed(&password, &[7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verified(&password, &hash));
        assert!(!verified(&Secret::new("seven seas and a harbours"), &hash));
        assert_ne!(hash, hashed(&password, &[8; 16]).unwrap());
    }

    #[test]
    fn the_password_of_nobody_can_be_read() {
        assert!(PasswordHash::new(NOBODYS).is_ok());
        assert!(!verified(&Secret::new("anything at all"), NOBODYS));
    }

    #[test]
    fn length_is_what_counts() {
        let taken = |text: &str| check(&Secret::new(text)).is_ok();
        assert!(taken("seven seas and a harbour"));
        assert!(!taken("Sh0rt!Secret"));
        assert!(!taken("aaaaaaaaaaaaaaaaaaaaaa"));
        assert!(!taken(&"seven seas ".repeat(100)));
    }
}
