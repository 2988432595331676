//! What every node keeps in memory of partners: the listed servers of both catalogues, with what the store knows of them. It is
//! replaced as a whole, so a list reads it without waiting.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use portreeve_core::name::ServerName;
use portreeve_core::partner::{
    HealthState, KeptCatalogue, PartnerHealth, RegisteredPartner, Withdrawal, Withdrawn,
};
use portreeve_core::ports::PartnerState;
use portreeve_core::time::Timestamp;
use portreeve_inspect::content_hash;
use serde_json::Value;

use super::super::catalogue::{Catalogue, Listed, ListedServer, Refusal, opened};
use super::super::check::Evidence;
use super::super::format::Partner;
use super::super::tier::{Standing, Tier, standing};
use super::listing::{Listing, ListingHealth, ListingState, RegisteredHere, variables};
use super::{PartnerCounts, PartnerSettings, PartnersStatus};
use crate::assess::near_names::Vouched;

/// Nothing was read from the store yet.
const NOTHING: i64 = -1;

/// All of it.
pub(super) struct Board {
    generation: i64,
    items: BTreeMap<(String, String), Item>,
    state: PartnerState,
    /// The pulled catalogue, or why it is not believed any more.
    pulled: Option<Arc<Pulled>>,
    /// The keys that may sign today, also those to which one of them handed over.
    trusted: BTreeSet<String>,
}

/// A pulled catalogue.
pub(super) struct Pulled {
    version: u64,
    hash: String,
    pulled_at: Timestamp,
    /// It, and the key that signed it.
    believed: Result<(Catalogue, String), String>,
    /// The key that signed it, if it is not believed because nobody trusts that any more.
    distrusted: Option<String>,
    trusted: BTreeSet<String>,
}

/// A listed server.
pub(super) struct Item {
    pub(super) about: Arc<Listed>,
    pub(super) name: String,
    /// The document's hash, with its variables.
    pub(super) document_hash: String,
    /// The version of its catalogue and the key that signed it; 0 and none for the carried one.
    pub(super) catalogue_version: u64,
    pub(super) signed_by: Option<String>,
    /// What was earned when the evidence was found, and when that was.
    earned: Standing,
    found_at: Timestamp,
    health: Option<PartnerHealth>,
}

// === impl Board ===

impl Board {
    /// What the program carries, and nothing else.
    pub(super) fn carried(carried: Option<&Catalogue>, reviewers: &[String]) -> Self {
        let mut board = Self {
            generation: NOTHING,
            items: BTreeMap::new(),
            state: PartnerState::default(),
            pulled: None,
            trusted: BTreeSet::new(),
        };
        board.take(carried, None, reviewers);
        board
    }

    /// Both catalogues and what the store knows.
    pub(super) fn of(
        generation: i64,
        carried: Option<&Catalogue>,
        (state, pulled): (PartnerState, Option<Arc<Pulled>>),
        settings: &PartnerSettings,
    ) -> Self {
        let reviewers = &settings.reviewers;
        let mut board = Self {
            generation,
            items: BTreeMap::new(),
            state,
            trusted: match &pulled {
                Some(pulled) => pulled.trusted.clone(),
                None => settings.reader(Timestamp::default()).trusts(&[]),
            },
            pulled: pulled.clone(),
        };
        board.take(carried, None, reviewers);
        if let Some(pulled) = pulled
            && let Ok((catalogue, key)) = &pulled.believed
        {
            // A partner of both is as the pulled one says.
            let is_again = |name: &str| catalogue.partners.iter().any(|one| one.partner.name == name);
            board.items.retain(|(partner, _), _| !is_again(partner));
            board.take(Some(catalogue), Some(key), reviewers);
        }
        board
    }

    /// The pulled catalogue of that version and hash, if it is this one: it need not be believed twice.
    pub(super) fn pulled(&self, version: u64, hash: Option<&str>) -> Option<Arc<Pulled>> {
        let is_it = |pulled: &Arc<Pulled>| pulled.version == version && Some(pulled.hash.as_str()) == hash;
        self.pulled.clone().filter(is_it)
    }

