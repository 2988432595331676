//! The portal: server-rendered pages that work without scripts. It holds no rule: each page calls a use case of
//! registry, insight or access with its visitor as the caller, and shows what came back.
//!
//! A request's way: `router` finds the page, `frame` finds the visitor and puts the security headers around the
//! answer, the page asks and fills a view, askama writes it. What fails becomes a designed page on the way out.

mod router;

mod assets;
mod brand;
mod cookie;
mod fields;
mod forms;
mod frame;
mod named;
mod upload;
mod visitor;

mod discover;
mod home;
mod narrow;
mod server;
mod tools;
mod try_tool;

mod logins;
mod profile;
mod stages;
mod submit;

mod deployed;
mod deployments;
mod environments;
mod governed;
mod grants;
mod imports;
mod properties;
mod registries;
mod rest;
mod review;
mod secrets;
mod waiting;

mod access_requests;
mod approvals;
mod audit;
mod usage;

mod exports;
mod hosts;

mod webhooks;

mod access_policies;
mod account;
mod authorize;
mod clients;
mod sign_in;
mod users;

mod failure;
mod view;
mod words;

pub use brand::{Brand, Colour, Logo, NoColour};
pub use router::{PortalParts, router};
