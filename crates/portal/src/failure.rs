//! What can go wrong between a visitor and a page, and the page that says so.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_access::{AccessError, LoginError, OauthCode, OauthError, ProviderError};
use portreeve_core::ports::StoreError;
use portreeve_insight::{InsightError, WebhookError};
use portreeve_registry::RegistryError;

use crate::frame;
use crate::router::Portal;
use crate::view::FailurePage;
use crate::visitor::Visitor;
use crate::words;

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// There is no such thing, or not for this visitor.
    NotFound { text: String },
    /// The visitor may not.
    Forbidden { text: String, signed_in: bool },
    /// The form was sent from elsewhere.
    CrossSite { origin: String },
    /// The form is of another session, or of before a restart.
    StaleForm,
    /// The body is not a form, or too large.
    Form,
    /// The request cannot be fulfilled as it is.
    Invalid { text: String, hint: String },
    /// A program asked in a way that cannot be answered to the program.
    Client { text: String },
    /// A sign-in link that does not work.
    Link,
    /// Nobody was signed in.
    SignIn {
        status: StatusCode,
        text: String,
        hint: String,
    },
    /// The address does not take this method.
    Method,
    /// The store does not answer.
    Unavailable,
    /// The node started a moment ago.
    Warming { text: String },
    /// Our own mistake.
    Broken,
}

/// The words of a failure.
struct Words {
    status: StatusCode,
    title: &'static str,
    text: String,
    hint: String,
    invite: bool,
}

impl Words {
    fn new(
        status: StatusCode,
        title: &'static str,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status,
            title,
            text: text.into(),
            hint: hint.into(),
            invite: false,
        }
    }
}

impl Failure {
    /// An address that leads nowhere.
    pub(crate) fn page_not_found() -> Self {
        Self::NotFound {
            text: "No page has this address.".to_owned(),
        }
    }

    /// A page that the visitor may not see.
    pub(crate) fn forbidden(visitor: &Visitor) -> Self {
        let signed_in = visitor.is_signed_in();
        let label = &visitor.caller.label;
        Self::Forbidden {
            text: match signed_in {
                true => format!("`{label}` may not do this."),
                false => "This page is for people who are signed in.".to_owned(),
            },
            signed_in,
        }
    }

    /// The page of this failure. It is written even when everything else fails.
    pub(crate) fn page(self, portal: &Portal, visitor: &Visitor) -> Response {
        let mut told = self.words();
        told.invite &= !visitor.is_signed_in();
        let page = FailurePage {
            shell: visitor.shell(portal, told.title, ""),
            status: told.status.as_u16(),
            title: told.title,
            text: words::pieces(&told.text),
            hint: words::pieces(&told.hint),
            invite: told.invite,
        };
        frame::html(told.status, &page).unwrap_or_else(|_| told.status.into_response())
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table reads better whole, and stays exhaustive"
    )]
    fn words(self) -> Words {
        match self {
            Self::NotFound { text } => Words {
                invite: true,
                ..Words::new(
                    StatusCode::NOT_FOUND,
                    "There is nothing here",
                    text,
                    "Check the address, or look for it among the servers.",
                )
            },
            Self::Forbidden { text, signed_in } => Words {
                invite: true,
                ..Words::new(
                    StatusCode::FORBIDDEN,
                    "Not for you",
                    text,
                    match signed_in {
                        true => "Ask an administrator for a grant that allows it.",
                        false => "Sign in and try again.",
                    },
                )
            },
            Self::CrossSite { origin } => Words::new(
                StatusCode::FORBIDDEN,
                "That came from somewhere else",
                "A form may only be sent from Portreeve’s own pages, and this one was not.",
                format!(
                    "Open {origin} in this browser and do it there. If you did not mean to send a form, another site tried to do it for you, and nothing was changed."
                ),
            ),
            Self::Client { text } => Words::new(
                StatusCode::BAD_REQUEST,
                "The program cannot be connected",
                text,
                "Nothing was allowed. Go back to the program and connect again; if that does not help, show this to whoever made it.",
            ),
            Self::StaleForm => Words::new(
                StatusCode::FORBIDDEN,
                "This form is out of date",
                "It belongs to another session, or to the time before Portreeve was restarted. Nothing was changed.",
                "Go back, load the page again, and repeat what you wanted to do.",
            ),
            Self::Form => Words::new(
                StatusCode::BAD_REQUEST,
                "That was not understood",
                "What was sent is not a form, or it is too large. Nothing was changed.",
                "Go back, load the page again, and repeat what you wanted to do.",
            ),
            Self::Invalid { text, hint } => {
                Words::new(StatusCode::BAD_REQUEST, "That cannot be done", text, hint)
            }
            Self::Link => Words::new(
                StatusCode::FORBIDDEN,
                "This link does not work",
                "It was used already, it is too old, or it was copied incompletely.",
                "Ask for a new one. If it is your own Portreeve, start it again: it prints one.",
            ),
            Self::SignIn { status, text, hint } => Words {
                invite: true,
                ..Words::new(status, "You are not signed in", text, hint)
            },
            Self::Method => Words::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "That was not understood",
                "This address does not take such a request.",
                "",
            ),
            Self::Unavailable => Words::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The store does not answer",
                "Portreeve is running, but it cannot reach its database. Calls through the gateway go on.",
                "Try again in a minute. On the server, `portreeve doctor` tells what is wrong.",
            ),
            Self::Warming { text } => Words::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Search is not ready yet",
                text,
                "Portreeve started a moment ago. Load the page again.",
            ),
            Self::Broken => Words::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke",
                "This is a mistake of ours, not of yours. It was written to the log.",
                "Try again. If it happens again, tell whoever runs this Portreeve.",
            ),
        }
    }
}

