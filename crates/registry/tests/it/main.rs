//! The registry through its door, over a small store in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself may"
)]

mod openapi;
mod world;

mod approve;
mod assess;
mod assess_job;
mod assess_packages;
mod assess_places;
mod bound;
mod clients;
mod corpus;
mod deployment_list;
mod deployments;
mod drafts;
mod entries;
mod environments;
mod governance;
mod hidden;
mod horizon;
mod icons;
mod import;
mod install;
mod issues;
mod kept;
mod marketplace;
mod owner_groups;
mod partners;
mod pins;
mod profile;
mod properties;
mod publish;
mod published;
mod publishing;
mod questions;
mod rest;
mod routes;
mod search;
mod search_environments;
mod search_index;
mod serve;
mod shelf;
mod tools;
mod version_values;
mod versions;
mod virtual_servers;
