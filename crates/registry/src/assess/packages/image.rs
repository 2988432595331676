//! The label of an image, by the distribution API of OCI: manifest, then configuration. A registry that asks for a token
//! tells where anybody gets one.

use http::{HeaderMap, StatusCode, header};
use portreeve_net::Reach;
use serde_json::Value;
use url::Url;

use super::ask::{Asker, Failed, below, parsed};

const LABEL: &str = "io.modelcontextprotocol.server.name";
/// What a manifest may be: of one image, or a list of those for several machines.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";
/// Registries that anybody may be asked about, and the zones of those that each customer has one of.
const PUBLIC: [&str; 4] = ["docker.io", "ghcr.io", "quay.io", "mcr.microsoft.com"];
const ZONES: [&str; 2] = [".pkg.dev", ".azurecr.io"];
/// Other places that a configuration may be fetched from.
const REDIRECTS: usize = 3;

/// An image, and where it is.
struct Image {
    origin: Url,
    repository: String,
    /// A tag or a digest.
    reference: String,
    /// Whether the operator named the registry, which then may be anywhere.
    is_own: bool,
}

/// The server that the label of an image names.
pub(super) async fn names(asker: &Asker<'_>, identifier: &str, version: &str) -> Result<Vec<String>, Failed> {
    let image = image(asker, identifier, version)?;
    let mut token = None;
    let mut manifest = image.manifest(asker, &image.reference, &mut token).await?;
    if let Some(inner) = of_one_machine(&manifest) {
        manifest = image.manifest(asker, &inner, &mut token).await?;
    }
    let digest = manifest.get("config").and_then(|config| config.get("digest"));
    let Some(digest) = digest.and_then(Value::as_str) else {
        return Err(Failed::Unasked("its manifest names no configuration".to_owned()));
    };
    let config = image.blob(asker, digest, token.as_deref()).await?;
    let labels = config.get("config").and_then(|config| config.get("Labels"));
    let label = labels.and_then(|labels| labels.get(LABEL));
    Ok(label
        .and_then(Value::as_str)
        .map(str::to_owned)
        .into_iter()
        .collect())
}

/// Takes `ghcr.io/acme/billing:1.0.0` apart, as container tools do.
fn image(asker: &Asker<'_>, identifier: &str, version: &str) -> Result<Image, Failed> {
    let (host, rest) = match identifier.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) => (host, rest.to_owned()),
        Some(_) => ("docker.io", identifier.to_owned()),
        None => ("docker.io", format!("library/{identifier}")),
    };
    let (repository, reference) = match rest.split_once('@') {
        Some((named, digest)) => (named.split(':').next().unwrap_or(named), digest),
        None => rest.split_once(':').unwrap_or((rest.as_str(), version)),
    };
    let reference = if reference.is_empty() { "latest" } else { reference };
    let own = asker.places.images.iter().find(|own| place_of(own) == host);
    let is_public = || is_host(host) && (PUBLIC.contains(&host) || is_in_zone(host));
    let origin = match own {
        Some(own) => own.clone(),
        None if host == "docker.io" => of_host("registry-1.docker.io")?,
        None if is_public() => of_host(host)?,
        None => {
            return Err(Failed::Unasked(format!(
                "`{host}` is no registry that is asked; name it in `assessment.packages.images`"
            )));
        }
    };
    Ok(Image {
        origin,
        repository: repository.to_owned(),
        reference: reference.to_owned(),
        is_own: own.is_some(),
    })
}

// === impl Image ===

impl Image {
    async fn manifest(
        &self,
        asker: &Asker<'_>,
        reference: &str,
        token: &mut Option<String>,
    ) -> Result<Value, Failed> {
        let url = self.at("manifests", reference)?;
        let mut answer = asker
            .head(
                &url,
                &self.reach(&url),
                &self.headers(token.as_deref(), MANIFESTS).pairs(),
            )
            .await?;
        if answer.status() == StatusCode::UNAUTHORIZED && token.is_none() {
            *token = Some(self.token(asker, answer.headers()).await?);
            answer = asker
                .head(
                    &url,
                    &self.reach(&url),
                    &self.headers(token.as_deref(), MANIFESTS).pairs(),
                )
                .await?;
        }
        match answer.status() {
            StatusCode::OK => parsed(&asker.body(answer).await?),
            status => Err(Failed::of(status)),
        }
    }

