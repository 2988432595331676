//! The durable ports of `core` on SQLite and PostgreSQL, and the audit journal.
//!
//! `engine` speaks to either database; every port is one file above it with one SQL text for both. `audit` writes
//! decisions to a journal before an answer leaves and moves them into the hash-chained table behind it.

mod engine;
mod migrations;
mod store;

mod change;
mod fields;

mod access_requests;
mod approvals;
mod assessments;
mod deployments;
mod entries;
mod environments;
mod icons;
mod imports;
mod members;
mod properties;
mod routes;
mod tools;
mod toolsets;
mod views;
mod waiting;

mod access_policies;
mod credentials;
mod host_sessions;
mod identity;
mod logins;
mod oauth;
mod secret_uses;
mod sessions;
mod tokens;
mod vault;

mod outbox;
mod partners;
mod webhooks;

mod catalogue;
mod health;
mod usage;

mod audit;

pub use audit::{
    Audit, AuditError, AuditOptions, AuditWriter, ChainHash, ChainHead, FileJournal, JournalSync,
    node_identity, verify_data,
};

pub use store::{OpenMode, Store, StoreOptions};
