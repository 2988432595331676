//! Follows the trail of a server that answers 401: challenge, protected resource, authorization servers. Everything is
//! fetched through `net`, bounded in bytes and time, and nothing is presented to anybody.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use portreeve_net::{Egress, Reach, read_body};
use serde_json::{Map, Value, json};
use url::Url;

use super::super::Severity;
use super::{Fault, Issuer, Trail};

/// Bytes of one document.
const DOCUMENT: usize = 256 * 1024;
/// Authorization servers that are looked at.
const ISSUERS: usize = 3;
/// Characters of evidence.
const EVIDENCE: usize = 160;

/// Where the trail is followed.
pub(in crate::assess) struct Follow<'a> {
    pub(in crate::assess) egress: &'a Egress,
    /// How far requests for the entry may go.
    pub(in crate::assess) reach: &'a Reach,
    /// For one request.
    pub(in crate::assess) limit: Duration,
}

/// A document, or why there is none.
enum Fetched {
    Document(Map<String, Value>),
    Nothing(String),
}

impl Follow<'_> {
    /// Asks without a credential. `None` when none is asked for, or when the server does not answer at all, which others
    /// tell.
    pub(in crate::assess) async fn follow(&self, server: &Url) -> Option<Trail> {
        let challenge = self.challenge(server).await?;
        let mut trail = Trail::default();
        let Some((place, resource)) = self.resource(server, &challenge, &mut trail).await else {
            return Some(trail);
        };
        self.judge_resource(server, (&place, &resource), &mut trail);
        let issuers = resource.get("authorization_servers").and_then(Value::as_array);
        let issuers = issuers.into_iter().flatten().filter_map(Value::as_str);
        let mut known = 0;
        for issuer in issuers.take(ISSUERS) {
            known += 1;
            self.issuer(issuer, &mut trail).await;
        }
        if known == 0 {
            let message = "names no authorization server, so nobody can get a credential";
            trail.note((Severity::Medium, "resource"), message, place);
        }
        Some(trail)
    }

    /// The headers of a 401.
    async fn challenge(&self, server: &Url) -> Option<HeaderMap> {
        // Nothing that would open a session: who asks for a credential does so before reading on.
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let request = Request::builder()
            .method(Method::POST)
            .uri(server.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Bytes::from(body.to_string()))
            .ok()?;
        let answer = self.egress.send(request, self.reach, self.limit).await.ok()?;
        (answer.status() == StatusCode::UNAUTHORIZED).then(|| answer.headers().clone())
    }

    /// The metadata of the protected resource: where the challenge says, or at the well-known places.
    async fn resource(
        &self,
        server: &Url,
        challenge: &HeaderMap,
        trail: &mut Trail,
    ) -> Option<(String, Map<String, Value>)> {
        let named = named(challenge);
        if named.is_none() {
            let shown = challenge.get(header::WWW_AUTHENTICATE);
            let shown = shown.map_or("no `WWW-Authenticate`", |value| {
                value.to_str().unwrap_or("no text")
            });
            let message = "answers 401 without `resource_metadata`, which most hosts need to find the way";
            trail.note((Severity::Low, "challenge"), message, shown);
        }
        let places = match named {
            Some(place) => vec![place],
            None => well_known(server, "oauth-protected-resource"),
        };
        let mut tried = Vec::new();
        for place in places {
            let url = self.checked(&place, "resource", trail)?;
            match self.fetch(&url).await {
                Fetched::Document(document) => return Some((place, document)),
                Fetched::Nothing(why) => tried.push(format!("{place}: {why}")),
            }
        }
        let message = "the metadata of the protected resource (RFC 9728) cannot be read";
        trail.note((Severity::Medium, "resource"), message, tried.join("; "));
        None
    }

    fn judge_resource(
        &self,
        server: &Url,
        (place, document): (&str, &Map<String, Value>),
        trail: &mut Trail,
    ) {
        let resource = document
            .get("resource")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_same = Url::parse(resource).is_ok_and(|resource| resource == *server);
        if !is_same {
            let message = "says that it is about another resource than this URL, so hosts must refuse it";
            trail.note(
                (Severity::Medium, "resource"),
                message,
                format!("{place}: `resource` is `{resource}`"),
            );
        }
    }

    /// The metadata of one authorization server.
    async fn issuer(&self, issuer: &str, trail: &mut Trail) {
        trail.issuers.push(Issuer {
            name: issuer.to_owned(),
            ..Issuer::default()
        });
        let Some(url) = self.checked(issuer, "issuer", trail) else {
            return;
        };
        let mut tried = Vec::new();
        for place in metadata_places(&url) {
            let Ok(at) = Url::parse(&place) else { continue };
            match self.fetch(&at).await {
                Fetched::Document(document) => {
                    let at = |field: &str| document.get(field).and_then(Value::as_str).map(str::to_owned);
                    if let Some(known) = trail.issuers.last_mut() {
                        known.authorization = at("authorization_endpoint");
                        known.token = at("token_endpoint");
                    }
                    return judge_issuer(issuer, (&place, &document), trail);
                }
                Fetched::Nothing(why) => tried.push(format!("{place}: {why}")),
            }
        }
        let message = "the metadata of the authorization server (RFC 8414, OpenID Connect) cannot be read";
        trail.note((Severity::Medium, "issuer"), message, tried.join("; "));
    }

    /// A URL as a document named it: https, unless it is a private host that this entry may reach.
    fn checked(&self, text: &str, step: &'static str, trail: &mut Trail) -> Option<Url> {
        let Ok(url) = Url::parse(text) else {
            trail.note((Severity::Medium, step), "names something that is no URL", text);
            return None;
        };
        if let Err(refused) = self.egress.check(&url, self.reach) {
            let message = "names a place that Portreeve does not go to";
            trail.note((Severity::Medium, step), message, refused.to_string());
            return None;
        }
        if url.scheme() != "https" {
            let message = "is read without TLS: whoever is on the way may change it";
            trail.note((Severity::Medium, step), message, text);
        }
        Some(url)
    }

    async fn fetch(&self, url: &Url) -> Fetched {
        let request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Bytes::new());
        let request = match request {
            Ok(request) => request,
            Err(error) => return Fetched::Nothing(error.to_string()),
        };
        let answer = match self.egress.send(request, self.reach, self.limit).await {
            Ok(answer) => answer,
            Err(error) => return Fetched::Nothing(error.to_string()),
        };
        if answer.status() != StatusCode::OK {
            return Fetched::Nothing(answer.status().as_u16().to_string());
        }
        match read_body(answer.into_body(), DOCUMENT, self.limit).await {
            Err(error) => Fetched::Nothing(error.to_string()),
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(Value::Object(document)) => Fetched::Document(document),
                _ => Fetched::Nothing("no JSON object".to_owned()),
            },
        }
    }
}

