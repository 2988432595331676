//! Tests of the portal through its router: a browser without scripts, the real rooms over SQLite behind the pages.
//!
//! They stand here and not in `portal`, which may not know the store that they need.

mod browser;
mod markup;
mod samples;
mod world;

mod about;
mod access_policies;
mod access_requests;
mod approvals;
mod deployed;
mod discover;
mod every_page;
mod governed;
mod governed_one;
mod hand_in;
mod home;
mod imports;
mod managers;
mod matrix;
mod pairs;
mod registries;
mod rest;
mod review;
mod roles;
mod secrets;
mod server;
mod sign_in;
mod stages;
mod waiting;
mod webhooks;
