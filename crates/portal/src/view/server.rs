//! The page of one server.

use askama::Template;
use portreeve_core::name::Environment;
use portreeve_core::ports::Entry;
use portreeve_core::rest::RestMark;
use portreeve_core::route::{Access, Credentials, Route, RouteState};
use portreeve_core::server::{Approval, Version};

use crate::view::assessment::AssessmentView;
use crate::view::badge::{Badge, Monogram};
use crate::view::discover::PartnerMark;
use crate::view::form::Tab;
use crate::view::install::InstallView;
use crate::view::official::{Official, Package};
use crate::view::one::Crumb;
use crate::view::profile::ProfileView;
use crate::view::reach::{Brief, Mine, Reach};
use crate::view::readme::Markup;
use crate::view::shell::Shell;
use crate::view::tools::ToolsView;
use crate::view::{home, profile};
use crate::visitor::Here;
use crate::words::{self, Moment};

/// One line of the facts.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) text: String,
    /// Only http and https.
    pub(crate) link: Option<String>,
}

impl Fact {
    pub(crate) fn text(label: &'static str, text: impl Into<String>) -> Self {
        Self {
            label,
            text: text.into(),
            link: None,
        }
    }

    /// An address from a document: a link if it is one, the bare text otherwise.
    pub(crate) fn address(label: &'static str, address: &str) -> Self {
        let text = address
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_end_matches('/');
        Self {
            label,
            text: text.to_owned(),
            link: words::web_link(address),
        }
    }
}

/// One version.
#[derive(Debug, Clone)]
pub(crate) struct VersionRow {
    pub(crate) version: String,
    /// The page of that version, for those that are listed.
    pub(crate) href: Option<String>,
    /// Whether it is the one on the page.
    pub(crate) shown: bool,
    pub(crate) badges: Vec<Badge>,
    pub(crate) message: Option<String>,
    pub(crate) published: Moment,
}

impl VersionRow {
    pub(crate) fn new(version: &Version, shown: &str) -> Self {
        let mut badges: Vec<Badge> = Badge::approval(version.approval).into_iter().collect();
        badges.push(Badge::lifecycle(version.lifecycle));
        if version.is_latest {
            badges.push(Badge::new("Latest", "", "badge-info"));
        }
        let text = version.version.as_str();
        let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        Self {
            href: version
                .is_listed()
                .then(|| format!("/servers/{}?version={encoded}", version.name)),
            shown: text == shown,
            version: words::visible(text),
            badges,
            message: version.status_message.as_deref().map(words::visible),
            published: Moment::new(version.published_at),
        }
    }
}

/// A word above the page, after a form was sent.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) tone: &'static str,
    pub(crate) text: &'static str,
}

/// The page.
#[derive(Template)]
#[template(path = "server.html")]
pub(crate) struct ServerPage {
    pub(crate) shell: Shell,
    pub(crate) canonical: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) monogram: Monogram,
    pub(crate) badges: Vec<Badge>,
    pub(crate) notice: Option<Notice>,
    /// What makes a host use it; nothing for a version that cannot be installed.
    pub(crate) install: Option<InstallView>,
    pub(crate) tools: ToolsView,
    /// What was found about the version on the page; for managers.
    pub(crate) assessment: Option<AssessmentView>,
    /// What it was made of, if that was a server of a partner.
    pub(crate) partner: Option<PartnerMark>,
    /// What is said if the catalogue that it was made of is no longer trusted.
    pub(crate) distrusted: Option<String>,
    /// What its people say at length.
    pub(crate) readme: Option<Markup>,
    /// Who may use it.
    pub(crate) reach: Reach,
    /// Its usage, for who may read it.
    pub(crate) brief: Option<Brief>,
    /// Where on the page is what.
    pub(crate) parts: Vec<(&'static str, &'static str)>,
    pub(crate) packages: Vec<Package>,
    pub(crate) versions: Vec<VersionRow>,
    pub(crate) gateway_url: Option<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) profile: ProfileView,
    /// Its routes, where one looks at tools.
    pub(crate) routes: Vec<Tab>,
    /// The page of the review, for managers, while something waits.
    pub(crate) review: Option<String>,
    /// Where the visitor changes something of it.
    pub(crate) changes: Vec<Crumb>,
    /// Where a manager imports a newer description, if the version on the page is a REST API.
    pub(crate) import: Option<String>,
}

