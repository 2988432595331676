//! URIs of resources against the templates that the registry writes: the forms that `core::rest::Resource` names, and no
//! others. A variable is a part of one segment, so nothing is tried twice.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use portreeve_core::rest::{Bindings, RESOURCE_ROOT, Resource};

/// The resources of an API, ready to be found.
#[derive(Debug, Default)]
pub(super) struct Uris {
    /// Those without variables: the key of each, by its URI.
    exact: HashMap<String, String>,
    /// The others, those with the most words of their own first.
    templates: Vec<(Template, String)>,
}

/// A resource that was found.
pub(super) struct Found<'a> {
    pub(super) resource: &'a Resource,
    /// Variables with their texts, decoded; one may come several times.
    pub(super) values: Vec<(String, String)>,
}

#[derive(Debug)]
struct Template {
    segments: Vec<Segment>,
    query: Vec<String>,
}

#[derive(Debug)]
struct Segment {
    before: String,
    variable: Option<String>,
    after: String,
}

// === impl Uris ===

impl Uris {
    pub(super) fn of(bindings: &Bindings) -> Self {
        let mut uris = Self::default();
        for (key, resource) in &bindings.resources {
            if !resource.is_template() {
                uris.exact.insert(resource.uri.clone(), key.clone());
            } else if let Some(template) = Template::read(&resource.uri) {
                uris.templates.push((template, key.clone()));
            }
        }
        uris.templates
            .sort_by_key(|(template, _)| std::cmp::Reverse(template.words()));
        uris
    }

    /// The resource of a URI.
    pub(super) fn find<'a>(&self, bindings: &'a Bindings, uri: &str) -> Option<Found<'a>> {
        if let Some(key) = self.exact.get(uri) {
            return Some(Found {
                resource: bindings.resources.get(key)?,
                values: Vec::new(),
            });
        }
        let (key, values) = self
            .templates
            .iter()
            .find_map(|(template, key)| Some((key, template.values(uri)?)))?;
        Some(Found {
            resource: bindings.resources.get(key)?,
            values,
        })
    }
}

// === impl Template ===

impl Template {
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix(RESOURCE_ROOT)?;
        let (path, query) = match text.split_once("{?") {
            Some((path, names)) => (path, names.strip_suffix('}')?),
            None => (text, ""),
        };
        let names = query.split(',').filter(|name| !name.is_empty());
        Some(Self {
            segments: path.split('/').map(Segment::read).collect::<Option<_>>()?,
            query: names
                .map(|name| decoded(name.trim_end_matches('*')))
                .collect::<Option<_>>()?,
        })
    }

    /// How many bytes of a path it names itself.
    fn words(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.before.len() + segment.after.len())
            .sum()
    }

    /// The values of its variables in a URI that it describes.
    fn values(&self, uri: &str) -> Option<Vec<(String, String)>> {
        let uri = uri.strip_prefix(RESOURCE_ROOT).filter(|uri| !uri.contains('#'))?;
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut values = Vec::new();
        let mut parts = path.split('/');
        for segment in &self.segments {
            values.extend(segment.value(parts.next()?)?);
        }
        if parts.next().is_some() {
            return None;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name).filter(|name| self.query.contains(name))?;
            values.push((name, decoded(value)?));
        }
        Some(values)
    }
}

// === impl Segment ===

impl Segment {
    fn read(text: &str) -> Option<Self> {
        let Some((before, rest)) = text.split_once('{') else {
            return Some(Self {
                before: text.to_owned(),
                variable: None,
                after: String::new(),
            });
        };
        let (name, after) = rest.split_once('}')?;
        (!after.contains('{')).then_some(())?;
        Some(Self {
            before: before.to_owned(),
            variable: Some(decoded(name)?),
            after: after.to_owned(),
        })
    }

    /// The variable with its value, if it has one; `None` when the segment is another.
    fn value(&self, segment: &str) -> Option<Option<(String, String)>> {
        let Some(variable) = &self.variable else {
            return (segment == self.before).then_some(None);
        };
        let value = segment.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        let value = decoded(value).filter(|value| !value.is_empty())?;
        Some(Some((variable.clone(), value)))
    }
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(template: &str, uri: &str) -> Option<Vec<(String, String)>> {
        Template::read(template).unwrap().values(uri)
    }

    fn pairs(list: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Some(list.iter().map(owned).collect())
    }

    #[test]
    fn a_variable_is_a_part_of_one_segment_and_is_decoded() {
        let template = "api:///ships/{ship%2Did}.json{?tags*,page}";
        for (uri, wanted) in [
            ("api:///ships/a.b.json", pairs(&[("ship-id", "a.b")])),
            ("api:///ships/..%2Fx%3F.json", pairs(&[("ship-id", "../x?")])),
            (
                "api:///ships/1.json?tags=a%26b&tags=c&page=2",
                pairs(&[("ship-id", "1"), ("tags", "a&b"), ("tags", "c"), ("page", "2")]),
            ),
            ("api:///ships/.json", None),
            ("api:///ships/1", None),
            ("api:///ships/a/b.json", None),
            ("api:///ships/1.json?other=1", None),
            ("api:///ships/1.json#tags", None),
            ("api:///ships/%FF.json", None),
            ("http:///ships/1.json", None),
        ] {
            assert_eq!(values(template, uri), wanted, "{uri}");
        }
    }

    #[test]
    fn what_is_no_template_of_ours_is_none() {
        for text in ["http:///a/{b}", "api:///{a}{b}", "api:///{a", "api:///a{?b"] {
            assert!(Template::read(text).is_none(), "{text}");
        }
    }
}