    /// A configuration. It may lie elsewhere, where nobody else's token is shown.
    async fn blob(&self, asker: &Asker<'_>, digest: &str, token: Option<&str>) -> Result<Value, Failed> {
        let mut url = self.at("blobs", digest)?;
        let mut headers = self.headers(token, "*/*");
        for _ in 0..=REDIRECTS {
            let answer = asker.head(&url, &self.reach(&url), &headers.pairs()).await?;
            if answer.status() == StatusCode::OK {
                return parsed(&asker.body(answer).await?);
            }
            if !answer.status().is_redirection() {
                return Err(Failed::of(answer.status()));
            }
            let place = answer
                .headers()
                .get(header::LOCATION)
                .and_then(|place| place.to_str().ok());
            let Some(next) = place.and_then(|place| url.join(place).ok()) else {
                break;
            };
            headers = self.headers(None, "*/*");
            url = next;
        }
        Err(Failed::Unasked(
            "its configuration is not where its registry says".to_owned(),
        ))
    }

    /// A token that anybody gets, from where the challenge says.
    async fn token(&self, asker: &Asker<'_>, headers: &HeaderMap) -> Result<String, Failed> {
        let nothing = || Failed::Unasked("its registry asks for a credential".to_owned());
        let challenge = headers
            .get(header::WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok());
        let challenge = challenge.ok_or_else(nothing)?;
        let mut place = parameter(challenge, "realm")
            .and_then(|realm| Url::parse(realm).ok())
            .ok_or_else(nothing)?;
        for name in ["service", "scope"] {
            if let Some(value) = parameter(challenge, name) {
                place.query_pairs_mut().append_pair(name, value);
            }
        }
        let answer = parsed(&asker.get(&place, &self.reach(&place), &[]).await?)?;
        let token = ["token", "access_token"].iter().find_map(|key| answer.get(*key));
        token
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(nothing)
    }

    /// How far a request may go. Where a registry of the operator's sends somebody on is not the operator's word.
    fn reach(&self, url: &Url) -> Reach {
        if self.is_own && url.origin() == self.origin.origin() {
            Reach::Operator
        } else {
            Reach::Public
        }
    }

    fn at(&self, kind: &str, what: &str) -> Result<Url, Failed> {
        let path = self.repository.split('/');
        let parts: Vec<&str> = std::iter::once("v2").chain(path).chain([kind, what]).collect();
        below(&self.origin, &parts)
    }

    fn headers(&self, token: Option<&str>, accept: &'static str) -> Headers {
        Headers {
            accept,
            authorization: token.map(|token| format!("Bearer {token}")),
        }
    }
}

struct Headers {
    accept: &'static str,
    authorization: Option<String>,
}

impl Headers {
    fn pairs(&self) -> Vec<(header::HeaderName, &str)> {
        let authorization = self
            .authorization
            .as_deref()
            .map(|value| (header::AUTHORIZATION, value));
        std::iter::once((header::ACCEPT, self.accept))
            .chain(authorization)
            .collect()
    }
}

/// Whether a text is a host, with a port or without: in an address, anything else would lead to another one.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let is_of_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    !name.is_empty() && name.bytes().all(is_of_name) && port.is_none_or(is_port)
}

fn is_in_zone(host: &str) -> bool {
    ZONES.iter().any(|zone| host.ends_with(zone))
}

fn of_host(host: &str) -> Result<Url, Failed> {
    Url::parse(&format!("https://{host}/")).map_err(|error| Failed::Unasked(error.to_string()))
}

/// A host as images name it: with a port where it is not the usual one.
fn place_of(origin: &Url) -> String {
    let host = origin.host_str().unwrap_or_default();
    origin
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Of a list for several machines, the manifest for the most usual one, or else the first.
fn of_one_machine(manifest: &Value) -> Option<String> {
    let all = manifest.get("manifests")?.as_array()?;
    let platform = |one: &Value, key: &str| {
        let platform = one.get("platform").and_then(|platform| platform.get(key));
        platform.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_usual = |one: &&Value| platform(one, "os") == "linux" && platform(one, "architecture") == "amd64";
    let chosen = all.iter().find(is_usual).or_else(|| all.first())?;
    chosen.get("digest").and_then(Value::as_str).map(str::to_owned)
}

/// A parameter of a challenge, which registries of images always quote.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_with_a_port_at_most() {
        for host in ["ghcr.io", "europe-docker.pkg.dev", "acme.azurecr.io:443"] {
            assert!(is_host(host), "{host}");
        }
        for other in [
            "evil.com?.pkg.dev",
            "evil.com#.pkg.dev",
            "evil.com\\.pkg.dev",
            "a@evil.com:1@.pkg.dev",
            "evil.com:80?.pkg.dev",
            "x%2f.pkg.dev",
            "é.pkg.dev",
            ":443",
            "a:",
            "",
        ] {
            assert!(!is_host(other), "{other}");
        }
        assert!(is_in_zone("europe-docker.pkg.dev") && !is_in_zone("pkg.dev.evil.com"));
    }
}
