//! What the templates show: plain texts, made from the product's nouns. No rule, no I/O.

pub(crate) mod badge;
pub(crate) mod form;
mod one;
mod shell;

pub(crate) mod discover;
mod discover_one;
mod home;

mod approvals;
mod assessment;
mod install;
pub(crate) mod logins;
mod official;
mod profile;
pub(crate) mod profile_form;
mod reach;
mod readme;
pub(crate) mod rest;
mod server;
pub(crate) mod stages;
pub(crate) mod submit;
mod tools;
mod try_tool;

pub(crate) mod deployed;
mod deployments;
pub(crate) mod environment;
mod governed;
pub(crate) mod grants;
pub(crate) mod imports;
pub(crate) mod property;
pub(crate) mod registry;
mod review;
pub(crate) mod secrets;
mod waiting;

mod audit;
mod usage;

mod exports;
mod hosts;

mod webhooks;

pub(crate) mod access_policies;
pub(crate) mod access_requests;
pub(crate) mod account;
mod clients;
mod consent;
mod notes;
pub(crate) mod sign_in;

pub(crate) use clients::ClientsPage;
pub(crate) use consent::{ConsentPage, ConsentParts};
pub(crate) use deployed::DeployedPage;
pub(crate) use deployments::DeploymentsPage;
pub(crate) use form::FormView;
pub(crate) use governed::{Governed, GovernedForm, GovernedPage, governance_tabs};
pub(crate) use imports::{ImportPage, ImportsPage, ScheduleRow};
pub(crate) use one::{Crumb, OnePage, Part};
pub(crate) use registry::RegistryPage;
pub(crate) use review::{ReviewPage, ReviewParts};
pub(crate) use secrets::SecretsPage;
pub(crate) use waiting::{DecidedPage, FailingRow, WaitingBulk, WaitingFilter, WaitingPage, WaitingRow};

pub(crate) use approvals::{ApprovalPage, ApprovalsPage};
pub(crate) use assessment::AssessmentView;
pub(crate) use audit::{AuditFilter, AuditPageView, ReportView};
pub(crate) use discover::{DiscoverPage, PartnerCard, tier_title};
pub(crate) use discover_one::{PartnerPage, RegisterForm};
pub(crate) use exports::ExportsPage;
pub(crate) use home::{Card, HomePage};
pub(crate) use hosts::{HostsPage, Seen};
pub(crate) use install::{Choice, InstallView};
pub(crate) use logins::LoginsPage;
pub(crate) use notes::{FailurePage, Shown, ShownPage, WelcomePage};
pub(crate) use official::Official;
pub(crate) use reach::{Brief, Reach, ReachFacts};
pub(crate) use readme::Markup;
pub(crate) use server::{Notice, ServerFacts, ServerPage};
pub(crate) use shell::{Account, Shell};
pub(crate) use tools::{Change, ToolInput, ToolsFrame, ToolsList, ToolsView, seen};
pub(crate) use try_tool::{
    Asked, Offer, Offered, Question, QuestionField, QuestionKind, TryOffersPage, TryPage, TryResult, TryWhat,
};
pub(crate) use usage::{Range, UsagePage};
pub(crate) use webhooks::{WebhookPage, WebhooksPage};
