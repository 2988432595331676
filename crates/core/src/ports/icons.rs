//! The icons of entries, durable: the pictures by their content, and for each entry which of them it shows.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::icon::{Icon, IconFace, NamedIcon};
use crate::id::IconId;
use crate::name::ServerName;
use crate::time::Timestamp;

/// What a look at the icons of one entry came to.
#[derive(Debug, Clone, PartialEq)]
pub struct IconLook {
    /// The entry.
    pub server: ServerName,
    /// The revision of the entry that was looked at. When the entry is at another one, it is looked at again.
    pub revision: i64,
    /// When.
    pub at: Timestamp,
    /// When to look again although the entry is the same: something could not be fetched.
    pub again_at: Option<Timestamp>,
    /// What the entry names now, in the order in which it is shown. None of the former ones stays.
    pub icons: Vec<NamedIcon>,
    /// Pictures that may be new. One whose content is known already keeps the identity that it has.
    pub fetched: Vec<Icon>,
    /// The audit events that belong to it; none when nothing changed.
    pub events: Vec<AuditEvent>,
}

/// An entry whose icons are to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IconDue {
    /// Its name.
    pub server: ServerName,
    /// Whether something is known of its icons. Most entries name none, and never did.
    pub is_known: bool,
}

/// What is due among some of the entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IconsDue {
    /// Those whose icons are to be looked at, in the order of names.
    pub servers: Vec<IconDue>,
    /// The last entry that was looked through, if there may be more behind it.
    pub last: Option<ServerName>,
}

/// Icons, durable. Decisions do not depend on them, so they count as no change of the catalogue.
#[async_trait]
pub trait IconStore: Send + Sync {
    /// The icon of that identity.
    async fn icon(&self, id: IconId) -> Result<Option<Icon>, StoreError>;

    /// What an entry names, in its order.
    async fn icons_of(&self, server: &ServerName) -> Result<Vec<NamedIcon>, StoreError>;

    /// The icons of these servers that can be shown, by server, in their order.
    async fn icon_faces(&self, servers: &[ServerName]) -> Result<Vec<IconFace>, StoreError>;

    /// Looks through so many entries behind this name, in the order of names, for those with a version that is listed, of
    /// which the icons were not looked at in the state they are in, or are to be looked at again by now.
    async fn icons_due(
        &self,
        now: Timestamp,
        behind: Option<&ServerName>,
        among: u32,
    ) -> Result<IconsDue, StoreError>;

    /// Writes down what looks came to, all of them at once, and drops pictures that nobody shows any more. An entry that
    /// is gone by now is passed over.
    async fn save_icons(&self, looks: Vec<IconLook>) -> Result<(), StoreError>;
}
