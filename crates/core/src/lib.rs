//! The ground floor: the product's nouns, the ports between its rooms, errors, and the clock.
//!
//! Nothing here does input or output. A type that two rooms share lives here; a rule does not.

pub mod id;
pub mod random;
pub mod secret;
pub mod time;
pub mod token;

pub mod name;
pub mod protocol;

pub mod deployment;
pub mod icon;
pub mod members;
pub mod profile;
pub mod property;
pub mod rest;
pub mod route;
pub mod served;
pub mod server;
pub mod tool;

pub mod access_policy;
pub mod access_request;
pub mod approval;
pub mod caller;
pub mod decision;
pub mod grant;
pub mod host_session;
pub mod login;
pub mod oauth;
pub mod partner;
pub mod policy;
pub mod publishing;
pub mod user;
pub mod vault;
pub mod view;
pub mod visibility;

pub mod audit;
pub mod doctor;
pub mod event;
pub mod import;
pub mod latency;
pub mod usage;
pub mod webhook;

pub mod limits;
pub mod page;

pub mod ports;
