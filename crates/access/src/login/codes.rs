//! Codes of an authenticator (TOTP, RFC 6238: SHA-1, six digits, 30 seconds) and recovery codes, beside the password.
//!
//! Sixty lines over the HMAC of the cryptography library that is here anyway: a crate would bring a second HMAC, a second
//! SHA-1 and base32 along. The secret is stored sealed, recovery codes as hashes; a code works once.

use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY};
use portreeve_core::caller::Caller;
use portreeve_core::id::UserId;
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use portreeve_inspect::sha256_hex;
use subtle::ConstantTimeEq as _;

use super::passwords::own;
use super::{Login, LoginError};
use crate::AccessError;

/// Recovery codes that somebody gets.
pub const RECOVERY_CODES: usize = 10;

/// How long somebody may take to set codes up.
const SETUP_LIFE: Duration = Duration::from_secs(10 * 60);
/// What its ticket is sealed for.
const SETUP: &str = "codes setup";

const STEP_SECONDS: i64 = 30;
const DIGITS: u32 = 6;
const SECRET_BYTES: usize = 20;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What somebody enters into an authenticator.
#[derive(Debug, Clone)]
pub struct CodeSetup {
    /// The secret in base32, to be typed.
    pub secret: Secret,
    /// The same as an address that authenticators open.
    pub address: Secret,
    /// Comes back with the first code: the password was shown for this.
    pub ticket: Secret,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    Anew,
    Again,
}

// === impl Login ===

impl Login {
    /// A secret for the caller's authenticator. The password has to be shown once more: who found a browser open would lock
    /// its user out. Codes are not asked for before one was shown.
    pub async fn offer_codes(&self, caller: &Caller, password: &Secret) -> Result<CodeSetup, LoginError> {
        let user = own(caller)?;
        self.count_account(&caller.label).await?;
        self.require_password(user, password).await?;
        self.code_setup(caller, user, Offer::Anew).await
    }

    /// The same again, for a code that did not fit.
    pub async fn offer_codes_again(&self, caller: &Caller, ticket: &str) -> Result<CodeSetup, LoginError> {
        let user = own(caller)?;
        self.check_setup(user, ticket)?;
        self.code_setup(caller, user, Offer::Again).await
    }

    async fn code_setup(&self, caller: &Caller, user: UserId, offer: Offer) -> Result<CodeSetup, LoginError> {
        let credentials = self.credentials.credentials(user).await?;
        if credentials.codes_confirmed {
            return Err(LoginError::State("codes are asked for already"));
        }
        let kept = credentials
            .code_secret
            .as_deref()
            .filter(|_| offer == Offer::Again);
        let secret = match kept.and_then(|sealed| self.opened(user, sealed)) {
            Some(secret) => secret,
            None => {
                let mut bytes = [0; SECRET_BYTES];
                self.access.parts.rng.fill(&mut bytes);
                let secret = Secret::new(base32(&bytes));
                let sealed = self.sealed(&secret, "codes", user)?;
                if !self.credentials.offer_codes(user, sealed.expose()).await? {
                    return Err(LoginError::State("codes come after a password: set one first"));
                }
                secret
            }
        };
        let until = self.access.parts.clock.now().plus(SETUP_LIFE).as_millis();
        let ticket = self.sealed(&Secret::new(until.to_string()), SETUP, user)?;
        let name = caller.label.strip_prefix("user:").unwrap_or(&caller.label);
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let address = format!(
            "otpauth://totp/Portreeve:{}?secret={}&issuer=Portreeve%20{}",
            encoded(name).replace('+', "%20"),
            secret.expose(),
            encoded(&self.host),
        );
        Ok(CodeSetup {
            secret,
            address: Secret::new(address),
            ticket,
        })
    }

    fn sealed(&self, secret: &Secret, purpose: &str, user: UserId) -> Result<Secret, LoginError> {
        let sealed = self
            .sealer
            .seal(secret, &[purpose, &user.to_string()], &*self.access.parts.rng);
        sealed
            .map(Secret::new)
            .map_err(|_| LoginError::Access(AccessError::Seal))
    }

    /// Refuses who did not show the password for this, or too long ago.
    fn check_setup(&self, user: UserId, ticket: &str) -> Result<(), LoginError> {
        let over = LoginError::State("too much time went by: set the codes up once more");
        let Ok(until) = self.sealer.open(ticket, &[SETUP, &user.to_string()]) else {
            return Err(over);
        };
        let until = until.expose().parse().map(Timestamp::from_millis);
        match until {
            Ok(until) if self.access.parts.clock.now() < until => Ok(()),
            _ => Err(over),
        }
    }

