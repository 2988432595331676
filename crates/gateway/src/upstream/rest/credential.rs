//! The credentials of a route, opened: from the vault, kept for a moment, put where the API wants them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue};
use memchr::memmem;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portreeve_core::name::SecretName;
use portreeve_core::ports::{Outgoing, Purpose, SecretUnavailable};
use portreeve_core::secret::Secret;

use crate::policy::{Credential, Form};

/// So long an opened secret is shown before the vault is asked again: a secret that was replaced is in force after this.
const FRESH: Duration = Duration::from_secs(5);

/// What stands where a secret stood.
const INSTEAD: &str = "[secret]";

/// Opened secrets of a node.
pub struct Secrets {
    vault: Arc<dyn Outgoing>,
    open: Mutex<HashMap<SecretName, (Instant, Secret)>>,
}

/// What is shown to the API with one request; nothing, or a credential, or each of those that it asks for together.
#[derive(Default)]
pub(super) struct Presented(Vec<Opened>);

/// A credential with its secret.
struct Opened {
    form: Form,
    secret: Secret,
}

// === impl Secrets ===

impl Secrets {
    /// Those of a vault; none is opened yet.
    pub fn new(vault: Arc<dyn Outgoing>) -> Self {
        Self {
            vault,
            open: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretName, (Instant, Secret)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens credentials; `None` when that is not possible now, which is in the log.
    pub(super) async fn open_all(&self, credentials: &[Credential]) -> Option<Presented> {
        let mut all = Vec::new();
        for credential in credentials {
            all.push(self.open(credential).await?);
        }
        Some(Presented(all))
    }

    async fn open(&self, credential: &Credential) -> Option<Opened> {
        let name = &credential.secret;
        let found = self.lock().get(name).cloned();
        let known = match found {
            Some((since, secret)) if since.elapsed() < FRESH => Some(secret),
            stale => match self.vault.open(name, Purpose::Call).await {
                Ok(secret) => {
                    self.lock().insert(name.clone(), (Instant::now(), secret.clone()));
                    Some(secret)
                }
                // The vault is away for a moment; what it said last is still true for all that is known.
                Err(SecretUnavailable::Store(error)) => {
                    tracing::warn!(error = %error, "the vault cannot be asked");
                    stale.map(|(_, secret)| secret)
                }
                Err(error) => {
                    tracing::error!(error = %error, "a route has a credential that cannot be opened");
                    self.lock().remove(name);
                    None
                }
            },
        };
        known.map(|secret| Opened {
            form: credential.form.clone(),
            secret,
        })
    }
}

// === impl Presented ===

impl Presented {
    /// Puts them into the fields. `None`: one is nothing that a field holds.
    pub(super) fn put(&self, headers: &mut HeaderMap) -> Option<()> {
        self.0.iter().try_for_each(|one| one.put(headers))
    }

    /// The parameters of the query that they are, each with what it adds to the query.
    pub(super) fn query(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(Opened::query)
    }

    /// An answer of success without the secrets, for APIs that repeat what they were sent. What is short stands in any
    /// answer, and is left there.
    pub(super) fn clean(&self, bytes: Bytes) -> Bytes {
        self.0.iter().fold(bytes, |bytes, one| one.clean(bytes))
    }

    /// A text of the API without the secrets, which some APIs repeat in their refusals.
    pub(super) fn redact(&self, text: String) -> String {
        self.0.iter().fold(text, |text, one| one.redact(text))
    }
}

// === impl Opened ===

impl Opened {
    fn put(&self, headers: &mut HeaderMap) -> Option<()> {
        let secret = self.secret.expose();
        let (name, text) = match &self.form {
            Form::Bearer => (AUTHORIZATION, format!("Bearer {secret}")),
            Form::Basic(user) => (
                AUTHORIZATION,
                format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
            ),
            Form::Header(name) => (name.clone(), secret.to_owned()),
            Form::Query(_) => return Some(()),
            Form::Cookie(name) => {
                let own = format!("{name}={secret}");
                let others = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok());
                let all = others.map_or_else(|| own.clone(), |others| format!("{own}; {others}"));
                (COOKIE, all)
            }
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Some(())
    }

    fn query(&self) -> Option<(&str, String)> {
        let Form::Query(name) = &self.form else {
            return None;
        };
        let secret = utf8_percent_encode(self.secret.expose(), NON_ALPHANUMERIC);
        Some((name, format!("{name}={secret}")))
    }

    /// One look for each form of it; what has none of them is not copied.
    fn clean(&self, bytes: Bytes) -> Bytes {
        const SHORTEST: usize = 8;
        let mut bytes = bytes;
        for form in self.written().iter().filter(|form| form.len() >= SHORTEST) {
            let found = memmem::find_iter(&bytes, form.as_bytes()).collect::<Vec<_>>();
            if found.is_empty() {
                continue;
            }
            let (mut kept, mut from) = (Vec::with_capacity(bytes.len()), 0);
            for at in found {
                kept.extend_from_slice(bytes.get(from..at).unwrap_or_default());
                kept.extend_from_slice(INSTEAD.as_bytes());
                from = at + form.len();
            }
            kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
            bytes = kept.into();
        }
        bytes
    }

    /// As it is, or as it was sent. Where the text ends in the beginning of it, the rest may just have been cut off, so that
    /// is taken out as well.
    fn redact(&self, mut text: String) -> String {
        const SHORTEST: usize = 4;
        let written = self.written();
        for form in written.iter().filter(|form| form.len() >= SHORTEST) {
            if text.contains(form) {
                text = text.replace(form, INSTEAD);
            }
        }
        let cut = written.iter().filter_map(|form| {
            let beginnings = (SHORTEST..form.len()).rev().filter_map(|end| form.get(..end));
            let mut at_end = beginnings.filter(|beginning| text.ends_with(beginning));
            at_end.next().map(str::len)
        });
        if let Some(longest) = cut.max() {
            text.truncate(text.len() - longest);
            text.push_str(INSTEAD);
        }
        text
    }

    /// The secret in every form that an API may repeat, the longest first.
    fn written(&self) -> Vec<String> {
        let secret = self.secret.expose();
        let quoted = serde_json::Value::from(secret).to_string();
        let quoted = quoted.get(1..quoted.len() - 1).unwrap_or_default();
        let mut forms = vec![
            secret.to_owned(),
            quoted.to_owned(),
            // As some writers of JSON do it.
            quoted.replace('/', "\\/"),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        ];
        if let Form::Basic(user) = &self.form {
            forms.push(STANDARD.encode(format!("{user}:{secret}")));
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(form: Form, secret: &str) -> Presented {
        Presented(vec![Opened {
            form,
            secret: Secret::new(secret),
        }])
    }

    #[test]
    fn what_an_api_repeats_of_a_secret_is_taken_out_in_every_form() {
        let basic = presented(Form::Basic("ada".to_owned()), "s3cr3t/\"x\"");
        for said in [
            "not s3cr3t/\"x\" here",
            "not s3cr3t/\\\"x\\\" here",
            "not s3cr3t%2F%22x%22 here",
            &format!("not {} here", STANDARD.encode("ada:s3cr3t/\"x\"")),
        ] {
            assert_eq!(basic.redact(said.to_owned()), "not [secret] here");
        }
        let bearer = presented(Form::Bearer, "abcdefgh");
        assert_eq!(bearer.redact("no abcdef".to_owned()), "no [secret]");
        assert_eq!(bearer.redact("no abcdefgh".to_owned()), "no [secret]");
        assert_eq!(bearer.redact("no abcdef!".to_owned()), "no abcdef!");
        let said = Bytes::from(r#"{"a":"abcdefgh","b":["x abcdefgh"],"c":"abcdefg"}"#);
        let cleaned = r#"{"a":"[secret]","b":["x [secret]"],"c":"abcdefg"}"#;
        assert_eq!(bearer.clean(said), cleaned);
        let slashed =
            presented(Form::Bearer, "abcd/efgh").clean(Bytes::from(r#"["abcd\/efgh", "abcd%2Fefgh"]"#));
        assert_eq!(slashed, r#"["[secret]", "[secret]"]"#);
        // What is so short stands in any text.
        assert_eq!(presented(Form::Bearer, "no").redact("no".to_owned()), "no");
    }
}
