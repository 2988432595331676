//! The way to a running Portreeve: its URL, the caller's key, one request at a time.
//!
//! Commands build paths with `api_path!` and hand them over; answers that are not a success become a
//! [`Failure`] with the reason and the hint that the server gave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portreeve_core::secret::Secret;
use portreeve_net::{Egress, EgressConfig, Reach, read_body};
use serde_json::Value;
use url::Url;

use super::Global;
use super::failure::Failure;

/// Time to the head of an answer. Approving probes the upstream first, which may take ten seconds.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Silence after which an answer's body counts as broken off.
const BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest answer that is read.
const BODY_BYTES: usize = 64 * 1024 * 1024;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as one segment of a path: `com.acme/billing` becomes `com.acme%2Fbilling`.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path of the management API whose placeholders are encoded as segments.
macro_rules! api_path {
    ($pattern:literal $(, $part:expr)* $(,)?) => {
        format!(concat!("/api/v1/", $pattern) $(, $crate::cli::connection::segment($part.as_ref()))*)
    };
}
pub(crate) use api_path;

/// A running Portreeve and the caller's key for it.
#[derive(Debug)]
pub(crate) struct Connection {
    base: Url,
    credential: Credential,
    egress: Egress,
}

/// What is known about the caller's key.
#[derive(Debug)]
enum Credential {
    Key(Secret),
    /// There is none: where it was looked for, and why it could not be read.
    Missing {
        file: PathBuf,
        reason: String,
    },
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its body.
    pub(crate) body: Value,
    /// Its `ETag`, to be sent back as `If-Match`.
    pub(crate) etag: Option<String>,
}

// === impl Connection ===