/// What the page is made from.
pub(crate) struct ServerFacts<'a> {
    /// The entry as the visitor may know it.
    pub(crate) entry: &'a Entry,
    /// The version on the page.
    pub(crate) shown: &'a Version,
    /// Its public fields.
    pub(crate) official: &'a Official,
    /// What the visitor may do to it.
    pub(crate) here: Here,
    /// The route whose tools are shown, if one was named.
    pub(crate) route_shown: Option<&'a str>,
}

impl ServerPage {
    /// The page without what its handler has to ask for: install ways, tools, notice.
    pub(crate) fn new(shell: Shell, of: &ServerFacts<'_>) -> Self {
        let name = of.entry.server.name.to_string();
        let official = of.official;
        let text = of.shown.version.as_str();
        Self {
            shell,
            canonical: String::new(),
            namespace: of.entry.server.name.namespace().to_owned(),
            monogram: Monogram::new(&official.title, &name),
            badges: home::badges(of.shown, of.route().map(|route| route.access), official),
            name,
            title: official.title.clone(),
            description: official.description.clone(),
            notice: None,
            install: None,
            tools: ToolsView::SignIn,
            partner: None,
            distrusted: None,
            readme: None,
            brief: None,
            parts: Vec::new(),
            assessment: None,
            packages: official.packages.clone(),
            versions: of
                .entry
                .versions
                .iter()
                .map(|version| VersionRow::new(version, text))
                .collect(),
            gateway_url: official.remotes.first().cloned(),
            facts: of.facts(),
            reach: Reach::default(),
            profile: ProfileView::new(of.entry),
            routes: of.routes(),
            review: of.review(),
            changes: of.changes(),
            import: of.import(),
        }
    }
}

impl ServerPage {
    /// Where on this page is what, for the links at its top.
    pub(crate) fn parts(&self) -> Vec<(&'static str, &'static str)> {
        let parts = [
            ("readme", "README", self.readme.is_some()),
            ("install", "Install", self.install.is_some()),
            ("tools", "Tools", true),
            ("access", "Access", true),
            ("usage", "Usage", self.brief.is_some()),
            ("use-cases", "Use cases", !self.profile.use_cases.is_empty()),
            ("deployments", "Deployments", !self.profile.deployments.is_empty()),
            ("assessment", "Assessment", self.assessment.is_some()),
            ("packages", "Packages", !self.packages.is_empty()),
            ("versions", "Versions", true),
        ];
        let there = parts.into_iter().filter(|(.., is_there)| *is_there);
        there.map(|(id, text, _)| (id, text)).collect()
    }
}

