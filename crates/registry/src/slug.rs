//! The slug of a route: the last part of the server's name, made safe for a URL, with the place behind two dashes; never
//! another server's.
//!
//! Before: `settle` found that a place needs a route. After: the store claims the slug together with the entry.

use portreeve_core::deployment::Place;
use portreeve_core::name::{ServerName, Slug};
use portreeve_core::ports::EntryStore;
use portreeve_core::route::Route;

use crate::error::RegistryError;

/// Characters of a slug's base.
const LONGEST: usize = 100;

/// Characters of a whole slug.
const LONGEST_SLUG: usize = 128;

/// The last resort counts up to here.
const MOST_SUFFIXES: u32 = 1_000;

/// The slug for a place of a server: its own if it ever had one, else the first that is free. `routes` are those that
/// the entry has by now: the base of the production route is the base of all. None of `taken`, which other entries are
/// about to claim beside it.
pub(crate) async fn choose(
    store: &dyn EntryStore,
    name: &ServerName,
    place: &Place,
    (routes, taken): (&[Route], &[Slug]),
) -> Result<Slug, RegistryError> {
    if let Some(own) = store.slug_of(name, place).await? {
        return Ok(own);
    }
    let production = Place::production();
    let base = match routes.iter().find(|route| route.place() == production) {
        Some(route) => Some(route.slug.clone()),
        None => store.slug_of(name, &production).await?,
    };
    for candidate in base.iter().map(ToString::to_string).chain(candidates(name)) {
        let slug = free(store, name, &candidate, place).await?;
        if let Some(slug) = slug.filter(|slug| !speaks_for_another(taken, slug, place)) {
            return Ok(slug);
        }
    }
    Err(RegistryError::Conflict {
        what: format!("every route slug for server `{name}`"),
    })
}

/// The slug on this base, if neither it nor its base speaks for somebody else: `billing--test` is no slug for one
/// server while another is `billing`, nor the other way round.
async fn free(
    store: &dyn EntryStore,
    name: &ServerName,
    base: &str,
    place: &Place,
) -> Result<Option<Slug>, RegistryError> {
    let suffix = place.suffix();
    let room = LONGEST_SLUG.saturating_sub(suffix.len());
    let cut = base.get(..base.floor_char_boundary(room)).unwrap_or(base);
    let (Ok(base), Ok(slug)) = (cut.parse::<Slug>(), format!("{cut}{suffix}").parse::<Slug>()) else {
        return Ok(None);
    };
    let family = store.slug_family(&base).await?;
    let is_ours = |owner: &ServerName| owner.as_str().eq_ignore_ascii_case(name.as_str());
    let is_free = family.iter().all(is_ours) && store.slug_owner(&slug).await?.is_none();
    Ok(is_free.then_some(slug))
}

/// Whether one of these slugs is this one, or has its base.
fn speaks_for_another(taken: &[Slug], slug: &Slug, place: &Place) -> bool {
    let suffix = place.suffix();
    let base = slug
        .as_str()
        .strip_suffix(suffix.as_str())
        .unwrap_or(slug.as_str());
    let rest = |taken: &Slug| taken.as_str().strip_prefix(base).map(str::to_owned);
    taken
        .iter()
        .filter_map(rest)
        .any(|rest| rest.is_empty() || rest.starts_with("--"))
}

/// `billing`, then `com.acme-billing`, then `com.acme-billing-2` and so on.
fn candidates(name: &ServerName) -> impl Iterator<Item = String> {
    let short = safe(name.short());
    let long = safe(&format!("{}-{}", name.namespace(), name.short()));
    let numbered = {
        let long = long.clone();
        (2..=MOST_SUFFIXES).map(move |number| format!("{long}-{number}"))
    };
    [short, long].into_iter().chain(numbered)
}

/// Lower case, only what a slug may have, and never two dashes in a row: those part a slug from its environment or
/// major version (`billing--test`), which must not be mistaken for a server of that name.
fn safe(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars().map(|c| c.to_ascii_lowercase()) {
        let character = match character {
            'a'..='z' | '0'..='9' | '_' | '.' => character,
            _ => '-',
        };
        if slug.len() == LONGEST {
            break;
        }
        if !(character == '-' && slug.ends_with('-')) {
            slug.push(character);
        }
    }
    let is_edge = |c: char| matches!(c, '-' | '.' | '_');
    slug.trim_matches(is_edge).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{candidates, safe};

    #[test]
    fn slugs_are_safe() {
        for (text, expected) in [
            ("billing", "billing"),
            ("Billing_API.v2", "billing_api.v2"),
            ("billing--test", "billing-test"),
            ("a---b", "a-b"),
            ("-x-", "x"),
        ] {
            assert_eq!(safe(text), expected, "{text}");
        }
        assert_eq!(safe(&"x".repeat(180)).len(), 100);
        assert!(safe(&format!("{}-y", "x".repeat(99))).ends_with('x'));
    }

    #[test]
    fn the_namespace_is_put_in_front_on_a_collision() {
        let name = "com.Acme/Billing".parse().unwrap();
        let found: Vec<String> = candidates(&name).take(4).collect();
        assert_eq!(
            found,
            [
                "billing",
                "com.acme-billing",
                "com.acme-billing-2",
                "com.acme-billing-3"
            ]
        );
    }
}
