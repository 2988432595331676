//! Asks whether links answer: what a document and people name for who wants to know more. Nothing of the answers is read.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Method, Request, StatusCode, header};
use portreeve_core::profile::Profile;
use portreeve_mcp::server_json::PUBLISHER_META;
use portreeve_net::{Egress, NetError, Reach};
use serde_json::{Map, Value};
use url::Url;

/// Links of one version that are asked.
const MOST: usize = 10;
/// Links that are asked at once.
const AT_ONCE: usize = 5;

/// A link that does not lead anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) path: String,
    /// What shows it: a status, or why there was none.
    pub(crate) evidence: String,
}

/// The links of a version with where they stand, each address once.
pub(in crate::assess) fn named(document: &Map<String, Value>, profile: &Profile) -> Vec<(String, Url)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let publisher = document.get("_meta").and_then(|meta| meta.get(PUBLISHER_META));
    let mut all = vec![
        ("websiteUrl".to_owned(), text(document.get("websiteUrl"))),
        (
            "repository.url".to_owned(),
            text(document.get("repository").and_then(|it| it.get("url"))),
        ),
        (
            "_meta.license".to_owned(),
            text(publisher.and_then(|it| it.get("license"))),
        ),
        ("profile.license".to_owned(), profile.license.clone()),
    ];
    for (at, contact) in profile.contacts.iter().enumerate() {
        all.push((format!("profile.contacts[{at}].url"), contact.url.clone()));
    }
    for (at, page) in profile.external_docs.iter().enumerate() {
        all.push((format!("profile.externalDocs[{at}].url"), Some(page.url.clone())));
    }
    let mut known = BTreeSet::new();
    let links = all.into_iter().filter_map(|(path, link)| {
        // A licence may be an expression, which leads nowhere and need not.
        let url = Url::parse(&link?).ok().filter(|url| url.scheme() == "https")?;
        known.insert(url.to_string()).then_some((path, url))
    });
    links.take(MOST).collect()
}

/// Asks them all, and returns those that lead nowhere.
pub(in crate::assess) async fn broken(
    (egress, reach): (&Egress, &Reach),
    links: Vec<(String, Url)>,
    limit: Duration,
) -> Vec<Broken> {
    let asked = futures_util::stream::iter(links).map(async |(path, url)| {
        let evidence = ask((egress, reach), &url, limit).await?;
        Some(Broken { path, evidence })
    });
    let answers: Vec<Option<Broken>> = asked.buffered(AT_ONCE).collect().await;
    answers.into_iter().flatten().collect()
}

/// What shows that a link leads nowhere. Who answers that one must sign in, or ask less often, is there.
async fn ask(to: (&Egress, &Reach), url: &Url, limit: Duration) -> Option<String> {
    let mut status = head(to, url, Method::HEAD, limit).await;
    // Some servers know nothing but GET. Its body is not read.
    if matches!(
        status,
        Ok(StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED | StatusCode::NOT_FOUND)
    ) {
        status = head(to, url, Method::GET, limit).await;
    }
    match status {
        Ok(StatusCode::NOT_FOUND | StatusCode::GONE) => Some(format!("{url}: 404 or 410")),
        Ok(status) if status.is_server_error() => Some(format!("{url}: {}", status.as_u16())),
        Ok(_) => None,
        Err(error) => Some(error.to_string().chars().take(200).collect()),
    }
}

async fn head(
    (egress, reach): (&Egress, &Reach),
    url: &Url,
    method: Method,
    limit: Duration,
) -> Result<StatusCode, NetError> {
    let request = Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(header::ACCEPT_ENCODING, "identity")
        .body(Bytes::new());
    let Ok(request) = request else {
        // What is no address of a request is told by the reader of the document.
        return Ok(StatusCode::OK);
    };
    Ok(egress.send(request, reach, limit).await?.status())
}

#[cfg(test)]
mod tests {
    use portreeve_core::profile::{Contact, ExternalDocument};
    use serde_json::json;

    use super::*;

    #[test]
    fn links_are_taken_from_the_document_and_from_what_people_say_each_once() {
        let document = json!({
            "websiteUrl": "https://acme.example", "repository": {"url": "https://git.example/acme"},
            "_meta": {PUBLISHER_META: {"license": "https://acme.example/license"}},
        });
        let page = |url: &str| ExternalDocument {
            title: "Manual".to_owned(),
            url: url.to_owned(),
        };
        let profile = Profile {
            license: Some("MIT OR Apache-2.0".to_owned()),
            contacts: vec![Contact {
                name: "Desk".to_owned(),
                email: None,
                url: Some("https://acme.example/desk".to_owned()),
            }],
            external_docs: vec![
                page("https://acme.example"),
                page("http://acme.example/plain"),
                page("https://acme.example/manual"),
            ],
            ..Profile::default()
        };
        let paths: Vec<String> = named(document.as_object().unwrap(), &profile)
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            paths,
            [
                "websiteUrl",
                "repository.url",
                "_meta.license",
                "profile.contacts[0].url",
                "profile.externalDocs[2].url"
            ]
        );
    }
}