    /// From now on codes are asked for, since the caller has shown one. The recovery codes are told this once.
    pub async fn confirm_codes(
        &self,
        caller: &Caller,
        (ticket, code): (&str, &str),
    ) -> Result<Vec<Secret>, LoginError> {
        let user = own(caller)?;
        self.check_setup(user, ticket)?;
        self.count_account(&format!("code of {user}")).await?;
        let credentials = self.credentials.credentials(user).await?;
        let kept = credentials
            .code_secret
            .as_deref()
            .filter(|_| !credentials.codes_confirmed);
        let secret = kept
            .and_then(|sealed| self.opened(user, sealed))
            .ok_or(LoginError::State("no codes were set up"))?;
        let step = self.step_of(&secret, code).ok_or(LoginError::Wrong)?;
        let codes: Vec<Secret> = (0..RECOVERY_CODES).map(|_| self.recovery_code()).collect();
        let hashes: Vec<String> = codes.iter().map(|code| hash_of(user, code.expose())).collect();
        let mut event = self.access.event("user.codes-on", caller);
        event.target = Some(caller.label.to_string());
        self.credentials.confirm_codes(user, step, &hashes, event).await?;
        Ok(codes)
    }

    /// Codes are not asked for any more. The password has to be shown once more.
    pub async fn remove_codes(&self, caller: &Caller, password: &Secret) -> Result<(), LoginError> {
        let user = own(caller)?;
        self.count_account(&caller.label).await?;
        self.require_password(user, password).await?;
        let mut event = self.access.event("user.codes-off", caller);
        event.target = Some(caller.label.to_string());
        self.credentials.remove_codes(user, event).await?;
        Ok(())
    }

    /// Whether a code is right, or a recovery code; either works once.
    pub(super) async fn takes_code(&self, user: UserId, code: &str) -> Result<bool, LoginError> {
        let credentials = self.credentials.credentials(user).await?;
        let sealed = credentials.code_secret.filter(|_| credentials.codes_confirmed);
        let Some(secret) = sealed.and_then(|sealed| self.opened(user, &sealed)) else {
            return Ok(false);
        };
        if let Some(step) = self.step_of(&secret, code) {
            return Ok(self.credentials.use_step(user, step).await?);
        }
        let hash = hash_of(user, code);
        Ok(self.credentials.use_recovery_code(user, &hash).await?)
    }

    fn opened(&self, user: UserId, sealed: &str) -> Option<Secret> {
        let opened = self.sealer.open(sealed, &["codes", &user.to_string()]);
        opened
            .inspect_err(|_| tracing::error!(user.id = %user, "The secret of somebody's codes does not open"))
            .ok()
    }

    /// The step whose code that is: now, just before, or just after.
    fn step_of(&self, secret: &Secret, typed: &str) -> Option<i64> {
        let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
        let key = unbase32(secret.expose())?;
        let now = self.access.parts.clock.now().as_millis() / 1_000 / STEP_SECONDS;
        let fits = |step: &i64| {
            let code = code(&key, u64::try_from(*step).unwrap_or_default());
            bool::from(code.as_bytes().ct_eq(typed.as_bytes()))
        };
        [now, now - 1, now + 1].into_iter().find(fits)
    }

    /// 80 random bits in four groups of four.
    fn recovery_code(&self) -> Secret {
        let mut bytes = [0; 10];
        self.access.parts.rng.fill(&mut bytes);
        let text = base32(&bytes).to_ascii_lowercase();
        let groups: Vec<String> = text
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        Secret::new(groups.join("-"))
    }
}

fn hash_of(user: UserId, code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    sha256_hex(format!("{user} {}", plain.to_ascii_lowercase()).as_bytes())
}

/// RFC 4226, section 5.3.
fn code(key: &[u8], step: u64) -> String {
    let key = hmac::Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
    let four = tag.get(offset..offset + 4).and_then(|four| four.try_into().ok());
    let number = u32::from_be_bytes(four.unwrap_or_default()) & 0x7fff_ffff;
    format!("{:0width$}", number % 10_u32.pow(DIGITS), width = DIGITS as usize)
}

/// Base32 (RFC 4648) without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(&mut text, held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(&mut text, held << (5 - bits));
    }
    text
}

fn push(text: &mut String, value: u32) {
    let letter = BASE32.get((value & 31) as usize).copied();
    text.extend(letter.map(char::from));
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, shortened to six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let key = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(key, seconds / 30), expected);
        }
    }

    #[test]
    fn base32_is_read_as_it_was_written() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(unbase32("MZXW6YTBOI").unwrap(), b"foobar");
        assert_eq!(unbase32("mz"), None);
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(7)).collect();
            assert_eq!(unbase32(&base32(&bytes)).unwrap(), bytes);
        }
    }
}
