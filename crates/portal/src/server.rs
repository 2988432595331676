//! `GET /servers/{namespace}/{name}`: everything about one server that its visitor may know.
//!
//! For visitors who are not signed in this is what `/v0.1` says and no more: both come from the same use case.

mod reach;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Entry;
use portreeve_core::server::Version;
use portreeve_registry::ToolsOf;
use portreeve_registry::install::Installable;

use crate::failure::Failure;
use crate::fields::{Fields, Query};
use crate::named::Named;
use crate::router::Portal;
use crate::view::discover::PartnerMark;
use crate::view::{
    AssessmentView, Choice, InstallView, Markup, Notice, Official, ServerFacts, ServerPage, ToolsView,
};
use crate::visitor::{Here, Visitor};
use crate::{frame, named, tools};

/// `/servers/com.acme%2Fbilling` leads to the address with two segments.
pub(crate) async fn encoded(Path(name): Path<String>, Query(fields): Query) -> Result<Response, Failure> {
    let name = named::parse(&name)?;
    let version = fields.get("version").map(|version| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        format!("?{}", query.append_pair("version", version).finish())
    });
    Ok(frame::redirect(&format!(
        "/servers/{name}{}",
        version.unwrap_or_default()
    )))
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let name = named.read()?;
    let entry = portal.parts.registry.entry(&visitor.caller, &name).await?;
    let name = entry.server.name.clone();
    let shown = shown(&entry, fields.get("version")).ok_or_else(|| no_version(&name))?;
    let registry = &portal.parts.registry;
    let found = registry.installable(&visitor.caller, &entry, shown).await?;
    let official = match &found {
        Some(found) => Official::read(&serde_json::Value::Object(found.served.server.to_map())),
        None => Official::parse(&shown.document).without_remotes(),
    };
    let here = visitor.here(&portal, &name);
    let facts = ServerFacts {
        entry: &entry,
        shown,
        official: &official,
        here,
        route_shown: fields.get("route"),
    };
    let mut page = ServerPage {
        install: found
            .as_ref()
            .and_then(|found| install_view(&portal, found, &entry, &fields)),
        tools: tools_view(&portal, &visitor, &name, &fields).await?,
        assessment: assessment(&portal, &visitor, shown, here).await?,
        partner: portal
            .parts
            .partners
            .of_server(&visitor.caller, &name)
            .map(|listing| PartnerMark::new(&listing, &shown.version)),
        distrusted: portal
            .parts
            .partners
            .distrusted(&name)
            .map(|(partner, version)| distrusted_words(&partner, version)),
        readme: readme(&entry, &official),
        reach: reach::reach(
            &portal,
            &visitor,
            (&entry, !official.packages.is_empty()),
            &fields,
        )
        .await?,
        brief: reach::brief(&portal, &visitor, &name, here).await?,
        notice: notice(fields.get("done")),
        canonical: format!("{}/servers/{name}", portal.origin()),
        ..ServerPage::new(visitor.shell(&portal, official.title.clone(), "servers"), &facts)
    };
    let icons = registry.shown_icons(std::slice::from_ref(&name)).await?;
    page.monogram.shows(icons.get(&name));
    page.parts = page.parts();
    frame::html(StatusCode::OK, &page)
}

/// What makes a host use the version: the host and the way that the address names.
fn install_view(portal: &Portal, found: &Installable, entry: &Entry, fields: &Fields) -> Option<InstallView> {
    let registry = &portal.parts.registry;
    let found = registry.installation_of(&found.served, entry, found.registry.as_ref());
    let choice = Choice {
        host: fields.get("host"),
        source: fields.get("from"),
        version: fields.get("version"),
    };
    InstallView::new(&found, choice)
}

