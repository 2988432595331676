//! Cursors: where a page ended, and what was asked. Authenticated, so that nobody can make one up, and URL-safe as they
//! are, since hosts paste them unencoded. A page of a list that is looked through may end at what its reader must not know
//! of: such cursors are sealed, and say nothing.
//!
//! Before: the last item of a page. After: the next page, even from a host that forgot its filters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::random::Rng;
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::time::Timestamp;
use portreeve_inspect::{Mac, Sealer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;

/// No cursor of ours is longer: name, version and two filters, each at its longest.
const LONGEST: usize = 8_192;

/// The same of one that is sealed.
const LONGEST_SEALED: usize = 12_800;

/// Bytes of an authentication tag.
const TAG: usize = 32;

/// Which list a cursor belongs to. One list's cursor means nothing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorKind<'a> {
    /// The official API of a registry, for one reader where it is not for everybody.
    Served { registry: &'a str, reader: &'a str },
    /// What was looked for in a registry, by the same.
    Found { registry: &'a str, reader: &'a str },
    /// The managers' list.
    Entries,
    /// Results of a search.
    Search,
    /// What waits for somebody.
    Waiting,
    /// Where servers run.
    Deployments,
    /// Who does not meet what the properties ask.
    Failing,
}

/// What cursors are made and read with.
pub(crate) struct CursorKeys {
    mac: Mac,
    /// `None`: the cryptography library does not take the key, which it does with every key of this length.
    sealer: Option<Sealer>,
}

/// A nonce that follows from what is sealed: the same place makes the same cursor, and no two share a nonce.
#[derive(Debug)]
struct Derived([u8; TAG]);

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Filters {
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_since: Option<Timestamp>,
    #[serde(rename = "d", default, skip_serializing_if = "is_false")]
    pub(crate) include_deleted: bool,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    #[serde(flatten)]
    pub(crate) filters: Filters,
    #[serde(rename = "n")]
    pub(crate) name: String,
    #[serde(rename = "v")]
    pub(crate) version: String,
}

// === impl Cursor ===

impl Cursor {
    /// The cursor as a host gets it.
    pub(crate) fn seal(&self, kind: CursorKind<'_>, keys: &CursorKeys) -> String {
        sealed(self, kind, keys)
    }

    /// Reads a cursor that was made here for this kind of list.
    pub(crate) fn open(kind: CursorKind<'_>, text: &str, keys: &CursorKeys) -> Result<Self, RegistryError> {
        opened(text, kind, keys)
    }
}

/// Any place in a list, as its reader gets it. Texts, numbers and flags always become JSON.
pub(crate) fn sealed(place: &impl Serialize, kind: CursorKind<'_>, keys: &CursorKeys) -> String {
    if kind.is_looked_through() {
        let body = serde_json::to_string(place).unwrap_or_default();
        return keys.seal(kind, body);
    }
    let mut bytes = serde_json::to_vec(place).unwrap_or_default();
    let tag = keys.mac.tag(&kind.framed(&bytes));
    bytes.extend_from_slice(&tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a place that was sealed here for this kind of list.
pub(crate) fn opened<T: DeserializeOwned>(
    text: &str,
    kind: CursorKind<'_>,
    keys: &CursorKeys,
) -> Result<T, RegistryError> {
    if kind.is_looked_through() {
        let body = keys.open(kind, text).ok_or(RegistryError::BadCursor)?;
        return serde_json::from_str(body.expose()).map_err(|_| RegistryError::BadCursor);
    }
    if text.len() > LONGEST {
        return Err(RegistryError::BadCursor);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| RegistryError::BadCursor)?;
    let (body, tag) = bytes.split_last_chunk::<TAG>().ok_or(RegistryError::BadCursor)?;
    if !keys.mac.verify(&kind.framed(body), tag) {
        return Err(RegistryError::BadCursor);
    }
    serde_json::from_slice(body).map_err(|_| RegistryError::BadCursor)
}

// === impl CursorKeys ===

impl CursorKeys {
    /// Both keys follow from one. Nothing else that is authenticated here begins with these words.
    pub(crate) fn new(key: &SecretKey) -> Self {
        let mac = Mac::new(key);
        let sealer = Sealer::new(&SecretKey::new(mac.tag(b"seal\0"))).ok();
        Self { mac, sealer }
    }

    fn seal(&self, kind: CursorKind<'_>, body: String) -> String {
        let framed = kind.framed(body.as_bytes());
        let nonce = Derived(self.mac.tag(&[b"nonce\0".as_slice(), framed.as_slice()].concat()));
        let sealer = self.sealer.as_ref();
        let sealed = sealer.and_then(|sealer| sealer.seal(&Secret::new(body), &bound_to(kind), &nonce).ok());
        sealed.unwrap_or_default()
    }

    fn open(&self, kind: CursorKind<'_>, text: &str) -> Option<Secret> {
        if text.len() > LONGEST_SEALED {
            return None;
        }
        self.sealer.as_ref()?.open(text, &bound_to(kind)).ok()
    }
}

fn bound_to(kind: CursorKind<'_>) -> [&'static str; 2] {
    ["cursor", kind.word()]
}

// === impl Derived ===

impl Rng for Derived {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *value;
        }
    }
}

