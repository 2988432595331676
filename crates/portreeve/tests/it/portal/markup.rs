//! What every page must be: well-formed, with one main heading, labelled controls, and nothing that the policy forbids.

/// One tag of a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    closes: bool,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

const EMPTY: [&str; 11] = [
    "meta", "link", "input", "br", "img", "hr", "path", "rect", "circle", "!doctype", "source",
];

/// The tags of a page in order. Panics where the text is not what our templates write.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let inner = rest.get(start + 1..).unwrap();
        let end = inner
            .find('>')
            .unwrap_or_else(|| panic!("a tag never ends: {}", cut(inner)));
        tags.push(tag(inner.get(..end).unwrap()));
        rest = inner.get(end + 1..).unwrap();
    }
    tags
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

fn tag(text: &str) -> Tag {
    let closes = text.starts_with('/');
    let text = text.trim_start_matches('/').trim_end_matches('/').trim();
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        match after.strip_prefix("=\"") {
            Some(value) => {
                let (value, after) = value
                    .split_once('"')
                    .unwrap_or_else(|| panic!("no end of value: {text}"));
                attributes.push((attribute.to_owned(), value.to_owned()));
                rest = after;
            }
            None => {
                assert!(!after.starts_with('='), "an attribute without quotes: {text}");
                attributes.push((attribute.to_owned(), String::new()));
                rest = after;
            }
        }
    }
    Tag {
        name: name.to_ascii_lowercase(),
        attributes,
        closes,
    }
}

/// Every check at once.
pub(crate) fn check(html: &str) {
    assert!(html.starts_with("<!doctype html>"));
    let tags = tags(html);
    nesting(&tags);
    headings(&tags);
    identities(&tags);
    controls(&tags);
    policy(&tags);
}

fn nesting(tags: &[Tag]) {
    let mut open: Vec<&str> = Vec::new();
    for tag in tags.iter().filter(|tag| !EMPTY.contains(&tag.name.as_str())) {
        if tag.closes {
            assert_eq!(
                open.pop(),
                Some(tag.name.as_str()),
                "closed in the wrong order, in {open:?}"
            );
        } else {
            open.push(&tag.name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

fn headings(tags: &[Tag]) {
    let levels: Vec<u32> = tags
        .iter()
        .filter(|tag| !tag.closes)
        .filter_map(|tag| tag.name.strip_prefix('h')?.parse().ok())
        .collect();
    assert_eq!(
        levels.iter().filter(|level| **level == 1).count(),
        1,
        "{levels:?}"
    );
    assert_eq!(levels.first(), Some(&1), "{levels:?}");
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "a level is left out: {levels:?}");
    }
}

fn identities(tags: &[Tag]) {
    let mut ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
    ids.sort_unstable();
    let twice: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "identities that stand twice: {twice:?}");
    for tag in tags {
        for name in ["aria-labelledby", "data-copy", "for"] {
            if let Some(id) = tag.attribute(name) {
                assert!(ids.contains(&id), "{name} names nothing: {tag:?}");
            }
        }
    }
    for landmark in ["header", "main", "footer"] {
        let count = tags
            .iter()
            .filter(|tag| tag.name == landmark && !tag.closes)
            .count();
        assert_eq!(count, 1, "{landmark}");
    }
    assert!(
        tags.iter().any(|tag| tag.attribute("href") == Some("#main")),
        "no skip link"
    );
    assert!(
        tags.iter().any(|tag| tag.attribute("role") == Some("status")),
        "no live region"
    );
}

fn controls(tags: &[Tag]) {
    for tag in tags
        .iter()
        .filter(|tag| ["input", "select"].contains(&tag.name.as_str()))
    {
        let kind = tag.attribute("type").unwrap_or("text");
        let labelled = tag.attribute("aria-label").is_some()
            || tags.iter().any(|label| {
                label.attribute("for").is_some() && label.attribute("for") == tag.attribute("id")
            });
        assert!(
            tag.closes || labelled || ["hidden", "radio"].contains(&kind),
            "no label: {tag:?}"
        );
    }
    for form in tags
        .iter()
        .filter(|tag| tag.name == "form" && tag.attribute("method") == Some("post"))
    {
        assert!(
            form.attribute("action")
                .is_some_and(|action| action.starts_with('/')),
            "{form:?}"
        );
    }
}

/// Nothing inline, nothing from elsewhere.
fn policy(tags: &[Tag]) {
    for tag in tags {
        assert!(tag.name != "style" && tag.name != "iframe", "{tag:?}");
        for (name, value) in &tag.attributes {
            assert!(
                name != "style" && !name.starts_with("on"),
                "the policy forbids it: {tag:?}"
            );
            let script = value.trim_start().to_ascii_lowercase().starts_with("javascript:");
            assert!(!(name == "href" && script), "{tag:?}");
        }
        let source = tag
            .attribute("src")
            .or(tag.attribute("href").filter(|_| tag.name == "link"));
        if tag.name == "script" && !tag.closes {
            assert!(source.is_some(), "an inline script");
        }
        if let Some(source) = source.filter(|_| tag.attribute("rel") != Some("canonical")) {
            assert!(source.starts_with("/assets/"), "a request to elsewhere: {tag:?}");
        }
        assert!(tag.name != "img" || source.is_some(), "{tag:?}");
        let leaves = tag.name == "a" && tag.attribute("href").is_some_and(|href| href.starts_with("http"));
        assert!(
            !leaves || tag.attribute("rel") == Some("noopener noreferrer nofollow"),
            "{tag:?}"
        );
    }
}
