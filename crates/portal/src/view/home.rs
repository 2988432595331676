//! The first page: search, cards, paging.

use askama::Template;
use portreeve_core::ports::ListedVersion;
use portreeve_core::route::Access;
use portreeve_core::server::{Approval, Version};

use crate::view::badge::{Badge, Monogram};
use crate::view::official::Official;
use crate::view::shell::Shell;
use crate::words;

/// One server in the list.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) monogram: Monogram,
    pub(crate) badges: Vec<Badge>,
}

impl Card {
    /// One card for each server. Managers get every version of a server one after the other: the latest is shown,
    /// and a badge tells how many others wait.
    pub(crate) fn of_servers(items: &[ListedVersion]) -> Vec<Self> {
        items
            .chunk_by(|one, next| one.version.name == next.version.name)
            .filter_map(|versions| {
                let shown = versions
                    .iter()
                    .find(|item| item.version.is_latest)
                    .or(versions.last())?;
                let waiting = versions
                    .iter()
                    .filter(|item| item.version.approval == Approval::Submitted)
                    .filter(|item| item.version.version != shown.version.version)
                    .count();
                let mut card = Self::new(shown);
                if waiting > 0 {
                    let verb = if waiting == 1 { "waits" } else { "wait" };
                    let text = format!("{} {verb} for approval", words::count(waiting, "version"));
                    card.badges.push(Badge::new(text, "", "badge-warn"));
                }
                Some(card)
            })
            .collect()
    }

    pub(crate) fn new(listed: &ListedVersion) -> Self {
        let version = &listed.version;
        let name = version.name.to_string();
        let official = Official::parse(&version.document);
        Self {
            href: format!("/servers/{name}"),
            monogram: Monogram::new(&official.title, &name),
            badges: badges(
                version,
                listed.route.as_ref().map(|(_, access)| *access),
                &official,
            ),
            title: official.title,
            description: official.description,
            name,
        }
    }
}

/// What a version says about itself at a glance.
pub(crate) fn badges(version: &Version, route: Option<Access>, official: &Official) -> Vec<Badge> {
    let mut badges = vec![Badge::version(version.version.as_str())];
    badges.extend(Badge::approval(version.approval));
    badges.push(Badge::lifecycle(version.lifecycle));
    badges.extend(route.map(|_| Badge::kind("Remote")));
    badges.extend(official.package_badges());
    if route == Some(Access::Anonymous) {
        badges.push(Badge::new("Open to everyone", "", "badge-warn"));
    }
    badges
}

/// The page. Its block `results` is also sent alone, while a visitor types.
#[derive(Template)]
#[template(path = "home.html", blocks = ["results"])]
pub(crate) struct HomePage {
    pub(crate) shell: Shell,
    pub(crate) query: String,
    /// How many there are, in words.
    pub(crate) count: String,
    pub(crate) cards: Vec<Card>,
    /// Where the next page is.
    pub(crate) next: Option<String>,
    /// Whether this is not the first page.
    pub(crate) continued: bool,
    pub(crate) add_remote: String,
    pub(crate) add_local: String,
    pub(crate) registry_url: String,
}

impl HomePage {
    /// The page's words about how many servers there are; a cursor pages, so the whole number is not known.
    pub(crate) fn count_words(found: usize, query: &str, continued: bool, more: bool) -> String {
        let searched = !query.is_empty();
        match (found, continued, more, searched) {
            (0, false, _, true) => format!("No server matches “{query}”"),
            (0, false, _, false) => "No servers yet".to_owned(),
            (0, true, ..) => "No more servers".to_owned(),
            (_, true, _, _) => format!("{}, continued", words::count(found, "more server")),
            (_, false, true, true) => {
                format!("The first {} that match “{query}”", words::count(found, "server"))
            }
            (_, false, true, false) => format!("The first {}", words::count(found, "server")),
            (1, false, false, true) => format!("1 server matches “{query}”"),
            (_, false, false, true) => format!("{} match “{query}”", words::count(found, "server")),
            (_, false, false, false) => words::count(found, "server"),
        }
    }
}