// === impl CursorKind ===

impl CursorKind<'_> {
    /// Whether a page of the list may end at something that it does not show.
    const fn is_looked_through(self) -> bool {
        match self {
            Self::Entries | Self::Waiting | Self::Deployments | Self::Failing => true,
            Self::Served { .. } | Self::Found { .. } | Self::Search => false,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Served { .. } => "served",
            Self::Found { .. } => "found",
            Self::Entries => "entries",
            Self::Search => "search",
            Self::Waiting => "waiting",
            Self::Deployments => "deployments",
            Self::Failing => "failing",
        }
    }

    fn framed(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Served { registry, reader } | Self::Found { registry, reader } => {
                read_by(self.word(), registry, reader, body)
            }
            _ => [self.word().as_bytes(), b"\0", body].concat(),
        }
    }
}

/// Neither a registry's name nor a principal holds a NUL.
fn read_by(list: &str, registry: &str, reader: &str, body: &[u8]) -> Vec<u8> {
    let mut framed = format!("{list}\0{registry}\0{reader}\0").into_bytes();
    framed.extend_from_slice(body);
    framed
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> CursorKeys {
        CursorKeys::new(&SecretKey::new([7; 32]))
    }

    fn place() -> Cursor {
        Cursor {
            filters: Filters::default(),
            name: "com.acme/payroll".to_owned(),
            version: "1.0.0".to_owned(),
        }
    }

    #[test]
    fn a_cursor_of_a_list_that_is_looked_through_says_nothing() {
        for kind in [
            CursorKind::Entries,
            CursorKind::Waiting,
            CursorKind::Deployments,
            CursorKind::Failing,
        ] {
            let text = place().seal(kind, &keys());
            assert!(text.starts_with("1."), "{text}");
            let readable = [
                portreeve_inspect::from_hex(text.trim_start_matches("1.")).unwrap(),
                URL_SAFE_NO_PAD.decode(&text).unwrap_or_default(),
            ];
            for bytes in readable {
                assert!(!String::from_utf8_lossy(&bytes).contains("payroll"), "{text}");
            }
            assert!(
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'),
                "{text}"
            );
            // The same place makes the same cursor, and it opens for its own list alone.
            assert_eq!(text, place().seal(kind, &keys()));
            assert_eq!(Cursor::open(kind, &text, &keys()).unwrap(), place());
            let others = [CursorKind::Entries, CursorKind::Waiting, CursorKind::Search];
            for other in others.into_iter().filter(|other| *other != kind) {
                assert!(Cursor::open(other, &text, &keys()).is_err(), "{other:?}");
            }
        }
    }

    #[test]
    fn a_sealed_cursor_that_was_tampered_with_does_not_open() {
        let text = place().seal(CursorKind::Entries, &keys());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(bytes).unwrap();
            let opened = Cursor::open(CursorKind::Entries, &other, &keys());
            assert!(matches!(opened, Err(RegistryError::BadCursor)), "{other}");
        }
        let elsewhere = CursorKeys::new(&SecretKey::new([8; 32]));
        assert!(Cursor::open(CursorKind::Entries, &text, &elsewhere).is_err());
        for bad in ["", "1.", "x", &"1".repeat(20_000)] {
            assert!(Cursor::open(CursorKind::Entries, bad, &keys()).is_err());
        }
    }
}
