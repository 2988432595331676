//! A README as a page shows it: Markdown becomes elements that are written here one by one, and nothing else. What stands in
//! it as HTML loses its tags, so there is nothing to be made harmless afterwards.
//!
//! Links lead to web and mail addresses, into the README, or, where they are relative, into the repository. Pictures would be
//! requests to strangers, which the policy of the pages forbids: a link takes the place of each.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use url::Url;

use crate::words;

/// How deep elements may stand in each other. What is deeper is shown without its element.
const DEEPEST: usize = 32;
/// The heading that stands over a README. Its own begin below.
const ABOVE: usize = 2;

/// Elements that were written here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Markup(String);

/// Where a README comes from, for its relative links.
#[derive(Debug, Clone)]
struct Home(Option<Url>);

/// An element that is written aside until it ends.
struct Aside {
    outer: String,
    plain: String,
}

struct Writer {
    home: Home,
    out: String,
    /// What ends the open elements.
    open: Vec<&'static str>,
    /// The last heading's level.
    level: usize,
    heading: Option<Aside>,
    ids: BTreeSet<String>,
    /// Pictures that are open, the text of the outer one, and where it is.
    pictures: usize,
    alternative: String,
    picture: String,
    /// Links that are open.
    links: usize,
    is_head: bool,
    html: Html,
}

/// Where in HTML the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Html {
    Text,
    Tag,
    Comment,
}

// === impl Markup ===

impl Markup {
    /// A README, with the address of its repository.
    pub(crate) fn of(readme: &str, repository: Option<&str>) -> Self {
        let mut writer = Writer {
            home: Home::new(repository),
            out: String::with_capacity(readme.len() * 2),
            open: Vec::new(),
            level: ABOVE,
            heading: None,
            ids: BTreeSet::new(),
            pictures: 0,
            alternative: String::new(),
            picture: String::new(),
            links: 0,
            is_head: false,
            html: Html::Text,
        };
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        for event in Parser::new_ext(readme, options) {
            writer.take(event);
        }
        Self(writer.out)
    }

    /// The elements. Everything in them was escaped when it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

// === impl Home ===

impl Home {
    /// Only hosts of which it is known where a file of a repository is read.
    fn new(repository: Option<&str>) -> Self {
        let files = |address: &str| {
            let url = Url::parse(address).ok().filter(|url| url.scheme() == "https")?;
            let place = match url.host_str()? {
                "github.com" => "blob/HEAD/",
                "gitlab.com" => "-/blob/HEAD/",
                _ => return None,
            };
            let root = address.trim_end_matches('/').trim_end_matches(".git");
            Url::parse(&format!("{root}/{place}")).ok()
        };
        Self(repository.and_then(files))
    }

