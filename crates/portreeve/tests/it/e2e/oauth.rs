//! The authorization server through the door: what hosts ask, what browsers are shown.

mod clients;
mod codes;
mod consent;
mod documents;
mod enterprise;
pub(super) mod house;
mod metadata;
mod refreshing;
mod registering;
