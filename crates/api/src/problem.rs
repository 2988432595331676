//! Refusals and failures as RFC 9457 documents. The only place that turns an error into an HTTP status.
//!
//! Handlers return errors of the rooms with `?`; they arrive here. The body is the union of what readers expect: RFC
//! 9457 (`title`, `status`, `detail`), the official registry (`errors[].message`), its specification (`error`), and
//! our `hint`.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use portreeve_access::{AccessError, LoginError};
use portreeve_core::oauth::Scopes;
use portreeve_core::ports::{SecretUnavailable, StoreError};
use portreeve_insight::{InsightError, WebhookError};
use portreeve_registry::RegistryError;
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which trying again makes sense when the store is away.
const RETRY_AFTER: &str = "5";

/// A refusal or a failure, on its way to the caller.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Box<ProblemBody>,
    challenge: Option<Cow<'static, str>>,
    wait: Option<Duration>,
}

/// A refusal or a failure (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, with the value in backticks.
    detail: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Every single problem, when the request's content is wrong.
    errors: Vec<ProblemItem>,
    /// The same as `detail`, for readers of the registry's specification.
    error: String,
}

/// One single problem of a request's content.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemItem {
    /// Where it is: `remotes[0].url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// What is wrong there.
    pub(crate) message: String,
}

/// The media type of the body.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

