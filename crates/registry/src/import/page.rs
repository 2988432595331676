//! One page of a registry: asked for, several times if it must be, and read within its limits.
//!
//! Before: `fetch` says where the run stands. After: it takes the records of the page in.

use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use portreeve_core::limits::Limits;
use portreeve_core::login::Presented;
use portreeve_net::{Reach, read_body};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::value::RawValue;
use url::Url;

use super::position::Position;
use crate::registry::Registry;

/// How often a page is asked for before the run ends there.
const ATTEMPTS: u32 = 4;
/// Records that a page is asked for. The official registry gives no more.
const PAGE: &str = "100";

/// A page as the API sends it.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    servers: Option<&'a RawValue>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default, rename = "nextCursor", alias = "next_cursor")]
    next_cursor: Option<String>,
}

/// A page, each record as its own text.
pub(super) struct Page {
    pub(super) servers: Vec<String>,
    pub(super) next: Option<String>,
}

/// Where pages are asked for.
pub(super) struct Source {
    pub(super) base: Url,
    pub(super) reach: Reach,
    pub(super) presented: Option<Presented>,
}

/// How a page failed.
enum Failed {
    /// Asking again may help.
    Again(String),
    /// It will not.
    ForGood(String),
}

// === impl Page ===

impl Page {
    fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Failed> {
        let no_page = |error: serde_json::Error| {
            Failed::Again(format!("the page is not what a registry sends: {error}"))
        };
        let sent: Sent<'_> = serde_json::from_slice(bytes).map_err(no_page)?;
        let servers = match sent.servers {
            // What is wrong with a page as a whole may be mended; that it is too long is how this registry is.
            Some(servers) => items_of(servers, limits.import_page_records).map_err(|error| {
                if error.is_data() {
                    Failed::ForGood(format!("the page cannot be taken in: {error}"))
                } else {
                    no_page(error)
                }
            })?,
            None => Vec::new(),
        };
        Ok(Self {
            servers: servers
                .into_iter()
                .map(|server| server.get().to_owned())
                .collect(),
            next: sent.metadata.next_cursor.filter(|cursor| !cursor.is_empty()),
        })
    }
}

// === impl Registry ===

impl Registry {
    /// One page, asked for several times if it must be.
    pub(super) async fn page(&self, source: &Source, position: &Position) -> Result<Page, String> {
        let url = page_url(&source.base, position);
        let mut pause = self.parts.limits.import_retry;
        let mut attempt = 1;
        loop {
            match self.ask(&url, source).await {
                Ok(page) => return Ok(page),
                Err(Failed::ForGood(reason)) => return Err(reason),
                Err(Failed::Again(reason)) if attempt == ATTEMPTS => {
                    return Err(format!("{reason}; it was asked {ATTEMPTS} times"));
                }
                Err(Failed::Again(reason)) => {
                    tracing::debug!(%reason, attempt, "A page of a registry could not be read.");
                    attempt += 1;
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
            }
        }
    }

    async fn ask(&self, url: &Url, source: &Source) -> Result<Page, Failed> {
        let limits = &self.parts.limits;
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json");
        if let Some(presented) = &source.presented {
            let value = HeaderValue::try_from(presented.value.expose());
            let mut value =
                value.map_err(|_| Failed::ForGood("the secret cannot stand in a header".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(presented.header.as_str(), value);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|error| Failed::ForGood(error.to_string()))?;
        let response = self
            .parts
            .egress
            .send(request, &source.reach, limits.import_page)
            .await
            .map_err(|error| Failed::Again(error.to_string()))?;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let reason = format!("the registry answers {}", head.status.as_u16());
            return Err(match head.status {
                StatusCode::BAD_REQUEST
                | StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND => Failed::ForGood(reason),
                _ => Failed::Again(reason),
            });
        }
        let bytes = read_body(body, limits.import_page_bytes, limits.import_page)
            .await
            .map_err(|error| Failed::Again(error.to_string()))?;
        Page::read(&bytes, limits)
    }
}

fn page_url(base: &Url, position: &Position) -> Url {
    let mut url = base.clone();
    let path = format!("{}/v0.1/servers", base.path().trim_end_matches('/'));
    url.set_path(&path);
    let mut query = url.query_pairs_mut();
    query.append_pair("limit", PAGE);
    match position.since {
        // What was deleted comes with it.
        Some(since) => query.append_pair("updated_since", &since.to_string()),
        None => query.append_pair("include_deleted", "true"),
    };
    if let Some(cursor) = &position.cursor {
        query.append_pair("cursor", cursor);
    }
    drop(query);
    url
}

/// The items of a list, each as its own text. No more are read than may be there.
pub(super) fn items_of(list: &RawValue, most: usize) -> Result<Vec<&RawValue>, serde_json::Error> {
    struct AtMost(usize);

    impl<'de> Visitor<'de> for AtMost {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {} records", self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                if items.len() == self.0 {
                    return Err(serde::de::Error::invalid_length(items.len() + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    serde_json::Deserializer::from_str(list.get()).deserialize_seq(AtMost(most))
}

#[cfg(test)]
mod tests {
    use portreeve_core::time::Timestamp;

    use super::super::fetch::base_of;
    use super::*;

    #[test]
    fn a_page_is_asked_for_with_what_was_asked_before() {
        let base = base_of("https://r.example/x").unwrap();
        let first = page_url(&base, &Position::default());
        assert_eq!(
            first.as_str(),
            "https://r.example/x/v0.1/servers?limit=100&include_deleted=true"
        );
        let later = Position {
            cursor: Some("a/b:1+c".to_owned()),
            since: Some(Timestamp::from_millis(0)),
            begun: None,
        };
        assert_eq!(
            page_url(&base, &later).query(),
            Some("limit=100&updated_since=1970-01-01T00%3A00%3A00.000Z&cursor=a%2Fb%3A1%2Bc")
        );
    }

    #[test]
    fn a_page_holds_no_more_records_than_it_may() {
        let limits = Limits::for_tests();
        let page = |records: usize| {
            let text = format!(r#"{{"servers":[{}]}}"#, vec!["{}"; records].join(","));
            Page::read(text.as_bytes(), &limits).map(|page| page.servers.len())
        };
        let most = limits.import_page_records;
        assert!(matches!(page(most), Ok(count) if count == most));
        match page(most + 1) {
            Err(Failed::ForGood(reason)) => assert!(reason.contains(&most.to_string()), "{reason}"),
            _ => panic!("a longer page is refused"),
        }
        assert!(matches!(Page::read(b"{", &limits), Err(Failed::Again(_))));
        assert!(matches!(Page::read(b"{}", &limits), Ok(page) if page.servers.is_empty()));
    }
}
