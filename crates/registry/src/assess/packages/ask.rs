//! Asks the registries of packages what a package says of itself. Every answer is bounded in bytes and time; nothing is
//! unpacked or run.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Method, Request, Response, StatusCode, header};
use portreeve_mcp::server_json::{Package, ServerJson};
use portreeve_net::{Egress, Reach, ResponseBody, read_body};
use serde_json::Value;
use url::Url;

use super::{PackagePlace, PackagePlaces, Said, Seen, image};

/// Packages of one version that are asked about.
const MOST: usize = 10;
/// Packages that are asked about at once.
const AT_ONCE: usize = 5;
/// Bytes of one answer: what npm and PyPI say of one version.
const ANSWER: usize = 4 * 1024 * 1024;
/// Names that one README may name.
const NAMES: usize = 20;
/// Before a name in a README.
const MARK: &str = "mcp-name:";

/// Who asks.
pub(in crate::assess) struct Asker<'a> {
    pub(in crate::assess) egress: &'a Egress,
    pub(in crate::assess) places: &'a PackagePlaces,
    /// For one request.
    pub(in crate::assess) limit: Duration,
}

/// Why nothing was learnt.
pub(super) enum Failed {
    /// It is not there.
    Missing,
    /// Its registry did not answer as it should.
    Unasked(String),
}

// === impl Asker ===

impl Asker<'_> {
    /// Asks about the packages of a version. Those of kinds that prove nothing are left out.
    pub(in crate::assess) async fn ask(&self, view: &ServerJson) -> Vec<Seen> {
        let packages: Vec<Package> = view.packages.iter().take(MOST).cloned().collect();
        let packages = packages.into_iter().enumerate();
        let asked = futures_util::stream::iter(packages).map(async |(at, package)| {
            let said = match self.names(&package).await? {
                Ok(names) => Said::Names(names),
                Err(Failed::Missing) => Said::Missing,
                Err(Failed::Unasked(why)) => Said::Unasked(why.chars().take(200).collect()),
            };
            Some(Seen {
                path: format!("packages[{at}]"),
                package: shown(&package),
                said,
            })
        });
        let seen: Vec<Option<Seen>> = asked.buffered(AT_ONCE).collect().await;
        // What nobody asks about must not look like what nothing was found about.
        let left = view.packages.get(MOST).map(|package| Seen {
            path: format!("packages[{MOST}]"),
            package: shown(package),
            said: Said::Unasked(format!(
                "only the first {MOST} packages of a version are asked about, and there are {}",
                view.packages.len()
            )),
        });
        seen.into_iter().flatten().chain(left).collect()
    }

    /// The servers that a package names; `None` where there is no way to tell.
    async fn names(&self, package: &Package) -> Option<Result<Vec<String>, Failed>> {
        let version = package.version.as_deref().unwrap_or_default();
        let identifier = package.identifier.as_str();
        Some(match package.registry_type.as_str() {
            "npm" => self.npm(identifier, version).await,
            "pypi" => self.pypi(identifier, version).await,
            "nuget" => self.nuget(identifier, version).await,
            "oci" => image::names(self, identifier, version).await,
            _ => return None,
        })
    }

    async fn npm(&self, name: &str, version: &str) -> Result<Vec<String>, Failed> {
        let answer = self.json(&self.places.npm, &[name, version]).await?;
        let named = answer.get("mcpName").and_then(Value::as_str);
        Ok(named.map(str::to_owned).into_iter().collect())
    }

    async fn pypi(&self, name: &str, version: &str) -> Result<Vec<String>, Failed> {
        let answer = self
            .json(&self.places.pypi, &["pypi", name, version, "json"])
            .await?;
        let readme = answer.get("info").and_then(|info| info.get("description"));
        Ok(marked(readme.and_then(Value::as_str).unwrap_or_default()))
    }

    async fn nuget(&self, name: &str, version: &str) -> Result<Vec<String>, Failed> {
        let (name, version) = (name.to_ascii_lowercase(), version.to_ascii_lowercase());
        let place = &self.places.nuget;
        let url = below(place.url(), &["v3-flatcontainer", &name, &version, "readme"])?;
        match self.get(&url, &place.reach(), &[]).await {
            Ok(readme) => Ok(marked(&String::from_utf8_lossy(&readme))),
            // The same answer as for a package without a README: what there is stands in the list of its versions.
            Err(Failed::Missing) => {
                let list = self
                    .json(place, &["v3-flatcontainer", &name, "index.json"])
                    .await?;
                let listed = list.get("versions").and_then(Value::as_array);
                let mut listed = listed.into_iter().flatten().filter_map(Value::as_str);
                let asked = normal_version(&version);
                match listed.any(|listed| normal_version(listed) == asked) {
                    true => Ok(Vec::new()),
                    false => Err(Failed::Missing),
                }
            }
            Err(failed) => Err(failed),
        }
    }

    async fn json(&self, place: &PackagePlace, parts: &[&str]) -> Result<Value, Failed> {
        let url = below(place.url(), parts)?;
        let headers = [(header::ACCEPT, "application/json")];
        parsed(&self.get(&url, &place.reach(), &headers).await?)
    }

    /// The body of what is at an address.
    pub(super) async fn get(
        &self,
        url: &Url,
        reach: &Reach,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Bytes, Failed> {
        let response = self.head(url, reach, headers).await?;
        match response.status() {
            StatusCode::OK => self.body(response).await,
            status => Err(Failed::of(status)),
        }
    }

    pub(super) async fn head(
        &self,
        url: &Url,
        reach: &Reach,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Response<ResponseBody>, Failed> {
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(header::ACCEPT_ENCODING, "identity");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|error| Failed::Unasked(error.to_string()))?;
        let answer = self.egress.send(request, reach, self.limit).await;
        answer.map_err(|error| Failed::Unasked(error.to_string()))
    }

    pub(super) async fn body(&self, response: Response<ResponseBody>) -> Result<Bytes, Failed> {
        let body = read_body(response.into_body(), ANSWER, self.limit).await;
        body.map_err(|error| Failed::Unasked(error.to_string()))
    }
}

