//! The slug of a route: the last part of the server's name, made safe for a URL, never another server's.
//!
//! Before: `settle` found that a server needs a route. After: the store claims the slug together with the entry.

use portreeve_core::name::{Environment, ServerName, Slug};
use portreeve_core::ports::EntryStore;

use crate::error::RegistryError;

/// Characters of a slug, with room for a suffix.
const LONGEST: usize = 100;

/// The last resort counts up to here.
const MOST_SUFFIXES: u32 = 1_000;

/// The slug for the production route of a server: its own if it ever had one, else the first that is free.
/// None of `taken`, which are about to be claimed beside it.
pub(crate) async fn choose(
    store: &dyn EntryStore,
    name: &ServerName,
    taken: &[Slug],
) -> Result<Slug, RegistryError> {
    let production = Environment::production();
    if let Some(own) = store.slug_of(name, &production).await? {
        return Ok(own);
    }
    for candidate in candidates(name) {
        let Ok(slug) = candidate.parse::<Slug>() else {
            continue;
        };
        if !taken.contains(&slug) && store.slug_owner(&slug).await?.is_none() {
            return Ok(slug);
        }
    }
    Err(RegistryError::Conflict {
        what: format!("every route slug for server `{name}`"),
    })
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
