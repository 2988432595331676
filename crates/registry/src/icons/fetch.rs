//! Fetches one icon: through the egress guard, a few redirects far, within its limits, and read by what it is.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use portreeve_core::icon::Icon;
use portreeve_core::id::IconId;
use portreeve_core::limits::Limits;
use portreeve_inspect::{Picture, picture, sha256_hex};
use portreeve_net::{Egress, Reach, ResponseBody, read_body};
use url::Url;

use crate::registry::Registry;

/// What is asked for. What comes is judged by its bytes.
const WANTED: &str = "image/svg+xml, image/png, image/webp, image/jpeg";

/// How an icon is fetched.
pub(crate) struct IconFetch<'a> {
    pub(crate) egress: &'a Egress,
    pub(crate) reach: &'a Reach,
    pub(crate) limits: &'a Limits,
}

// === impl Registry ===

impl Registry {
    /// The icon at an address, or why there is none.
    pub(super) async fn fetch_icon(&self, url: &str, reach: &Reach) -> Result<Icon, String> {
        let fetch = IconFetch {
            egress: &self.parts.egress,
            reach,
            limits: &self.parts.limits,
        };
        let picture = fetch.picture(url).await?;
        Ok(Icon {
            id: IconId::new(self.parts.clock.as_ref(), self.parts.rng.as_ref()),
            hash: sha256_hex(&picture.bytes),
            kind: picture.kind,
            bytes: picture.bytes,
        })
    }
}

// === impl IconFetch ===

impl IconFetch<'_> {
    /// The picture at an address, or why there is none.
    pub(crate) async fn picture(&self, url: &str) -> Result<Picture, String> {
        let limit = self.limits.icon_fetch;
        let bytes = match tokio::time::timeout(limit, self.follow(url)).await {
            Ok(bytes) => bytes?,
            Err(_) => return Err(format!("it did not arrive within {limit:?}")),
        };
        let limits = self.limits.clone();
        // It is read on a thread of its own: a stranger wrote it.
        let read = tokio::task::spawn_blocking(move || picture(&bytes, &limits)).await;
        let picture = read.map_err(|_| "it cannot be read".to_owned())?;
        picture.map_err(|error| error.to_string())
    }

    async fn follow(&self, url: &str) -> Result<Bytes, String> {
        let limits = self.limits;
        let mut at = Url::parse(url).map_err(|error| format!("its address is none: {error}"))?;
        for _ in 0..=limits.icon_redirects {
            let response = self.ask(&at).await?;
            let status = response.status();
            if status == StatusCode::OK {
                let body = read_body(response.into_body(), limits.icon_bytes, limits.icon_fetch).await;
                return body.map_err(|error| error.to_string());
            }
            if !status.is_redirection() {
                return Err(format!("its server answers {}", status.as_u16()));
            }
            let location = response.headers().get(header::LOCATION);
            let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
            at = at
                .join(location)
                .map_err(|error| format!("its server leads nowhere: {error}"))?;
        }
        Err(format!(
            "its server leads on more than {} times",
            limits.icon_redirects
        ))
    }

    async fn ask(&self, url: &Url) -> Result<Response<ResponseBody>, String> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err("its address carries a user name or a password".to_owned());
        }
        let request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(header::ACCEPT, WANTED)
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let sent = self.egress.send(request, self.reach, self.limits.icon_fetch);
        sent.await.map_err(|error| error.to_string())
    }
}