// === impl Failed ===

impl Failed {
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Self::Missing,
            status => Self::Unasked(format!("its registry answered {}", status.as_u16())),
        }
    }
}

/// A package's registry, identifier and version.
fn shown(package: &Package) -> String {
    let version = package.version.as_deref().unwrap_or("no version");
    let text = format!("{} {} {version}", package.registry_type, package.identifier);
    text.chars().take(200).collect()
}

/// A version as NuGet compares it: `1.0`, `1.0.0.0` and `01.0.0+build` are all `1.0.0`.
fn normal_version(version: &str) -> String {
    let version = version.to_ascii_lowercase();
    let version = version.split('+').next().unwrap_or_default();
    let (numbers, rest) = match version.split_once('-') {
        Some((numbers, rest)) => (numbers, Some(rest)),
        None => (version, None),
    };
    let plain = |number: &str| match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0".to_owned(),
        number => number.to_owned(),
    };
    let mut numbers: Vec<String> = numbers.split('.').map(plain).collect();
    while numbers.len() < 3 {
        numbers.push("0".to_owned());
    }
    if numbers.len() == 4 && numbers.last().is_some_and(|last| last == "0") {
        numbers.pop();
    }
    let numbers = numbers.join(".");
    rest.map_or_else(|| numbers.clone(), |rest| format!("{numbers}-{rest}"))
}

pub(super) fn parsed(text: &[u8]) -> Result<Value, Failed> {
    serde_json::from_slice(text)
        .map_err(|error| Failed::Unasked(format!("its registry answered something else than JSON: {error}")))
}

/// An address below another one: each part is one segment, whatever stands in it.
pub(super) fn below(base: &Url, parts: &[&str]) -> Result<Url, Failed> {
    let unusable = || Failed::Unasked("its name cannot be asked for".to_owned());
    // A URL would take these for the place itself and the one above it.
    if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return Err(unusable());
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| unusable())?
        .pop_if_empty()
        .extend(parts);
    Ok(url)
}

/// The servers that a README names, each after its mark. A name ends where no name could go on, so that `com.acme/bill` is
/// not found in `com.acme/billing`.
fn marked(readme: &str) -> Vec<String> {
    let is_in_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '/');
    let names = readme.split(MARK).skip(1).map(|rest| {
        let rest = rest.trim_start_matches([' ', '\t']);
        let end = rest.find(|letter| !is_in_name(letter)).unwrap_or(rest.len());
        rest.get(..end)
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned()
    });
    names.filter(|name| name.contains('/')).take(NAMES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_names_servers_after_a_mark() {
        let readme =
            "# Billing\n<!-- mcp-name: com.acme/billing -->\nmcp-name:com.acme/mail.\nmcp-name: nothing";
        assert_eq!(marked(readme), ["com.acme/billing", "com.acme/mail"]);
        assert_eq!(marked("mcp-name: com.acme/billing2"), ["com.acme/billing2"]);
        assert!(marked("mcp-name:").is_empty());
        assert!(marked("no mark").is_empty());
    }

    #[test]
    fn a_version_of_nuget_has_one_form() {
        for same in ["1.0", "1", "1.0.0.0", "1.0.0+build.7", "01.00.0"] {
            assert_eq!(normal_version(same), "1.0.0", "{same}");
        }
        assert_eq!(normal_version("1.2-Beta.1+x-y"), "1.2.0-beta.1");
        assert_eq!(normal_version("1.2.3.4"), "1.2.3.4");
        assert_ne!(normal_version(""), "0.0.0");
    }

    #[test]
    fn a_name_is_one_segment_and_no_way_up() {
        let places = PackagePlaces::default();
        let at = |parts: &[&str]| below(places.npm.url(), parts).ok().map(String::from);
        let scoped = at(&["@acme/billing", "1.0.0"]);
        assert_eq!(
            scoped.as_deref(),
            Some("https://registry.npmjs.org/@acme%2Fbilling/1.0.0")
        );
        assert_eq!(at(&["..", "1.0.0"]), None);
        assert_eq!(at(&["billing", ""]), None);
        assert_eq!(
            at(&["a?b#c", "1"]).as_deref(),
            Some("https://registry.npmjs.org/a%3Fb%23c/1")
        );
    }
}
