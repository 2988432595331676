//! Bytes to a catalogue, or the reason why not. Nothing in the bytes is believed before the signature is; the version never
//! goes back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portreeve_core::time::Timestamp;
use portreeve_inspect::canonical;

use super::super::proof::signed;
use super::{CATALOGUE_FORMAT, Catalogue, Rotation, SignedCatalogue, keys, opened};

/// Bytes of a catalogue.
const BYTES: usize = 32 * 1024 * 1024;
/// Handovers of one catalogue. More make a reader work for a stranger.
const ROTATIONS: usize = 32;
/// How far the clock of who signed may be ahead of ours.
const LEEWAY: Duration = Duration::from_secs(10 * 60);

/// What a catalogue is held against.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// The keys that are trusted, base64.
    pub keys: Vec<String>,
    /// Those that are not, whoever says so: neither listed above nor by a handover.
    pub revoked: Vec<String>,
    /// The catalogue that is here already.
    pub held: Option<Held>,
    /// Now.
    pub now: Timestamp,
}

/// A catalogue that was read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its version.
    pub version: u64,
    /// Its hash.
    pub hash: String,
}

/// Why a catalogue is refused. The one that is held stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many bytes.
    #[error("it has more than {BYTES} bytes")]
    Oversized,
    /// It ends in the middle.
    #[error("it is truncated: it ends before it is complete")]
    Truncated,
    /// It is no catalogue.
    #[error("it is no signed catalogue: {0}")]
    Malformed(String),
    /// Signed by somebody else.
    #[error("key `{0}` is not known here, and no known key leads to it")]
    UnknownKey(String),
    /// Signed by a key after it handed over to another one.
    #[error("key `{0}` handed over to another one at {1}, before the catalogue was made")]
    RetiredKey(String, Timestamp),
    /// The signature is of something else.
    #[error("it is forged: the signature was not made over this content by its key")]
    Forged,
    /// A partner is not what its hash says.
    #[error("partner `{0}` is not what its content hash says")]
    Content(String),
    /// Made tomorrow.
    #[error("it was made at {0}, which has not come")]
    NotYet(Timestamp),
    /// No longer good.
    #[error("it expired at {0}")]
    Expired(Timestamp),
    /// An older one than what is here.
    #[error("it is older: version {offered}, and version {held} is held")]
    Older {
        /// Its version.
        offered: u64,
        /// The version that is here.
        held: u64,
    },
    /// The one that is here, once more.
    #[error("it is replayed: version {0} is held already")]
    Replayed(u64),
    /// Two of the same version.
    #[error("it has other content than the version {0} that is held, under the same version")]
    Forked(u64),
}

// === impl Refusal ===

impl Refusal {
    /// The word by which programs tell them apart.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Oversized => "oversized",
            Self::Truncated => "truncated",
            Self::Malformed(_) => "malformed",
            Self::UnknownKey(_) => "unknown-key",
            Self::RetiredKey(..) => "retired-key",
            Self::Forged => "forged",
            Self::Content(_) => "content",
            Self::NotYet(_) => "not-yet",
            Self::Expired(_) => "expired",
            Self::Older { .. } => "older",
            Self::Replayed(_) => "replayed",
            Self::Forked(_) => "forked",
        }
    }
}

// === impl Reader ===

impl Reader {
    /// Reads a catalogue.
    pub fn read(&self, bytes: &[u8]) -> Result<Catalogue, Refusal> {
        let file = parsed(bytes)?;
        if file.rotations.len() > ROTATIONS {
            return Err(Refusal::Malformed(format!(
                "more than {ROTATIONS} handovers of keys"
            )));
        }
        let known = self.known(&file.rotations);
        match known.get(&file.key) {
            None => return Err(Refusal::UnknownKey(file.key)),
            Some(Some(at)) if file.catalogue.issued_at > *at => {
                return Err(Refusal::RetiredKey(file.key, *at));
            }
            Some(_) => {}
        }
        let malformed = |error: portreeve_inspect::InspectError| Refusal::Malformed(error.to_string());
        let statement = file.catalogue.statement().map_err(malformed)?;
        if !signed(&file.key, &statement, &file.signature) {
            return Err(Refusal::Forged);
        }
        self.accept(file.catalogue)
    }

    /// Every key that is trusted where these handovers are known.
    pub fn trusts(&self, rotations: &[Rotation]) -> BTreeSet<String> {
        self.known(rotations).into_keys().collect()
    }

    fn known(&self, rotations: &[Rotation]) -> BTreeMap<String, Option<Timestamp>> {
        keys::trusted((&self.keys, &self.revoked), rotations, self.now.plus(LEEWAY))
    }

    /// Whether a genuine one is to be taken.
    fn accept(&self, catalogue: Catalogue) -> Result<Catalogue, Refusal> {
        if catalogue.format != CATALOGUE_FORMAT {
            return Err(Refusal::Malformed(format!("its form is `{}`", catalogue.format)));
        }
        if catalogue.issued_at > self.now.plus(LEEWAY) {
            return Err(Refusal::NotYet(catalogue.issued_at));
        }
        if catalogue.expires_at <= self.now {
            return Err(Refusal::Expired(catalogue.expires_at));
        }
        let liar = catalogue
            .partners
            .iter()
            .find(|listed| listed.hash() != listed.content_hash);
        if let Some(liar) = liar {
            return Err(Refusal::Content(liar.partner.name.clone()));
        }
        if let Some(held) = &self.held {
            let offered = catalogue.version;
            if offered < held.version {
                return Err(Refusal::Older {
                    offered,
                    held: held.version,
                });
            }
            if offered == held.version {
                let is_same = catalogue.hash().is_ok_and(|hash| hash == held.hash);
                return Err(if is_same {
                    Refusal::Replayed(offered)
                } else {
                    Refusal::Forked(offered)
                });
            }
        }
        Ok(catalogue)
    }
}

fn parsed(bytes: &[u8]) -> Result<SignedCatalogue, Refusal> {
    if bytes.len() > BYTES {
        return Err(Refusal::Oversized);
    }
    let file = opened(bytes).map_err(|error| match error.is_eof() {
        true => Refusal::Truncated,
        false => Refusal::Malformed(error.to_string()),
    })?;
    // Two readers must not see two catalogues in one file: a member twice is none.
    let text = std::str::from_utf8(bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
    canonical(text).map_err(|error| Refusal::Malformed(error.to_string()))?;
    Ok(file)
}

/// What holds for any bytes: reading ends, and what is read was signed by a key that is trusted, is good now, and is newer than
/// what is held. Asked by the fuzz target and the property test.
pub fn law(bytes: &[u8], reader: &Reader) {
    let Ok(catalogue) = reader.read(bytes) else { return };
    assert!(catalogue.expires_at > reader.now, "an expired catalogue was read");
    assert!(!reader.keys.is_empty(), "a catalogue was read that no key signed");
    let held = reader.held.as_ref();
    assert!(
        held.is_none_or(|held| catalogue.version > held.version),
        "the version went back"
    );
    let again = Reader {
        held: catalogue.hash().ok().map(|hash| Held {
            version: catalogue.version,
            hash,
        }),
        ..reader.clone()
    };
    assert_eq!(again.read(bytes), Err(Refusal::Replayed(catalogue.version)));
}