impl IntoResponse for Failure {
    /// A bare answer that carries the failure: `frame` writes its page, since it knows the visitor.
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// `server ... does not exist` becomes `Server ... does not exist.`
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

fn store(error: &StoreError) -> Failure {
    match error {
        StoreError::NotFound { .. } | StoreError::Conflict { .. } => Failure::NotFound {
            text: sentence(&error.to_string()),
        },
        StoreError::Unavailable(source) => {
            tracing::error!(%error, %source, "the store failed a page");
            Failure::Unavailable
        }
        StoreError::Corrupt { .. } => {
            tracing::error!(%error, "the store failed a page");
            Failure::Broken
        }
    }
}

/// What to do next on a page: where a refusal's own words are for the command line, it says what there is here.
pub(crate) fn next(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Private { .. } => {
            "tick in the form that its private hosts are granted; where there is no such tick, ask an administrator to do it"
        }
        other => other.hint(),
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match &error {
            RegistryError::NotFound { .. } => Self::NotFound {
                text: sentence(&error.to_string()),
            },
            RegistryError::Unauthenticated => Self::Forbidden {
                text: "This registry is for members".to_owned(),
                signed_in: false,
            },
            RegistryError::Forbidden { .. } => Self::Forbidden {
                text: sentence(&error.to_string()),
                signed_in: true,
            },
            RegistryError::Store(failed) => store(failed),
            RegistryError::Warming { .. } => Self::Warming {
                text: sentence(&error.to_string()),
            },
            other => Self::Invalid {
                text: sentence(&other.to_string()),
                hint: sentence(next(other)),
            },
        }
    }
}

impl From<InsightError> for Failure {
    fn from(error: InsightError) -> Self {
        match &error {
            InsightError::Forbidden { caller, .. } => Self::Forbidden {
                signed_in: &**caller != "anonymous",
                text: sentence(&error.to_string()),
            },
            InsightError::Store(failed) => store(failed),
            other => Self::Invalid {
                text: sentence(&other.to_string()),
                hint: sentence(other.hint()),
            },
        }
    }
}

impl From<WebhookError> for Failure {
    fn from(error: WebhookError) -> Self {
        match &error {
            WebhookError::Forbidden { caller } | WebhookError::PrivateHosts { caller } => Self::Forbidden {
                signed_in: &**caller != "anonymous",
                text: sentence(&error.to_string()),
            },
            WebhookError::Store(failed) => store(failed),
            WebhookError::NotFound { .. } => Self::page_not_found(),
            other => Self::Invalid {
                text: sentence(&other.to_string()),
                hint: sentence(other.hint()),
            },
        }
    }
}

impl From<OauthError> for Failure {
    /// A request that cannot be answered by a redirect: nobody knows yet where that would lead.
    fn from(error: OauthError) -> Self {
        match error.code {
            OauthCode::TemporarilyUnavailable => Self::Unavailable,
            _ => Self::Client {
                text: sentence(&error.description),
            },
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match &error {
            AccessError::LinkSpent => Self::Link,
            AccessError::Forbidden { .. } | AccessError::MayNotDecide { .. } => Self::Forbidden {
                text: sentence(&error.to_string()),
                signed_in: true,
            },
            AccessError::NotFound { what } if what.starts_with("user ") => Self::NotFound {
                text: sentence(&error.to_string()),
            },
            AccessError::NotFound { .. } => Self::page_not_found(),
            AccessError::Store(failed) => store(failed),
            AccessError::Audit(failed) => {
                tracing::error!(error = %failed, "the audit log failed a page");
                Self::Unavailable
            }
            other => Self::Invalid {
                text: sentence(&other.to_string()),
                hint: sentence(other.hint()),
            },
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        let (text, hint) = (sentence(&error.to_string()), sentence(error.hint()));
        let status = match error {
            LoginError::Access(error) => return error.into(),
            LoginError::Shared(cause) => {
                tracing::error!(error = %cause, "the shared state failed a page");
                return Self::Unavailable;
            }
            LoginError::Password(_) | LoginError::State(_) => return Self::Invalid { text, hint },
            LoginError::UnknownProvider(_) => StatusCode::NOT_FOUND,
            LoginError::Provider(ProviderError::Unreachable { .. } | ProviderError::Misconfigured { .. }) => {
                StatusCode::BAD_GATEWAY
            }
            LoginError::NotBegunHere | LoginError::Provider(_) => StatusCode::BAD_REQUEST,
            LoginError::TooFast { .. } => StatusCode::TOO_MANY_REQUESTS,
            LoginError::Disabled | LoginError::Wrong => StatusCode::FORBIDDEN,
        };
        Self::SignIn { status, text, hint }
    }
}
