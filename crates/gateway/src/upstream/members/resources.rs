//! Whose resource a URI names. URIs are never rewritten, so they are looked for in what the members list: a URI itself, or a
//! template that it may come from. Of two members that have it the first one is meant.

use portreeve_core::name::Slug;

use super::Members;
use super::asking::Asking;
use super::lists::{RESOURCES, Shown, TEMPLATES, text_of};

/// What the members list of their resources.
pub(super) struct Catalogue {
    listed: Vec<Shown>,
    templates: Vec<Shown>,
}

impl Members {
    /// What the members list of their resources.
    pub(super) async fn catalogue(&self, asking: &Asking<'_>) -> Catalogue {
        let (listed, templates) =
            tokio::join!(self.gather(asking, &RESOURCES), self.gather(asking, &TEMPLATES));
        Catalogue { listed, templates }
    }
}

impl Catalogue {
    /// The member that has a resource. Only members that list it are told its URI, which may say more than a name.
    pub(super) fn owner_of(&self, uri: &str) -> Option<Slug> {
        let listed = owner(&self.listed, |item| item == uri, RESOURCES.key);
        let from = listed.or_else(|| owner(&self.templates, |item| may_come_from(uri, item), TEMPLATES.key));
        from.or_else(|| self.only_one())
    }

    /// The only one that has any may have more than it lists.
    fn only_one(&self) -> Option<Slug> {
        let all = self.listed.iter().zip(&self.templates);
        let mut having =
            all.filter(|(listed, templates)| !listed.items.is_empty() || !templates.items.is_empty());
        match (having.next(), having.next()) {
            (Some((only, _)), None) => Some(only.peer.slug.clone()),
            _ => None,
        }
    }

    /// The member that has a template, or a resource of that URI.
    pub(super) fn owner_of_template(&self, template: &str) -> Option<Slug> {
        owner(&self.templates, |item| item == template, TEMPLATES.key).or_else(|| self.owner_of(template))
    }
}

fn owner(shown: &[Shown], is_it: impl Fn(&str) -> bool, key: &str) -> Option<Slug> {
    let has_it = |shown: &&Shown| {
        let mut keys = shown.items.iter().filter_map(|item| text_of(item, key));
        keys.any(|own| is_it(&own))
    };
    shown.iter().find(has_it).map(|shown| shown.peer.slug.clone())
}

/// Whether a URI may come from a template (RFC 6570): what stands outside of its expressions stands in the URI, in that order.
fn may_come_from(uri: &str, template: &str) -> bool {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((_, after)) = behind.split_once('}') else {
            return false;
        };
        parts.push(before);
        rest = after;
    }
    let Some((first, middle)) = parts.split_first() else {
        return uri == template;
    };
    let Some(mut left) = uri.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::may_come_from;

    #[test]
    fn a_uri_is_known_by_what_its_template_says_outside_of_braces() {
        for (uri, template) in [
            ("mail://inbox/7", "mail://{folder}/{id}"),
            ("mail://inbox/7/raw", "mail://{folder}/{id}/raw"),
            ("file:///a/b.txt", "file:///{+path}"),
            ("mail://inbox", "mail://inbox{?from,to}"),
            ("mail://inbox", "mail://inbox"),
        ] {
            assert!(may_come_from(uri, template), "{uri} {template}");
        }
        for (uri, template) in [
            ("chat://inbox/7", "mail://{folder}/{id}"),
            ("mail://inbox", "mail://{folder}/{id}"),
            ("mail://inbox/7", "mail://{folder}/{id}/raw"),
            ("mail://inbox", "mail://{folder"),
            ("mail://inboxes", "mail://inbox"),
        ] {
            assert!(!may_come_from(uri, template), "{uri} {template}");
        }
    }
}
