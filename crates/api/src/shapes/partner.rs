//! Partners, as they are shown, registered and withdrawn.

use std::collections::BTreeMap;

use portreeve_core::name::Environment;
use portreeve_core::partner::PullOutcome;
use portreeve_core::time::Timestamp;
use portreeve_registry::partners::{
    Listing, NewRegistration, PartnersStatus, Registration, Update, Withdraw, Withdrawing,
};
use portreeve_registry::{Approve, FieldChange};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::server::OutcomeShape;

/// A partner's server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerServer)]
pub(crate) struct PartnerServerShape {
    /// The partner and the server: `acme/tickets`.
    name: String,
    /// The partner's short name.
    partner: String,
    /// What the partner is called.
    partner_title: String,
    /// What the server is called within the partner.
    server: String,
    /// The name that its entry gets.
    entry: String,
    /// The version of its document.
    version: String,
    /// The name people read.
    title: String,
    /// One line.
    summary: String,
    /// What it does and for whom.
    description: String,
    /// What it is about.
    categories: Vec<&'static str>,
    /// Words by which it is found.
    tags: Vec<String>,
    /// `unverified`, `domain-verified`, `verified` or `official partner`.
    tier: &'static str,
    /// When the verdict ends, or ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    tier_expires_at: Option<Timestamp>,
    /// Whether the verdict was more, and is too old.
    verdict_expired: bool,
    /// Whether it is not finished yet.
    preview: bool,
    /// Whether it is shown first.
    featured: bool,
    /// `listed`, `delisted` or `revoked`.
    state: &'static str,
    /// Why it is not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How it was found when it was looked at last.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<PartnerHealthShape>,
    /// What whoever registers it fills in.
    variables: Vec<PartnerVariableShape>,
    /// Its entry here, as far as you may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<PartnerEntryShape>,
    /// SHA-256 over all that the partner says.
    content_hash: String,
    /// The version of the catalogue that lists it; 0: the one that the program carries.
    catalogue_version: u64,
}

