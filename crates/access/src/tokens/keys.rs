//! The keys that sign: two are published at all times, the one that signs and the next. Every thirty days the next one
//! signs, and another one is made; of several nodes that make it, one wins.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use portreeve_core::caller::Caller;
use portreeve_core::time::Timestamp;
use portreeve_core::token::SigningKey;
use portreeve_inspect::{Es256Pair, sha256};
use serde_json::{Value, json};

use super::Tokens;
use crate::{Access, AccessError};

/// How long a key signs.
const SIGNS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a key is shown after another one signs: no token of it works any more then.
const SHOWN: Duration = Duration::from_secs(60 * 60);

/// Keys in force, by their names.
#[derive(Default)]
pub(super) struct Keys {
    by_name: HashMap<String, DecodingKey>,
    /// In their order, with the private half of those that can be opened.
    all: Vec<Known>,
}

struct Known {
    stored: SigningKey,
    private: Option<EncodingKey>,
}

// === impl Keys ===

impl Keys {
    pub(super) fn public(&self, kid: &str) -> Option<&DecodingKey> {
        self.by_name.get(kid)
    }

    fn place(&self, now: Timestamp) -> Option<usize> {
        self.all.iter().rposition(|key| key.stored.signs_from <= now)
    }

    /// The key that signs now.
    pub(super) fn signer(&self, now: Timestamp) -> Option<(&str, &EncodingKey)> {
        let key = self.all.get(self.place(now)?)?;
        Some((&key.stored.kid, key.private.as_ref()?))
    }

    /// Those that are shown: the one that signs, the next, and for a while the one before.
    fn shown(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        let place = self.place(now).unwrap_or_default();
        let turned = self.all.get(place).map(|key| key.stored.signs_from);
        let first = match turned {
            Some(turned) if now < turned.plus(SHOWN) => place.saturating_sub(1),
            _ => place,
        };
        self.all.iter().skip(first).map(|key| &key.stored)
    }
}

// === impl Tokens ===

impl Tokens {
    /// Takes stored keys into force.
    pub(super) fn take(&self, stored: &[SigningKey]) {
        let known = self.keys.load();
        let same = known.all.len() == stored.len()
            && known
                .all
                .iter()
                .zip(stored)
                .all(|(known, stored)| known.stored == *stored);
        if same {
            return;
        }
        let public = |key: &SigningKey| {
            let decoding = DecodingKey::from_ec_components(&key.x, &key.y).ok()?;
            Some((key.kid.clone(), decoding))
        };
        let keys = Keys {
            by_name: stored.iter().filter_map(public).collect(),
            all: stored
                .iter()
                .map(|key| Known {
                    stored: key.clone(),
                    private: self.opened(key),
                })
                .collect(),
        };
        self.keys.store(Arc::new(keys));
    }

    fn opened(&self, key: &SigningKey) -> Option<EncodingKey> {
        let text = self.sealer.as_ref()?.open(&key.sealed, &bound_to(&key.kid));
        let pair = text.ok().and_then(|text| Es256Pair::from_text(&text).ok());
        let opened = pair.and_then(|pair| Some(EncodingKey::from_ec_der(&pair.pkcs8().ok()?)));
        if opened.is_none() {
            tracing::error!(
                signing_key = key.kid,
                "A signing key cannot be opened with this master key; this node signs no tokens with it"
            );
        }
        opened
    }
}

// === impl Access ===

impl Access {
    /// The key set (RFC 7517) with which others can check our tokens.
    pub async fn jwks(&self) -> Result<Value, AccessError> {
        if self.tokens.keys.load().place(self.parts.clock.now()).is_none() {
            self.tend_signing_keys().await?;
        }
        let now = self.parts.clock.now();
        let keys = self.tokens.keys.load();
        let shown: Vec<Value> = keys.shown(now).map(jwk).collect();
        Ok(json!({ "keys": shown }))
    }

    /// Makes the keys that are missing: the first one, and the one after that which signs. Called at the start, and then
    /// every hour.
    pub async fn tend_signing_keys(&self) -> Result<(), AccessError> {
        loop {
            let now = self.parts.clock.now();
            let stored = self.tokens.store.signing_keys().await?;
            self.tokens.take(&stored);
            let signs = stored.iter().rfind(|key| key.signs_from <= now);
            let has_next = stored.iter().any(|key| key.signs_from > now);
            let number = stored.last().map_or(0, |key| key.number) + 1;
            let signs_from = match signs {
                Some(_) if has_next => return Ok(()),
                Some(_) => now.plus(SIGNS),
                None => now,
            };
            let key = self.new_signing_key(number, signs_from, now)?;
            let mut event = self.event("signing-key.create", &Caller::system());
            event.target = Some(key.kid.clone());
            event.detail = Some(json!({ "signsFrom": signs_from }));
            // The one before that which signs may have signed a moment ago.
            let keep_from = signs.map_or(number, |key| key.number) - 1;
            // Where another node was faster, its key is read in the next round.
            self.tokens.store.add_signing_key(&key, keep_from, event).await?;
        }
    }

    fn new_signing_key(
        &self,
        number: i64,
        signs_from: Timestamp,
        now: Timestamp,
    ) -> Result<SigningKey, AccessError> {
        let rng = &*self.parts.rng;
        let pair = Es256Pair::draw(rng).map_err(|_| AccessError::NoSigningKey)?;
        let (x, y) = pair.public();
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638: these members, in this order, without a space.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(sha256(members.as_bytes()));
        let sealer = self.tokens.sealer.as_ref().ok_or(AccessError::Seal)?;
        let sealed = sealer.seal(&pair.to_text(), &bound_to(&kid), rng);
        Ok(SigningKey {
            number,
            sealed: sealed.map_err(|_| AccessError::Seal)?,
            kid,
            x,
            y,
            signs_from,
            created_at: now,
        })
    }
}

/// What a sealed private half opens for, and nothing else.
fn bound_to(kid: &str) -> [&str; 2] {
    ["signing-key", kid]
}

fn jwk(key: &SigningKey) -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "alg": "ES256",
        "kid": key.kid,
        "x": key.x,
        "y": key.y,
    })
}