    /// Where a link leads; `None` for one that is shown as its text.
    fn address(&self, link: &str) -> Option<String> {
        if let Some(part) = link.strip_prefix('#') {
            let id = slug(part);
            return (!id.is_empty()).then(|| format!("#readme-{id}"));
        }
        if let Some(web) = words::web_link(link) {
            return Some(web);
        }
        if link
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"))
        {
            return Some(link.to_owned());
        }
        let begin = link.split(['/', '?', '#']).next().unwrap_or_default();
        if begin.contains(':') || link.starts_with("//") || link.is_empty() {
            return None;
        }
        let files = self.0.as_ref()?;
        let found = files.join(link.trim_start_matches('/')).ok()?;
        let stays = found.as_str().starts_with(files.as_str());
        stays.then(|| found.into())
    }
}

// === impl Writer ===

impl Writer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
            Event::Code(text) => {
                if self.pictures > 0 {
                    self.text(&text);
                } else {
                    self.out.push_str("<code>");
                    self.text(&text);
                    self.out.push_str("</code>");
                }
            }
            Event::Html(html) => self.html(&html),
            // One tag each, or a comment: nothing of it is text.
            Event::InlineHtml(html) => {
                let is_break = html.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case("<br"));
                if is_break && self.pictures == 0 {
                    self.out.push_str("<br>");
                }
            }
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak if self.pictures == 0 => self.out.push_str("<br>\n"),
            Event::HardBreak => self.text(" "),
            Event::Rule => self.out.push_str("<hr>\n"),
            Event::TaskListMarker(is_done) => self.text(if is_done { "☑ " } else { "☐ " }),
            Event::FootnoteReference(name) => self.text(&name),
        }
    }

    fn text(&mut self, text: &str) {
        let text = words::visible(text);
        if self.pictures > 0 {
            self.alternative.push_str(&text);
            return;
        }
        if let Some(heading) = &mut self.heading {
            heading.plain.push_str(&text);
        }
        escape(&text, &mut self.out);
    }

    /// Writes an element's begin, and keeps its end.
    fn element(&mut self, begin: &str, end: &'static str) {
        if self.open.len() < DEEPEST {
            self.out.push_str(begin);
            self.open.push(end);
        } else {
            self.open.push("");
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        if self.pictures > 0 {
            if matches!(tag, Tag::Image { .. }) {
                self.pictures += 1;
            }
            return;
        }
        match tag {
            Tag::Paragraph => self.element("<p>", "</p>\n"),
            Tag::Heading { level, .. } => self.begin_heading(level),
            Tag::BlockQuote(_) => self.element("<blockquote>\n", "</blockquote>\n"),
            Tag::CodeBlock(kind) => {
                let label = match &kind {
                    CodeBlockKind::Fenced(language) if !language.is_empty() => language,
                    _ => &CowStr::Borrowed("text"),
                };
                let mut begin = "<pre tabindex=\"0\" role=\"group\" aria-label=\"Code, ".to_owned();
                escape(&words::visible(label), &mut begin);
                begin.push_str("\"><code>");
                self.element(&begin, "</code></pre>\n");
            }
            Tag::HtmlBlock => {
                self.html = Html::Text;
                self.element("<p>", "</p>\n");
            }
            Tag::List(Some(1)) => self.element("<ol>\n", "</ol>\n"),
            Tag::List(Some(first)) => self.element(&format!("<ol start=\"{first}\">\n"), "</ol>\n"),
            Tag::List(None) => self.element("<ul>\n", "</ul>\n"),
            Tag::Item => self.element("<li>", "</li>\n"),
            Tag::Table(_) => self.element(
                "<div class=\"scroll\" role=\"region\" aria-label=\"Table\" tabindex=\"0\"><table>\n",
                "</tbody></table></div>\n",
            ),
            Tag::TableHead => {
                self.is_head = true;
                self.element("<thead><tr>", "</tr></thead><tbody>\n");
            }
            Tag::TableRow => self.element("<tr>", "</tr>\n"),
            Tag::TableCell if self.is_head => self.element("<th scope=\"col\">", "</th>"),
            Tag::TableCell => self.element("<td>", "</td>"),
            Tag::Emphasis => self.element("<em>", "</em>"),
            Tag::Strong => self.element("<strong>", "</strong>"),
            Tag::Strikethrough => self.element("<s>", "</s>"),
            Tag::Link {
                link_type, dest_url, ..
            } => self.begin_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => {
                self.pictures = 1;
                self.alternative.clear();
                self.picture = dest_url.into_string();
            }
            // Not asked for, or without an element of its own.
            _ => self.open.push(""),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        if self.pictures > 0 {
            if tag == TagEnd::Image {
                self.pictures -= 1;
                if self.pictures == 0 {
                    self.end_picture();
                }
            }
            return;
        }
        match tag {
            TagEnd::Heading(_) => return self.end_heading(),
            TagEnd::TableHead => self.is_head = false,
            TagEnd::Link => self.links = self.links.saturating_sub(1),
            _ => {}
        }
        let end = self.open.pop().unwrap_or_default();
        self.out.push_str(end);
    }

    /// A heading is written aside: its identity is made of its text.
    fn begin_heading(&mut self, level: HeadingLevel) {
        // No level is left out, whatever the README does: who hears a page finds the way by them.
        self.level = (level as usize + ABOVE).min(self.level + 1).min(6);
        self.heading = Some(Aside {
            outer: std::mem::take(&mut self.out),
            plain: String::new(),
        });
    }

    fn end_heading(&mut self) {
        let Some(Aside { outer, plain }) = self.heading.take() else {
            return;
        };
        let inner = std::mem::replace(&mut self.out, outer);
        let level = self.level;
        let id = slug(&plain);
        let id = if self.ids.insert(id.clone()) && !id.is_empty() {
            format!(" id=\"readme-{id}\"")
        } else {
            String::new()
        };
        self.out.push_str(&format!("<h{level}{id}>{inner}</h{level}>\n"));
    }

    fn begin_link(&mut self, kind: LinkType, link: &str) {
        self.links += 1;
        let link = match kind {
            LinkType::Email => format!("mailto:{link}"),
            _ => link.to_owned(),
        };
        match self.home.address(&link) {
            Some(address) => {
                let begin = begin_anchor(&address);
                self.element(&begin, "</a>");
            }
            None => self.open.push(""),
        }
    }

    /// What a picture would show; a link to it, unless it stands in one.
    fn end_picture(&mut self) {
        let alternative = std::mem::take(&mut self.alternative);
        let picture = std::mem::take(&mut self.picture);
        let shown = match alternative.trim() {
            "" => "Picture".to_owned(),
            text => format!("Picture: {text}"),
        };
        match self.home.address(&picture).filter(|_| self.links == 0) {
            Some(address) => {
                self.out.push_str(&begin_anchor(&address));
                self.text(&shown);
                self.out.push_str("</a>");
            }
            None => self.text(&shown),
        }
    }

    /// The text between tags; a tag may begin in one line and end in another.
    fn html(&mut self, html: &str) {
        let mut text = String::new();
        let mut rest = html;
        while let Some(character) = rest.chars().next() {
            let (state, skipped) = match self.html {
                Html::Text if rest.starts_with("<!--") => (Html::Comment, 4),
                Html::Text if character == '<' => (Html::Tag, 1),
                Html::Tag if character == '>' => (Html::Text, 1),
                Html::Comment if rest.starts_with("-->") => (Html::Text, 3),
                state => (state, 0),
            };
            if skipped == 0 {
                if state == Html::Text {
                    text.push(character);
                }
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
            } else {
                rest = rest.get(skipped..).unwrap_or_default();
            }
            self.html = state;
        }
        if !text.trim().is_empty() {
            self.text(&text);
        }
    }
}

fn begin_anchor(address: &str) -> String {
    let mut begin = "<a href=\"".to_owned();
    escape(address, &mut begin);
    begin.push('"');
    if !address.starts_with('#') {
        begin.push_str(" rel=\"noopener noreferrer nofollow\"");
    }
    begin.push('>');
    begin
}

/// `Getting started!` is found by `#getting-started`, as on the hosts of repositories.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.trim().chars() {
        if character.is_alphanumeric() || character == '_' {
            slug.extend(character.to_lowercase());
        } else if character == ' ' || character == '-' {
            slug.push('-');
        }
    }
    slug
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&#38;"),
            '<' => out.push_str("&#60;"),
            '>' => out.push_str("&#62;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
#[path = "readme_tests.rs"]
mod tests;