impl Connection {
    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        if !matches!(global.url.scheme(), "http" | "https") {
            return Err(
                Failure::new(format!("`{}` is not an http or https URL", global.url))
                    .hint("name the running Portreeve with --url, as in `--url http://127.0.0.1:8080`"),
            );
        }
        let egress = Egress::new(&EgressConfig::default())
            .map_err(|error| Failure::new(format!("cannot prepare connections: {error}")))?;
        let credential = match &global.key {
            Some(key) => Credential::Key(key.clone()),
            None => Credential::from_file(&global.data_directory().join("admin.key")),
        };
        Ok(Self {
            base: global.url.clone(),
            credential,
            egress,
        })
    }

    /// The caller's key, if there is one.
    pub(crate) fn key(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Key(key) => Some(key),
            Credential::Missing { .. } => None,
        }
    }

    /// The running Portreeve's URL.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The way out.
    pub(crate) fn egress(&self) -> &Egress {
        &self.egress
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, None, None).await
    }

    /// `POST`, with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// `PATCH`, with a JSON body, of the thing as it was when it had this `ETag`.
    pub(crate) async fn patch(&self, path: &str, body: &Value, etag: &str) -> Result<Answer, Failure> {
        self.send(Method::PATCH, path, Some(body), Some(etag)).await
    }

    /// `PUT`, with a JSON body, in the place of the thing as it was when it had this `ETag`.
    pub(crate) async fn put(&self, path: &str, body: &Value, etag: &str) -> Result<Answer, Failure> {
        self.send(Method::PUT, path, Some(body), Some(etag)).await
    }

    /// `DELETE`.
    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, path, None, None).await
    }

    /// All pages of a list as one list. `path` may have a query.
    pub(crate) async fn all(&self, path: &str) -> Result<Value, Failure> {
        let mut list = self.get(path).await?.body;
        while let Some(cursor) = next_cursor(&list) {
            let separator = if path.contains('?') { '&' } else { '?' };
            let next = format!("{path}{separator}cursor={}", segment(&cursor));
            let mut page = self.get(&next).await?.body;
            if next_cursor(&page).as_ref() == Some(&cursor) {
                return Err(self.foreign("the same page came twice"));
            }
            append(&mut list, &mut page);
        }
        Ok(list)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<Answer, Failure> {
        let request = self.request(method, path, body, etag)?;
        let response = self
            .egress
            .send(request, &Reach::Operator, HEAD_TIMEOUT)
            .await
            .map_err(|error| self.unreachable(&error.to_string()))?;
        let (head, body) = response.into_parts();
        let bytes = read_body(body, BODY_BYTES, BODY_TIMEOUT)
            .await
            .map_err(|error| self.unreachable(&error.to_string()))?;
        if !head.status.is_success() {
            return Err(self.refused(&head, &bytes));
        }
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| self.foreign("the answer is not JSON"))?
        };
        let etag = head.headers.get(header::ETAG);
        let etag = etag.and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Answer { body, etag })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<Request<Bytes>, Failure> {
        let uri = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::ACCEPT, "application/json, application/problem+json");
        if let Some(key) = self.key() {
            let mut value =
                http::HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(|_| {
                    Failure::new("the key holds characters that no key has")
                        .hint("a key looks like `prv_...`: copy it again")
                })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map_or_else(Bytes::new, |value| Bytes::from(value.to_string()));
        request
            .body(bytes)
            .map_err(|error| Failure::new(format!("cannot build a request for `{}`: {error}", self.base)))
    }

    fn unreachable(&self, reason: &str) -> Failure {
        Failure::new(format!("cannot reach Portreeve at {}: {reason}", self.base))
            .hint("start it with `portreeve serve`, or name a running one with --url or PORTREEVE_URL")
    }

    fn foreign(&self, reason: &str) -> Failure {
        Failure::new(format!(
            "{} does not answer as Portreeve does: {reason}",
            self.base
        ))
        .hint("check --url and PORTREEVE_URL: they name the URL that `portreeve serve` prints")
    }

    fn refused(&self, head: &http::response::Parts, bytes: &[u8]) -> Failure {
        let problem: Option<Value> = serde_json::from_slice(bytes).ok();
        let member = |name| problem.as_ref().and_then(|p| p.get(name)).and_then(Value::as_str);
        let Some(reason) = member("detail").or_else(|| member("title")) else {
            return self.foreign(&head.status.to_string());
        };
        let failure = Failure::new(reason)
            .details(details(problem.as_ref()))
            .of_content_if(head.status == StatusCode::UNPROCESSABLE_ENTITY);
        let failure = match member("hint") {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        match &self.credential {
            Credential::Missing { file, reason } if head.status == StatusCode::UNAUTHORIZED => failure.hint(format!(
                "no key was given, and `{}` cannot be read ({reason}): pass --key, set PORTREEVE_KEY, or name the data directory of `portreeve serve` with --data",
                file.display()
            )),
            _ => failure,
        }
    }
}

// === impl Credential ===

impl Credential {
    fn from_file(file: &Path) -> Self {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::Key(Secret::new(text.trim())),
            Err(error) => Self::Missing {
                file: file.to_owned(),
                reason: error.kind().to_string(),
            },
        }
    }
}

fn next_cursor(list: &Value) -> Option<String> {
    list.get("nextCursor").and_then(Value::as_str).map(str::to_owned)
}

fn append(list: &mut Value, page: &mut Value) {
    let more = page
        .get_mut("items")
        .and_then(Value::as_array_mut)
        .map(std::mem::take);
    if let (Some(items), Some(mut more)) = (list.get_mut("items").and_then(Value::as_array_mut), more) {
        items.append(&mut more);
    }
    if let Some(list) = list.as_object_mut() {
        let cursor = page.get("nextCursor").cloned().unwrap_or(Value::Null);
        list.insert("nextCursor".to_owned(), cursor);
    }
}

/// The single problems of a refusal. One alone is what the reason says already.
fn details(problem: Option<&Value>) -> Vec<String> {
    let errors = problem.and_then(|p| p.get("errors")).and_then(Value::as_array);
    let errors = errors.filter(|errors| errors.len() > 1);
    let line = |error: &Value| {
        let member = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
        match (member("path"), member("message")) {
            ("", message) => message.to_owned(),
            (path, message) => format!("`{path}`: {message}"),
        }
    };
    errors.into_iter().flatten().map(line).collect()
}