    /// Whether an entry came with the program, or of a catalogue whose key may sign today.
    pub(super) fn trusts(&self, registered: &RegisteredPartner) -> bool {
        let key = registered.signed_by.as_ref();
        key.is_none_or(|key| self.trusted.contains(key))
    }

    fn take(&mut self, catalogue: Option<&Catalogue>, key: Option<&String>, reviewers: &[String]) {
        let version = catalogue.filter(|_| key.is_some()).map_or(0, |all| all.version);
        for listed in catalogue.iter().flat_map(|all| &all.partners) {
            let about = Arc::new(listed.clone());
            for server in &listed.servers {
                let place = (listed.partner.name.clone(), server.name.clone());
                let health = self.health_of(&place, &listed.content_hash).cloned();
                let mut item = Item::new(&about, server, health, reviewers);
                item.catalogue_version = version;
                item.signed_by = key.cloned();
                self.items.insert(place, item);
            }
        }
    }

    /// What was found of this content; what was found of another one says nothing.
    fn health_of(&self, (partner, name): &(String, String), content: &str) -> Option<&PartnerHealth> {
        let mut health = self.state.health.iter();
        health.find(|one| {
            one.place.partner == *partner && one.place.name == *name && one.content_hash == content
        })
    }

    pub(super) const fn generation(&self) -> i64 {
        self.generation
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    pub(super) fn find(&self, partner: &str, name: &str) -> Option<&Item> {
        self.items.get(&(partner.to_owned(), name.to_owned()))
    }

    pub(super) fn registered(&self, server: &ServerName) -> Option<&RegisteredPartner> {
        self.state.registered.iter().find(|one| one.server == *server)
    }

    /// What was registered of a listed server: under the name that its document has now, or else under the one it had.
    pub(super) fn registered_from(&self, item: &Item) -> Option<&RegisteredPartner> {
        let now = item
            .document()
            .and_then(|document| document.get("name"))
            .and_then(Value::as_str);
        let is_of_it = |one: &&RegisteredPartner| {
            one.place.partner == item.about.partner.name && one.place.name == item.name
        };
        let all = || self.state.registered.iter().filter(is_of_it);
        all()
            .find(|one| Some(one.server.as_str()) == now)
            .or_else(|| all().next())
    }

    pub(super) fn knows_partner(&self, partner: &str, name: Option<&str>) -> bool {
        let is_listed = self
            .items
            .keys()
            .any(|key| key.0 == partner && name.is_none_or(|name| key.1 == name));
        let is_here = self
            .state
            .registered
            .iter()
            .any(|one| one.place.partner == partner && name.is_none_or(|name| one.place.name == name));
        is_listed || is_here
    }

    /// What was withdrawn of a server: the strongest of all that is said of it or of its partner.
    pub(super) fn withdrawn(&self, item: &Item) -> Option<&Withdrawn> {
        let is_about = |one: &&Withdrawn| {
            one.partner == item.about.partner.name && one.name.as_ref().is_none_or(|name| *name == item.name)
        };
        self.state
            .withdrawn
            .iter()
            .filter(is_about)
            .max_by_key(|one| one.what)
    }

    /// Who is verified with one server at least: others must not be taken for him.
    pub(super) fn vouched(&self) -> Vec<Vouched> {
        let mut found: BTreeMap<&str, (&Partner, Range<Timestamp>)> = BTreeMap::new();
        for item in self.items.values().filter(|item| self.withdrawn(item).is_none()) {
            let Some(good) = item.verified_while() else {
                continue;
            };
            let partner = &item.about.partner;
            let is_longer = |known: &(&Partner, Range<Timestamp>)| known.1.end < good.end;
            if found.get(partner.name.as_str()).is_none_or(is_longer) {
                found.insert(&partner.name, (partner, good));
            }
        }
        let vouched = found.into_values().map(|(partner, good)| {
            let names = (partner.namespace.as_str(), partner.domain.as_str());
            Vouched::new(&partner.title, names, good)
        });
        vouched.collect()
    }

    /// All that was withdrawn.
    pub(super) fn all_withdrawn(&self) -> &[Withdrawn] {
        &self.state.withdrawn
    }

    /// A server as it is shown. `knows`: whether the caller may know of an entry.
    pub(super) fn listing(
        &self,
        item: &Item,
        now: Timestamp,
        knows: impl Fn(&ServerName) -> bool,
    ) -> Listing {
        let partner = &item.about.partner;
        let empty = serde_json::Map::new();
        let document = item.document().unwrap_or(&empty);
        let text = |field: &str| document.get(field).and_then(Value::as_str).map(str::to_owned);
        let registered = self.registered_from(item).filter(|one| knows(&one.server));
        Listing {
            partner: partner.name.clone(),
            name: item.name.clone(),
            server: text("name").unwrap_or_default(),
            version: text("version").unwrap_or_default(),
            title: text("title").unwrap_or_else(|| partner.title.clone()),
            summary: text("description").unwrap_or_else(|| partner.summary.clone()),
            standing: item.standing(now),
            state: self
                .withdrawn(item)
                .map_or(ListingState::Listed, |one| match one.what {
                    Withdrawal::Delisted => ListingState::Delisted {
                        reason: one.reason.clone(),
                    },
                    Withdrawal::Revoked => ListingState::Revoked {
                        reason: one.reason.clone(),
                    },
                }),
            health: item.health.as_ref().map(|health| ListingHealth {
                state: health.state,
                since: health.since,
                checked_at: health.checked_at,
                detail: health.detail.clone(),
            }),
            variables: variables(document),
            registered: registered.map(|one| RegisteredHere {
                server: one.server.clone(),
                version: one.version.clone(),
                catalogue_version: one.catalogue_version,
                signed_by: one.signed_by.clone(),
                content_hash: one.content_hash.clone(),
                registered_at: one.registered_at,
                update_available: one.document_hash != item.document_hash,
                catalogue_trusted: self.trusts(one),
            }),
            content_hash: item.about.content_hash.clone(),
            catalogue_version: item.catalogue_version,
            about: Arc::clone(&item.about),
        }
    }

    /// What of it is known here.
    pub(super) fn status(&self) -> PartnersStatus {
        let pulled = self.pulled.as_deref();
        let believed = pulled.and_then(|pulled| pulled.believed.as_ref().ok());
        let believed = believed.map(|(catalogue, _)| catalogue);
        let is = |state: HealthState| {
            let found = self.items.values().filter_map(|item| item.health.as_ref());
            found.filter(|health| health.state == state).count()
        };
        let is_revoked = |item: &&Item| {
            self.withdrawn(item)
                .is_some_and(|one| one.what == Withdrawal::Revoked)
        };
        PartnersStatus {
            carried: 0,
            url: None,
            version: believed.map(|catalogue| catalogue.version),
            issued_at: believed.map(|catalogue| catalogue.issued_at),
            expires_at: believed.map(|catalogue| catalogue.expires_at),
            pulled_at: pulled.map(|pulled| pulled.pulled_at),
            last_pull: self.state.last_pull.clone(),
            dropped: self.state.dropped.clone(),
            problem: pulled.and_then(|pulled| pulled.believed.as_ref().err().cloned()),
            counts: PartnerCounts {
                servers: self.items.len(),
                failing: is(HealthState::Failing),
                tools_changed: is(HealthState::ToolsChanged),
                registered: self.state.registered.len(),
                distrusted: self
                    .state
                    .registered
                    .iter()
                    .filter(|one| !self.trusts(one))
                    .count(),
                revoked: self.items.values().filter(is_revoked).count(),
            },
        }
    }
}

// === impl Item ===

impl Item {
    fn new(
        about: &Arc<Listed>,
        server: &ListedServer,
        health: Option<PartnerHealth>,
        reviewers: &[String],
    ) -> Self {
        let evidence = weighed(about, health.as_ref());
        let found_at = evidence.as_ref().map(|one| one.at).unwrap_or_default();
        let judged = (evidence.as_deref(), about.approval.as_ref());
        Self {
            earned: standing(&about.content_hash, judged, reviewers, found_at),
            found_at,
            document_hash: document_hash(server),
            catalogue_version: 0,
            signed_by: None,
            about: Arc::clone(about),
            name: server.name.clone(),
            health,
        }
    }