/// What is wrong with the metadata of an authorization server.
fn judge_issuer(issuer: &str, (place, document): (&str, &Map<String, Value>), trail: &mut Trail) {
    let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut note = |severity, message, evidence: String| trail.note((severity, "issuer"), message, evidence);
    if text("issuer") != issuer {
        let message = "the authorization server's metadata names another issuer, so hosts must refuse it";
        note(
            Severity::Medium,
            message,
            format!("{place}: `issuer` is `{}`", text("issuer")),
        );
    }
    for field in ["authorization_endpoint", "token_endpoint"] {
        let address = text(field);
        if address.is_empty() {
            let message = "the authorization server's metadata lacks an endpoint";
            note(Severity::Medium, message, format!("{place}: `{field}`"));
        } else if !address.starts_with("https://") && issuer.starts_with("https://") {
            let message = "an endpoint of the authorization server has no TLS";
            note(Severity::High, message, format!("`{field}` is `{address}`"));
        }
    }
    let methods = document.get("code_challenge_methods_supported");
    let has_s256 = methods
        .and_then(Value::as_array)
        .is_some_and(|methods| methods.iter().any(|method| method == "S256"));
    if !has_s256 {
        let shown = methods.map_or("nothing".to_owned(), Value::to_string);
        let message =
            "the authorization server does not say that it takes PKCE with S256, so hosts must refuse it";
        let evidence = format!("{place}: `code_challenge_methods_supported` is {shown}");
        note(Severity::Medium, message, evidence);
    }
}

