//! The first page: search, cards, paging.

use askama::Template;
use portreeve_core::name::ServerName;
use portreeve_core::ports::ListedVersion;
use portreeve_core::route::Access;
use portreeve_core::server::{Approval, Version};
use portreeve_registry::{Found, Mark};

use crate::narrow::{Choice, Offers};
use crate::view::badge::{Badge, Monogram};
use crate::view::official::Official;
use crate::view::shell::Shell;
use crate::words;

/// One server in the list.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) of: ServerName,
    pub(crate) href: String,
    pub(crate) title: Vec<Part>,
    pub(crate) name: Vec<Part>,
    pub(crate) description: Vec<Part>,
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
            of: version.name.clone(),
            href: format!("/servers/{name}"),
            monogram: Monogram::new(&official.title, &name),
            badges: badges(
                version,
                listed.route.as_ref().map(|(_, entrance)| entrance.access()),
                &official,
            ),
            title: Part::plain(official.title),
            description: Part::plain(official.description),
            name: Part::plain(name),
        }
    }

    /// A result of a search, with what was looked for marked.
    pub(crate) fn found(found: &Found) -> Self {
        let mut card = Self::new(&found.listed);
        for (field, parts) in [
            ("name", &mut card.name),
            ("title", &mut card.title),
            ("description", &mut card.description),
        ] {
            let raw = match field {
                "name" => found.listed.version.name.to_string(),
                field => raw_text(&found.listed.version.document, field),
            };
            // Marks count the characters of the document: where the page shows another text, there are none.
            let shown: String = parts.iter().map(|part| part.text.as_str()).collect();
            if shown == raw {
                *parts = Part::marked(&raw, found.marks.iter().filter(|mark| mark.field == field));
            }
        }
        if !found.tools.is_empty() {
            let tools = words::count(found.tools.len(), "matching tool");
            card.badges.push(Badge::new(tools, "", ""));
        }
        card
    }
}

fn raw_text(document: &str, key: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let text = document.get(key).and_then(serde_json::Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: String,
    /// Whether it was looked for.
    pub(crate) is_marked: bool,
}

impl Part {
    fn plain(text: String) -> Vec<Self> {
        vec![Self {
            text,
            is_marked: false,
        }]
    }

    fn marked<'a>(text: &str, marks: impl Iterator<Item = &'a Mark>) -> Vec<Self> {
        let mut characters = text.chars();
        let mut parts = Vec::new();
        let mut at = 0;
        let mut push = |text: String, is_marked| {
            if !text.is_empty() {
                parts.push(Self { text, is_marked });
            }
        };
        for mark in marks {
            let before = mark.start.saturating_sub(at);
            push(characters.by_ref().take(before).collect(), false);
            push(characters.by_ref().take(mark.length).collect(), true);
            at = at.max(mark.start) + mark.length;
        }
        push(characters.collect(), false);
        parts
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
    /// What the list can be narrowed by.
    pub(crate) offers: Vec<Offers>,
    /// What it is narrowed by, for the form of the words.
    pub(crate) kept: Vec<(&'static str, String)>,
    pub(crate) narrows: bool,
    /// How many there are, in words.
    pub(crate) count: String,
    pub(crate) cards: Vec<Card>,
    /// Where the next page is.
    pub(crate) next: Option<String>,
    /// Words that nobody uses, and the words that were looked for instead.
    pub(crate) corrected: Option<String>,
    /// Whether this is not the first page.
    pub(crate) continued: bool,
    pub(crate) add_remote: String,
    pub(crate) add_local: String,
    pub(crate) registry_url: String,
}

impl HomePage {
    /// The page's words about how many servers there are; a cursor pages, so the whole number is not known.
    pub(crate) fn count_words(found: usize, choice: &Choice, continued: bool, more: bool) -> String {
        let query = &choice.words;
        let servers = words::count(found, "server");
        let (of_one, of_many) = match (query.is_empty(), choice.narrows()) {
            (true, false) => (String::new(), String::new()),
            (true, true) => (
                " fits what you chose".to_owned(),
                " fit what you chose".to_owned(),
            ),
            (false, false) => (format!(" matches “{query}”"), format!(" match “{query}”")),
            (false, true) => (
                format!(" matches “{query}” and what you chose"),
                format!(" match “{query}” and what you chose"),
            ),
        };
        match (found, continued, more) {
            (0, true, _) => "No more servers".to_owned(),
            (0, false, _) if choice.is_empty() => "No servers yet".to_owned(),
            (0, false, _) => format!("No server{of_one}"),
            (_, true, _) => format!("{}, continued", words::count(found, "more server")),
            (_, false, true) if choice.is_empty() => format!("The first {servers}"),
            (_, false, true) => format!("The first {servers} that{of_many}"),
            (1, false, false) => format!("{servers}{of_one}"),
            (_, false, false) => format!("{servers}{of_many}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_cut_a_text_into_parts() {
        let mark = |start, length| Mark {
            field: "title",
            start,
            length,
        };
        let marks = [mark(0, 5), mark(7, 4)];
        let parts = Part::marked("Größe, Mail", marks.iter());
        let told: Vec<_> = parts
            .iter()
            .map(|part| (part.text.as_str(), part.is_marked))
            .collect();
        assert_eq!(told, [("Größe", true), (", ", false), ("Mail", true)]);
        assert_eq!(Part::marked("x", [].iter()), Part::plain("x".to_owned()));
    }
}
