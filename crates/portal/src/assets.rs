//! The three files that every page uses, embedded. Their addresses carry a hash of their content, so that browsers
//! may keep them for ever and still never see an old one.

use aws_lc_rs::digest;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

/// Where the pages find the assets.
#[derive(Debug, Clone)]
pub(crate) struct AssetPaths {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) mark: String,
}

struct Asset {
    path: String,
    body: &'static str,
    kind: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, kind: &'static str, body: &'static str) -> Self {
        let hash = digest::digest(&digest::SHA256, body.as_bytes());
        let hash: String = hash
            .as_ref()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            path: format!("/assets/{stem}-{hash}.{extension}"),
            body,
            kind,
        }
    }

    fn response(&self, caching: &'static str) -> Response {
        ([(CONTENT_TYPE, self.kind), (CACHE_CONTROL, caching)], self.body).into_response()
    }
}

/// The assets of this build.
pub(crate) struct Assets {
    style: Asset,
    script: Asset,
    mark: Asset,
}

impl Assets {
    pub(crate) fn embedded() -> Self {
        let style = include_str!("../assets/portal.css");
        let script = include_str!("../assets/portal.js");
        let mark = include_str!("../assets/mark.svg");
        Self {
            style: Asset::new("portal", "css", "text/css; charset=utf-8", style),
            script: Asset::new("portal", "js", "text/javascript; charset=utf-8", script),
            mark: Asset::new("mark", "svg", "image/svg+xml", mark),
        }
    }

    pub(crate) fn paths(&self) -> AssetPaths {
        AssetPaths {
            style: self.style.path.clone(),
            script: self.script.path.clone(),
            mark: self.mark.path.clone(),
        }
    }

    /// The asset at this path.
    pub(crate) fn find(&self, path: &str) -> Option<Response> {
        [&self.style, &self.script, &self.mark]
            .into_iter()
            .find(|asset| asset.path == path)
            .map(|asset| asset.response("public, max-age=31536000, immutable"))
    }

    /// The mark, for browsers that ask for `/favicon.ico` without reading the page.
    pub(crate) fn favicon(&self) -> Response {
        self.mark.response("public, max-age=86400")
    }
}
