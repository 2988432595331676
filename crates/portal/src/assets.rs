//! The files that every page uses: three that are embedded, and the logo of the installation if it has one. Their addresses carry a hash of their content, so that browsers
//! may keep them for ever and still never see an old one.

use std::borrow::Cow;

use aws_lc_rs::digest;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::brand::Brand;

/// Where the pages find the assets.
#[derive(Debug, Clone)]
pub(crate) struct AssetPaths {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) mark: String,
    /// The installation's logo.
    pub(crate) logo: Option<String>,
}

struct Asset {
    path: String,
    body: Bytes,
    kind: &'static str,
}

impl Asset {
    fn new((stem, extension): (&str, &str), kind: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let hash = digest::digest(&digest::SHA256, &body);
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
        let headers = [(CONTENT_TYPE, self.kind), (CACHE_CONTROL, caching)];
        (headers, self.body.clone()).into_response()
    }
}

/// The assets of this build.
pub(crate) struct Assets {
    style: Asset,
    script: Asset,
    mark: Asset,
    logo: Option<Asset>,
}

impl Assets {
    pub(crate) fn new(brand: &Brand) -> Self {
        let style = concat!(
            include_str!("../assets/portal.css"),
            include_str!("../assets/server.css"),
            include_str!("../assets/discover.css"),
            include_str!("../assets/paper.css"),
        );
        let style = match brand.style() {
            own if own.is_empty() => Cow::Borrowed(style),
            own => Cow::Owned(format!("{style}{own}")),
        };
        let script = include_str!("../assets/portal.js");
        let mark = include_str!("../assets/mark.svg");
        Self {
            style: Asset::new(("portal", "css"), "text/css; charset=utf-8", style.into_owned()),
            script: Asset::new(("portal", "js"), "text/javascript; charset=utf-8", script),
            mark: Asset::new(("mark", "svg"), "image/svg+xml", mark),
            logo: brand
                .logo
                .as_ref()
                .map(|logo| Asset::new(("logo", logo.extension), logo.media_type, logo.bytes.clone())),
        }
    }

    pub(crate) fn paths(&self) -> AssetPaths {
        AssetPaths {
            style: self.style.path.clone(),
            script: self.script.path.clone(),
            mark: self.mark.path.clone(),
            logo: self.logo.as_ref().map(|logo| logo.path.clone()),
        }
    }

    /// The asset at this path.
    pub(crate) fn find(&self, path: &str) -> Option<Response> {
        [&self.style, &self.script, &self.mark]
            .into_iter()
            .chain(&self.logo)
            .find(|asset| asset.path == path)
            .map(|asset| asset.response("public, max-age=31536000, immutable"))
    }

    /// The mark, for browsers that ask for `/favicon.ico` without reading the page.
    pub(crate) fn favicon(&self) -> Response {
        self.mark.response("public, max-age=86400")
    }
}