// === impl Problem ===

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            status,
            body: Box::new(ProblemBody {
                title: status.canonical_reason().unwrap_or("Error"),
                status: status.as_u16(),
                error: detail.clone(),
                detail,
                hint: None,
                errors: Vec::new(),
            }),
            challenge: None,
            wait: None,
        }
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }

    /// Adds the single problems.
    #[must_use]
    pub(crate) fn items(mut self, items: impl IntoIterator<Item = ProblemItem>) -> Self {
        self.body.errors.extend(items);
        self
    }

    /// The request is not one that can be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The request was understood, but its content is wrong at one place.
    pub(crate) fn unprocessable(path: impl Into<String>, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        let detail = if path.is_empty() {
            message.clone()
        } else {
            format!("`{path}`: {message}")
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail).items([ProblemItem {
            path: Some(path).filter(|path| !path.is_empty()),
            message,
        }])
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} does not exist"))
    }

    /// There is no such path.
    pub(crate) fn no_such_path(path: &str) -> Self {
        let path: String = path.chars().take(200).collect();
        Self::new(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`"))
            .hint("the management API is described at /api/v1/openapi.json")
    }

    /// The path exists, but not with this method.
    pub(crate) fn method_not_allowed(method: &http::Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("`{method}` is not possible here"),
        )
        .hint("the header `Allow` says what is")
    }

    /// No credential, or one that does not work.
    pub(crate) fn unauthenticated(challenge: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, detail)
            .hint("send an API key as `Authorization: Bearer prv_...`; `portreeve key create` makes one");
        problem.challenge = Some(challenge.into());
        problem
    }

    /// The same at a protected resource (RFC 9728, section 5.1): who is not let in learns where its metadata are.
    #[must_use]
    pub(crate) fn at_resource(mut self, metadata: &str, scopes: &Scopes) -> Self {
        if let Some(challenge) = self.challenge {
            let gap = if challenge.contains(' ') { ", " } else { " " };
            let more = format!("{challenge}{gap}resource_metadata=\"{metadata}\", scope=\"{scopes}\"");
            self.challenge = Some(more.into());
        }
        self
    }

    /// The caller is known, and may not.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        if let Some(wait) = self.wait {
            // Whole seconds, and never too early.
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            if let Ok(seconds) = HeaderValue::try_from(seconds.to_string()) {
                headers.insert(header::RETRY_AFTER, seconds);
            }
        }
        if let Some(challenge) = self.challenge
            && let Ok(challenge) = HeaderValue::try_from(challenge.as_ref())
        {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

// === from the rooms' errors ===

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::new(StatusCode::CONFLICT, error.to_string())
                .hint("read it again, and repeat the change if it still makes sense"),
            StoreError::NotFound { what } => Self::not_found(what),
            // A missing database must never look like a missing server: hosts take a 404 for the registry's verdict.
            StoreError::Unavailable(cause) => {
                tracing::error!(error = %cause, "The store is not available.");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the store is not available")
                    .hint("try again; `portreeve doctor` says what is wrong")
            }
            StoreError::Corrupt { .. } => {
                tracing::error!(%error, "The store holds something that cannot be read.");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
                    .hint("`portreeve doctor` says what is wrong")
            }
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        let status = match error {
            RegistryError::Store(error) => return error.into(),
            RegistryError::Invalid(problems) => {
                return Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                    .items(problems.into_iter().map(ProblemItem::from))
                    .hint(hint);
            }
            RegistryError::Unauthenticated => return Self::unauthenticated("Bearer", detail),
            RegistryError::TooFast { wait, .. } => {
                return Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
                    .hint(hint)
                    .wait(wait);
            }
            RegistryError::Warming { .. } => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                    .hint(hint)
                    .wait(Duration::from_secs(1));
            }
            RegistryError::NotFound { .. } => StatusCode::NOT_FOUND,
            RegistryError::Forbidden { .. } | RegistryError::Namespace { .. } => StatusCode::FORBIDDEN,
            RegistryError::Conflict { .. } | RegistryError::State { .. } => StatusCode::CONFLICT,
            RegistryError::Refused(_) | RegistryError::Private { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            // This API works; what it asked for does not. A 502 would have its caller look here.
            RegistryError::Unseen { .. } => StatusCode::FAILED_DEPENDENCY,
            RegistryError::BadCursor => StatusCode::BAD_REQUEST,
        };
        Self::new(status, detail).hint(hint)
    }
}

impl From<portreeve_registry::Problem> for ProblemItem {
    fn from(problem: portreeve_registry::Problem) -> Self {
        Self {
            path: Some(problem.path).filter(|path| !path.is_empty()),
            message: problem.message,
        }
    }
}

impl Problem {
    /// A refused question to the registry API. The official registry answers 422 to a wrong limit and 400 to any other
    /// wrong parameter.
    pub(crate) fn of_query(error: RegistryError) -> Self {
        let wrong_limit =
            matches!(&error, RegistryError::Invalid(problems) if problems.iter().any(|p| p.path == "limit"));
        let is_wrong = matches!(error, RegistryError::Invalid(_));
        let mut problem = Self::from(error);
        if is_wrong && !wrong_limit {
            problem.set_status(StatusCode::BAD_REQUEST);
        }
        problem
    }

    /// A refused publication. The official registry answers 400 to what stands against the state of things.
    pub(crate) fn of_publication(error: RegistryError) -> Self {
        let against_the_state = matches!(error, RegistryError::State { .. });
        let about_the_document = matches!(error, RegistryError::Invalid(_));
        let mut problem = Self::from(error);
        if against_the_state {
            problem.set_status(StatusCode::BAD_REQUEST);
        }
        if about_the_document {
            problem =
                problem.hint("POST the document to /v0.1/validate: it lists every problem with its place");
        }
        problem
    }

    fn set_status(&mut self, status: StatusCode) {
        self.status = status;
        self.body.status = status.as_u16();
        self.body.title = status.canonical_reason().unwrap_or("Error");
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        let status = match error {
            AccessError::Store(error) => return error.into(),
            AccessError::Invalid { field, problem, .. } => {
                return Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                    .items([ProblemItem {
                        path: Some(field.to_owned()),
                        message: problem.to_owned(),
                    }])
                    .hint(hint);
            }
            AccessError::Rejected { field, problem } => {
                return Self::unprocessable(field, problem).hint(hint);
            }
            AccessError::Forbidden { .. } | AccessError::MayNotDecide { .. } => StatusCode::FORBIDDEN,
            AccessError::NameTaken { .. } | AccessError::InUse { .. } | AccessError::Decided => {
                StatusCode::CONFLICT
            }
            AccessError::NotFound { .. } => StatusCode::NOT_FOUND,
            AccessError::LinkSpent => StatusCode::UNAUTHORIZED,
            AccessError::Seal | AccessError::NoSigningKey => StatusCode::INTERNAL_SERVER_ERROR,
            AccessError::Audit(cause) => {
                tracing::error!(error = %cause, "The audit log cannot be written.");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, detail).hint(hint)
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        let status = match error {
            LoginError::Access(error) => return error.into(),
            LoginError::TooFast { wait } => {
                return Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
                    .hint(hint)
                    .wait(wait);
            }
            LoginError::Shared(cause) => {
                tracing::error!(error = %cause, "The shared state is not available.");
                StatusCode::SERVICE_UNAVAILABLE
            }
            LoginError::UnknownProvider(_) => StatusCode::NOT_FOUND,
            LoginError::NotBegunHere | LoginError::Provider(_) => StatusCode::BAD_REQUEST,
            LoginError::Disabled | LoginError::Wrong => StatusCode::FORBIDDEN,
            LoginError::Password(_) => StatusCode::UNPROCESSABLE_ENTITY,
            LoginError::State(_) => StatusCode::CONFLICT,
        };
        Self::new(status, detail).hint(hint)
    }
}

impl From<InsightError> for Problem {
    fn from(error: InsightError) -> Self {
        let hint = error.hint();
        match error {
            InsightError::Forbidden { .. } => Self::forbidden(error.to_string()).hint(hint),
            InsightError::EmptyRange { .. } => Self::bad_request(error.to_string()).hint(hint),
            InsightError::Store(error) => error.into(),
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        let status = match error {
            WebhookError::Store(error) | WebhookError::Secret(SecretUnavailable::Store(error)) => {
                return error.into();
            }
            WebhookError::Forbidden { .. } | WebhookError::PrivateHosts { .. } => {
                return Self::forbidden(detail).hint(hint);
            }
            WebhookError::Invalid(problems) => {
                let items = problems.into_iter().map(|problem| ProblemItem {
                    path: Some(problem.path.to_owned()),
                    message: problem.message,
                });
                return Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                    .items(items)
                    .hint(hint);
            }
            WebhookError::NotFound { .. } => StatusCode::NOT_FOUND,
            WebhookError::Conflict { .. } => StatusCode::CONFLICT,
            WebhookError::Refused(_) | WebhookError::Secret(_) | WebhookError::NoKey { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
        };
        Self::new(status, detail).hint(hint)
    }
}