/// How a server was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerHealth)]
pub(crate) struct PartnerHealthShape {
    /// `healthy`, `failing` or `tools-changed`.
    state: &'static str,
    /// Since when it is so.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it was looked at last.
    #[schema(value_type = String, format = DateTime)]
    checked_at: Timestamp,
    /// What was found.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

/// Something to fill in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerVariable)]
pub(crate) struct PartnerVariableShape {
    /// Its name.
    name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What it is when nobody says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// What it may be; empty: anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
    /// Whether it must be filled in.
    required: bool,
}

/// An entry that was made of a catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerEntry)]
pub(crate) struct PartnerEntryShape {
    /// The entry.
    name: String,
    /// The version that was made of the catalogue last.
    version: String,
    /// The version of the catalogue that it was made of.
    catalogue_version: u64,
    /// The key that signed that catalogue; not there for the one that the program carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<String>,
    /// SHA-256 of what the partner said then.
    content_hash: String,
    #[schema(value_type = String, format = DateTime)]
    registered_at: Timestamp,
    /// Whether the catalogue has another document now.
    update_available: bool,
    /// Whether the key that signed that catalogue may still sign one. `false`: it came from a catalogue that is no longer
    /// trusted, and nothing changed since.
    catalogue_trusted: bool,
}

/// How a partner's server is registered, or updated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = PartnerRegistration)]
pub(crate) struct PartnerRegistrationShape {
    /// Its variables, by name.
    variables: BTreeMap<String, String>,
    /// Whether it is approved at once, if you may.
    approve: bool,
    /// Whether its private hosts are granted, if you may.
    internal: bool,
    /// The environment in which it runs; without it, production.
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
}

/// What became of a registration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerRegistered)]
pub(crate) struct PartnerRegisteredShape {
    /// The entry's version and route.
    outcome: OutcomeShape,
    /// The partner's server as it is listed now.
    listing: PartnerServerShape,
}

/// What an update would change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerUpdate)]
pub(crate) struct PartnerUpdateShape {
    /// The entry.
    name: String,
    /// The version that was made of the catalogue last.
    from: String,
    /// The version that would be made.
    to: String,
    /// The catalogue's version then.
    from_catalogue: u64,
    /// The catalogue's version now.
    to_catalogue: u64,
    /// The fields that would change.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<FieldChange>,
    /// New variables, which must be filled in.
    missing: Vec<String>,
}

/// What shall become of a partner, or of one of its servers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PartnerWithdrawal)]
pub(crate) struct PartnerWithdrawalShape {
    /// `listed`, `delisted` or `revoked`.
    #[schema(value_type = String)]
    state: StateWord,
    /// The server within the partner; without it, all of them.
    #[serde(default)]
    server: Option<String>,
    /// Why, in one line: whoever calls what is revoked reads it. Not needed to take a withdrawal back.
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateWord {
    Listed,
    Delisted,
    Revoked,
}

/// Where the catalogue stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartnerCatalogue)]
pub(crate) struct PartnerCatalogueShape {
    /// Servers that the program carries.
    carried: usize,
    /// Where newer catalogues are, if anywhere.
    url: Option<String>,
    /// The version of the pulled catalogue that is shown.
    version: Option<u64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    issued_at: Option<Timestamp>,
    /// Until when it is good; what is here stays afterwards.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pulled_at: Option<Timestamp>,
    /// How the last pull ended: `code` is `taken`, `unchanged`, `unreachable` or why it was refused.
    #[schema(value_type = Option<Object>)]
    last_pull: Option<PullOutcome>,
    /// Why what was pulled is not shown, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// What became of the catalogue whose key was trusted no more, if that ever happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    dropped: Option<PullOutcome>,
    /// Servers that are listed or withdrawn.
    servers: usize,
    /// Servers that are registered here.
    registered: usize,
    /// Servers that could not be reached, or must be mended.
    failing: usize,
    /// Servers with other tools than those that were checked.
    tools_changed: usize,
    /// Entries that came from a catalogue that is no longer trusted.
    distrusted: usize,
    /// Servers that nobody may call.
    revoked: usize,
}

// === impl PartnerServerShape ===

impl PartnerServerShape {
    pub(crate) fn new(listing: &Listing) -> Self {
        let partner = &listing.about.partner;
        Self {
            name: format!("{}/{}", listing.partner, listing.name),
            partner: listing.partner.clone(),
            partner_title: partner.title.clone(),
            server: listing.name.clone(),
            entry: listing.server.clone(),
            version: listing.version.clone(),
            title: listing.title.clone(),
            summary: listing.summary.clone(),
            description: partner.description.clone(),
            categories: partner.categories.iter().map(|one| one.as_str()).collect(),
            tags: partner.tags.clone(),
            tier: listing.standing.tier.as_str(),
            tier_expires_at: listing.standing.expires_at,
            verdict_expired: listing.standing.is_expired,
            preview: listing.is_preview(),
            featured: listing.is_featured(),
            state: listing.state.as_str(),
            reason: listing.state.reason().map(str::to_owned),
            health: listing.health.as_ref().map(|health| PartnerHealthShape {
                state: health.state.as_str(),
                since: health.since,
                checked_at: health.checked_at,
                detail: health.detail.clone(),
            }),
            variables: listing
                .variables
                .iter()
                .map(|one| PartnerVariableShape {
                    name: one.name.clone(),
                    description: one.description.clone(),
                    default: one.default.clone(),
                    choices: one.choices.clone(),
                    required: one.is_required,
                })
                .collect(),
            registered: listing.registered.as_ref().map(|one| PartnerEntryShape {
                name: one.server.to_string(),
                version: one.version.to_string(),
                catalogue_version: one.catalogue_version,
                signed_by: one.signed_by.clone(),
                content_hash: one.content_hash.clone(),
                registered_at: one.registered_at,
                update_available: one.update_available,
                catalogue_trusted: one.catalogue_trusted,
            }),
            content_hash: listing.content_hash.clone(),
            catalogue_version: listing.catalogue_version,
        }
    }
}

// === impl PartnerRegistrationShape ===

impl PartnerRegistrationShape {
    pub(crate) fn into_new(self) -> NewRegistration {
        NewRegistration {
            variables: self.variables,
            approve: if self.approve { Approve::Now } else { Approve::No },
            internal: self.internal.into(),
            environment: self.environment,
        }
    }
}

// === impl PartnerRegisteredShape ===

impl PartnerRegisteredShape {
    pub(crate) fn new(made: &Registration, public_url: &Url) -> Self {
        Self {
            outcome: OutcomeShape::new(&made.outcome, public_url),
            listing: PartnerServerShape::new(&made.listing),
        }
    }
}

// === impl PartnerUpdateShape ===

impl From<Update> for PartnerUpdateShape {
    fn from(update: Update) -> Self {
        Self {
            name: update.server.to_string(),
            from: update.from.to_string(),
            to: update.to,
            from_catalogue: update.catalogue.0,
            to_catalogue: update.catalogue.1,
            changes: update.changes,
            missing: update.missing,
        }
    }
}

// === impl PartnerWithdrawalShape ===

impl PartnerWithdrawalShape {
    pub(crate) fn into_wish(self, partner: String) -> Withdraw {
        Withdraw {
            partner,
            name: self.server,
            what: match self.state {
                StateWord::Listed => Withdrawing::Reinstate,
                StateWord::Delisted => Withdrawing::Delist,
                StateWord::Revoked => Withdrawing::Revoke,
            },
            reason: self.reason,
        }
    }
}

// === impl PartnerCatalogueShape ===

impl From<PartnersStatus> for PartnerCatalogueShape {
    fn from(status: PartnersStatus) -> Self {
        Self {
            carried: status.carried,
            url: status.url,
            version: status.version,
            issued_at: status.issued_at,
            expires_at: status.expires_at,
            pulled_at: status.pulled_at,
            last_pull: status.last_pull,
            problem: status.problem,
            dropped: status.dropped,
            servers: status.counts.servers,
            registered: status.counts.registered,
            failing: status.counts.failing,
            tools_changed: status.counts.tools_changed,
            distrusted: status.counts.distrusted,
            revoked: status.counts.revoked,
        }
    }
}