impl Trail {
    fn note(
        &mut self,
        (severity, step): (Severity, &'static str),
        message: &'static str,
        evidence: impl Into<String>,
    ) {
        let evidence: String = evidence.into();
        self.faults.push(Fault {
            severity,
            step,
            message,
            evidence: evidence
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(EVIDENCE)
                .collect(),
        });
    }
}

/// `resource_metadata` of a Bearer challenge.
fn named(challenge: &HeaderMap) -> Option<String> {
    let values = challenge.get_all(header::WWW_AUTHENTICATE).iter();
    let mut values = values.filter_map(|value| value.to_str().ok());
    values.find_map(|value| {
        let (_, rest) = value.split_once("resource_metadata=")?;
        let text = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => rest.split([',', ' ']).next()?,
        };
        Some(text.to_owned()).filter(|text| !text.is_empty())
    })
}

/// The well-known places of a URL: with its path behind the name, and the host's own.
fn well_known(url: &Url, name: &str) -> Vec<String> {
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    let own = format!("{origin}/.well-known/{name}");
    if path.is_empty() {
        vec![own]
    } else {
        vec![format!("{own}{path}"), own]
    }
}

/// Where the metadata of an issuer may be, in the order in which hosts look.
fn metadata_places(issuer: &Url) -> Vec<String> {
    let origin = issuer.origin().ascii_serialization();
    let path = issuer.path().trim_end_matches('/');
    let mut places = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{origin}{path}/.well-known/openid-configuration"));
    }
    places
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn challenged(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"x\""),
        );
        headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        named(&headers)
    }

    #[test]
    fn a_challenge_names_its_metadata() {
        let place = Some("https://a.example/x".to_owned());
        assert_eq!(
            challenged("Bearer realm=\"a\", resource_metadata=\"https://a.example/x\", scope=\"r\""),
            place
        );
        assert_eq!(
            challenged("Bearer resource_metadata=https://a.example/x, scope=r"),
            place
        );
        assert_eq!(challenged("Bearer error=\"invalid_token\""), None);
        assert_eq!(challenged("Bearer resource_metadata=\"\""), None);
    }

    #[test]
    fn metadata_is_where_hosts_look_for_it() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert_eq!(
            well_known(&url("https://a.example/s/mcp"), "oauth-protected-resource"),
            [
                "https://a.example/.well-known/oauth-protected-resource/s/mcp",
                "https://a.example/.well-known/oauth-protected-resource",
            ]
        );
        assert_eq!(
            metadata_places(&url("https://a.example/tenant")),
            [
                "https://a.example/.well-known/oauth-authorization-server/tenant",
                "https://a.example/.well-known/openid-configuration/tenant",
                "https://a.example/tenant/.well-known/openid-configuration",
            ]
        );
        assert_eq!(metadata_places(&url("https://a.example")).len(), 2);
    }

    #[test]
    fn a_good_issuer_has_no_faults() {
        let good = json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/a",
            "token_endpoint": "https://id.example/t", "code_challenge_methods_supported": ["S256"],
        });
        let faults = |change: &dyn Fn(&mut Value)| {
            let (mut trail, mut document) = (Trail::default(), good.clone());
            change(&mut document);
            let document = document.as_object().unwrap();
            judge_issuer("https://id.example", ("place", document), &mut trail);
            trail.faults.len()
        };
        assert_eq!(faults(&|_| {}), 0);
        assert_eq!(faults(&|it| it["issuer"] = json!("https://id.example/")), 1);
        assert_eq!(
            faults(&|it| it["token_endpoint"] = json!("http://id.example/t")),
            1
        );
        assert_eq!(
            faults(&|it| it["code_challenge_methods_supported"] = json!(["plain"])),
            1
        );
        assert_eq!(faults(&|it| *it = json!({})), 4);
    }
}