    pub(super) fn document(&self) -> Option<&serde_json::Map<String, Value>> {
        let server = self.about.servers.iter().find(|one| one.name == self.name);
        server.map(|one| &one.document)
    }

    pub(super) const fn health(&self) -> Option<&PartnerHealth> {
        self.health.as_ref()
    }

    /// What its tier rests on.
    pub(super) fn evidence(&self) -> Option<Cow<'_, Evidence>> {
        weighed(&self.about, self.health.as_ref())
    }

    /// The tools that were seen when the evidence in the catalogue was found.
    pub(super) fn told_tools(&self) -> Option<&str> {
        let evidence = self.about.evidence.as_ref()?;
        if evidence.content_hash != self.about.content_hash {
            return None;
        }
        evidence.servers.get(&self.name)?.tools_hash.as_deref()
    }

    /// From when until when it is verified, as things stand.
    fn verified_while(&self) -> Option<Range<Timestamp>> {
        let until = self.earned.expires_at?;
        let standing = self.standing(self.found_at);
        (standing.tier >= Tier::Verified).then_some(self.found_at..until)
    }

    /// The same as [`standing`], of evidence that was weighed once.
    fn standing(&self, now: Timestamp) -> Standing {
        let Some(expires_at) = self.earned.expires_at.filter(|_| now >= self.found_at) else {
            return Standing {
                tier: Tier::Unverified,
                expires_at: None,
                is_expired: false,
            };
        };
        let is_over = now >= expires_at;
        let is_well = self
            .health
            .as_ref()
            .is_none_or(|health| health.state == HealthState::Healthy);
        Standing {
            tier: if is_over || !is_well {
                Tier::Unverified
            } else {
                self.earned.tier
            },
            expires_at: Some(expires_at),
            is_expired: is_over && self.earned.tier > Tier::Unverified,
        }
    }
}