/// `GET /servers/{namespace}/{name}/connector`: the file of a custom connector, for whoever sees the server here.
pub(crate) async fn connector(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let name = named.read()?;
    let registry = &portal.parts.registry;
    let entry = registry.entry(&visitor.caller, &name).await?;
    let wanted = fields.get("version").filter(|version| *version != "latest");
    let version = shown(&entry, wanted).ok_or_else(|| no_version(&name))?;
    let found = registry.installable(&visitor.caller, &entry, version).await?;
    let connector = found.and_then(|found| {
        let found = registry.installation_of(&found.served, &entry, found.registry.as_ref());
        found.connector
    });
    let connector = connector.ok_or_else(|| Failure::NotFound {
        text: format!("Server `{name}` has no connector: the gateway does not serve this version."),
    })?;
    let (text, kind, ending) = match fields.get("format") {
        Some("yaml") => (connector.yaml(), "application/yaml", "yaml"),
        _ => (connector.json(), "application/json", "json"),
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let file = format!("attachment; filename=\"{}.swagger.{ending}\"", name.short());
    if let Ok(value) = HeaderValue::try_from(file) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The last assessment of the version on the page, for who sees the inside of the server.
async fn assessment(
    portal: &Portal,
    visitor: &Visitor,
    shown: &Version,
    here: Here,
) -> Result<Option<AssessmentView>, Failure> {
    if !here.sees {
        return Ok(None);
    }
    let registry = &portal.parts.registry;
    let found = registry
        .assessment(&visitor.caller, &shown.name, Some(&shown.version))
        .await?;
    Ok(found.as_ref().map(AssessmentView::new))
}

/// What its people say at length; nothing for visitors who may not know it.
fn readme(entry: &Entry, official: &Official) -> Option<Markup> {
    let readme = entry.server.profile.readme.as_deref()?;
    Some(Markup::of(readme, official.repository.as_deref())).filter(|readme| !readme.is_empty())
}

/// What is said of an entry whose catalogue was dropped.
fn distrusted_words(partner: &str, version: u64) -> String {
    format!(
        "Registered from version {version} of a partner catalogue, as a server of `{partner}`. It came from a catalogue that \
         is no longer trusted. Nothing of it was changed by that: somebody should look at it."
    )
}

fn no_version(name: &ServerName) -> Failure {
    Failure::NotFound {
        text: format!("Server `{name}` has no such version."),
    }
}

/// The version that was asked for, or the latest, or the newest there is.
fn shown<'a>(entry: &'a Entry, wanted: Option<&str>) -> Option<&'a Version> {
    match wanted {
        Some(wanted) => entry
            .versions
            .iter()
            .find(|version| version.version.as_str() == wanted),
        None => entry
            .versions
            .iter()
            .find(|version| version.is_latest)
            .or_else(|| entry.versions.first()),
    }
}

async fn tools_view(
    portal: &Portal,
    visitor: &Visitor,
    name: &ServerName,
    fields: &Fields,
) -> Result<ToolsView, Failure> {
    if !visitor.is_signed_in() {
        return Ok(ToolsView::SignIn);
    }
    let skip = fields
        .get("tools")
        .and_then(|skip| skip.parse().ok())
        .unwrap_or(0);
    let route = tools::route(fields.get("route"))?;
    let of = ToolsOf {
        server: name,
        route: route.as_ref(),
    };
    match tools::view(portal, visitor, of, skip).await {
        // A route that is gone, or that the visitor may not see.
        Err(Failure::NotFound { .. }) if route.is_some() => Ok(ToolsView::Nothing(
            "There is no such route of this server.".to_owned(),
        )),
        other => other,
    }
}

/// The words after a form. Only these: nothing of the address is repeated on the page.
fn notice(done: Option<&str>) -> Option<Notice> {
    let (tone, text) = match done? {
        "approved" => (
            "notice-good",
            "Approved. Who has the right sees and calls it from now on.",
        ),
        "imported" => (
            "notice-good",
            "Made and approved. Its tools are called through the gateway from now on.",
        ),
        "waits" => (
            "notice-warn",
            "Made. It waits for a review; nothing of it is listed or served until then.",
        ),
        "registered" => (
            "notice-good",
            "Registered and approved: its entry, its environment and its route are made.",
        ),
        "registered-waits" => (
            "notice-warn",
            "Registered. It waits for a review; nobody calls it until then.",
        ),
        "let-in" => ("notice-good", "Approved, exactly as the review showed."),
        "handed-in" => (
            "notice-good",
            "Handed in. It is listed and served once somebody approves it.",
        ),
        "kept" => (
            "notice-good",
            "Kept as a draft. Nobody is asked about it until it is handed in, on the page of its stages.",
        ),
        "described" => ("notice-good", "Saved. No approval is void because of it."),
        "turned" => ("notice-good", "Set. Hosts see it with their next look."),
        "icons" => (
            "notice-good",
            "Looked at. What cannot be shown is a finding of the assessment.",
        ),
        "sent-back" => ("notice-warn", "Sent back. Nothing of it is listed or served."),
        "changed" => (
            "notice-warn",
            "Nothing was approved: the server changed its tools while you were reading. Look at them again.",
        ),
        _ => return None,
    };
    Some(Notice { tone, text })
}