impl ServerFacts<'_> {
    /// The route that serves exactly the version on the page, the production one first.
    fn route(&self) -> Option<&Route> {
        let production = Environment::production();
        self.entry
            .routes
            .iter()
            .filter(|route| route.state == RouteState::Active && route.version == self.shown.version)
            .min_by_key(|route| (route.environment != production, route.major))
    }

    /// The routes by their names, the one of which tools are shown marked.
    fn routes(&self) -> Vec<Tab> {
        let production = Environment::production();
        let mut routes: Vec<&Route> = self.entry.routes.iter().collect();
        routes.retain(|route| route.state == RouteState::Active);
        routes.sort_by_key(|route| (route.environment != production, route.major, route.slug.clone()));
        let is_shown = |index: usize, route: &Route| match self.route_shown {
            Some(shown) => route.slug.as_str() == shown,
            None => index == 0,
        };
        let tab = |(index, route): (usize, &Route)| Tab {
            href: format!("/servers/{}?route={}#tools", self.entry.server.name, route.slug),
            text: route.slug.to_string(),
            current: is_shown(index, route),
        };
        routes.into_iter().enumerate().map(tab).collect()
    }

    /// Where a manager looks at what waits.
    fn review(&self) -> Option<String> {
        let waits = |version: &Version| matches!(version.approval, Approval::Draft | Approval::Submitted);
        let is_waiting =
            self.entry.versions.iter().any(waits) || self.entry.server.deployments.proposed.is_some();
        (self.here.sees && is_waiting).then(|| format!("/servers/{}/review", self.entry.server.name))
    }

    /// Where the visitor changes something of it.
    fn changes(&self) -> Vec<Crumb> {
        let name = &self.entry.server.name;
        let mut changes = Vec::new();
        let here = self.here;
        if here.publishes {
            changes.push(Crumb::new(
                format!("/servers/{name}/profile"),
                "Change what people should know",
            ));
            changes.push(Crumb::new(
                format!("/servers/{name}/deployments"),
                "Where it runs",
            ));
        }
        if here.publishes || here.approves || here.operates {
            changes.push(Crumb::new(
                format!("/servers/{name}/stages"),
                "Stages, icons and its end",
            ));
        }
        if here.operates {
            changes.push(Crumb::new(
                format!("/servers/{name}/logins"),
                "Logins at this server",
            ));
        }
        changes
    }

    fn import(&self) -> Option<String> {
        let is_rest = RestMark::of(&self.shown.document).is_some();
        let name = words::encoded(self.entry.server.name.as_str());
        (self.here.publishes && is_rest).then(|| format!("/admin/rest?name={name}"))
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        facts.extend(self.route().map(|route| {
            Fact::text(
                "Who may call it",
                match route.access {
                    Access::Credential => "Callers with a key and the right to use it",
                    Access::Anonymous => "Everyone who can reach this gateway, without a key",
                },
            )
        }));
        let own = self.route().map(|route| &route.credentials);
        facts.extend(
            own.filter(|credentials| **credentials != Credentials::default())
                .map(|credentials| Fact::text("Credentials it takes", words_of(credentials))),
        );
        facts.push(Fact::text("Version", words::visible(self.shown.version.as_str())));
        facts.push(Fact::text(
            "Lifecycle",
            Badge::lifecycle(self.shown.lifecycle).text,
        ));
        facts.extend(
            self.official
                .website
                .as_deref()
                .map(|url| Fact::address("Website", url)),
        );
        facts.extend(
            self.official
                .repository
                .as_deref()
                .map(|url| Fact::address("Repository", url)),
        );
        facts.extend(profile::facts(&self.entry.server.profile));
        facts.extend(profile::properties(
            "Property of this version",
            &self.shown.metadata,
        ));
        facts.push(Fact::text("Published", Moment::new(self.shown.published_at).day));
        if self.here.sees {
            facts.extend(self.internal());
        }
        facts
    }

    /// What only managers are told.
    fn internal(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact::text("Registered by", words::visible(&self.entry.server.registered_by)),
            Fact::text("Submitted by", words::visible(&self.shown.submitted_by)),
        ];
        facts.extend(
            self.shown
                .decided_by
                .as_deref()
                .map(|who| Fact::text("Decided by", words::visible(who))),
        );
        facts.extend(
            self.route()
                .map(|route| Fact::text("Upstream", words::visible(&route.upstream_url))),
        );
        let hosts: Vec<String> = self
            .entry
            .server
            .private_hosts
            .iter()
            .map(ToString::to_string)
            .collect();
        if !hosts.is_empty() {
            facts.push(Fact::text("Private hosts granted", hosts.join(", ")));
        }
        facts
    }
}

/// Which credentials a route takes.
fn words_of(credentials: &Credentials) -> String {
    let own = credentials
        .tokens
        .then(|| "access tokens of this Portreeve".to_owned());
    let others = credentials
        .issuers
        .iter()
        .map(|name| format!("access tokens of {name}"));
    let keys = credentials.keys.then(|| "API keys".to_owned());
    own.into_iter()
        .chain(others)
        .chain(keys)
        .collect::<Vec<_>>()
        .join(", ")
}