/// What counts of a server: what was seen from here last, as long as it is about this content, unless the catalogue is newer.
fn weighed<'a>(about: &'a Listed, health: Option<&PartnerHealth>) -> Option<Cow<'a, Evidence>> {
    let own = health.and_then(|health| serde_json::from_str::<Evidence>(&health.evidence).ok());
    let told = about.evidence.as_ref();
    match (own, told) {
        (Some(own), Some(told)) if told.at > own.at => Some(Cow::Borrowed(told)),
        (Some(own), _) => Some(Cow::Owned(own)),
        (None, told) => told.map(Cow::Borrowed),
    }
}

/// SHA-256 of a server's document as the catalogue has it.
fn document_hash(server: &ListedServer) -> String {
    // What has no canonical form is no document that could be registered.
    content_hash(&Value::Object(server.document.clone()).to_string()).unwrap_or_default()
}

// === impl Pulled ===

impl Pulled {
    /// A catalogue that is kept, believed once more: the keys that are trusted may be others today. Its time was good when it
    /// came.
    pub(super) fn of(kept: &KeptCatalogue, settings: &PartnerSettings) -> Self {
        let reader = settings.reader(kept.pulled_at);
        let bytes = kept.body.as_bytes();
        let mut pulled = Self {
            version: kept.version,
            hash: kept.hash.clone(),
            pulled_at: kept.pulled_at,
            believed: Err(String::new()),
            distrusted: None,
            trusted: reader.trusts(&[]),
        };
        match reader.read(bytes) {
            Ok(catalogue) => {
                let file = opened(bytes).ok();
                let key = file.as_ref().map(|file| file.key.clone()).unwrap_or_default();
                pulled.trusted = reader.trusts(&file.map(|file| file.rotations).unwrap_or_default());
                pulled.believed = Ok((catalogue, key));
            }
            Err(refusal) => {
                pulled.believed = Err(format!(
                    "version {} that is kept is not shown: {refusal}",
                    kept.version
                ));
                if let Refusal::UnknownKey(key) = refusal {
                    pulled.distrusted = Some(key);
                }
            }
        }
        pulled
    }

    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// The key that signed it, if nobody trusts that any more.
    pub(super) fn distrusted(&self) -> Option<&str> {
        self.distrusted.as_deref()
    }
}
