//! What the templates show: plain texts, made from the product's nouns. No rule, no I/O.

mod badge;
mod shell;

mod home;

mod official;
mod profile;
mod server;
mod tools;

mod governed;
mod review;

mod audit;
mod usage;

mod notes;

pub(crate) use governed::{Governed, GovernedForm, GovernedPage};
pub(crate) use review::ReviewPage;

pub(crate) use audit::{AuditFilter, AuditPageView, ReportView};
pub(crate) use home::{Card, HomePage};
pub(crate) use notes::{FailurePage, SignInPage, WelcomePage};
pub(crate) use official::Official;
pub(crate) use server::{HostPanel, Notice, ServerFacts, ServerPage, Way};
pub(crate) use shell::{Account, Shell};
pub(crate) use tools::{Change, ToolInput, ToolsFrame, ToolsList, ToolsView, seen};
pub(crate) use usage::{Range, UsagePage};
