//! Lists of versions: order, pages, filters, search.

use portreeve_core::ports::{ListedVersion, VersionFilter, VersionQuery};
use portreeve_core::route::{Access, Entrance, RouteState};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::visibility::Visibility;

use super::{Durable, Outcome};
use crate::store_fixtures::{at, new_entry, parse, route, version};

/// Everything that is listed.
pub fn all() -> VersionQuery {
    VersionQuery {
        visibility: Visibility::Listed,
        search: None,
        versions: VersionFilter::Any,
        updated_since: None,
        include_retired: false,
        after: None,
        limit: 50,
    }
}

fn labels(items: &[ListedVersion]) -> Vec<String> {
    let label = |item: &ListedVersion| format!("{} {}", item.version.name, item.version.version);
    items.iter().map(label).collect()
}

async fn found(
    store: &dyn Durable,
    query: VersionQuery,
) -> Result<Vec<String>, portreeve_core::ports::StoreError> {
    Ok(labels(&store.list(&query).await?.items))
}

/// Pages of 1, 7 and 50 hold the same, in byte order, without gaps and doubles.
pub async fn pages_join_without_gaps(store: &dyn Durable) -> Outcome {
    let mut expected = Vec::new();
    for name in [
        "com.acme/a",
        "com.acme/B",
        "com.acme/a-b",
        "com.acme/a.b",
        "Z.acme/z",
        "com.acme/a_b",
    ] {
        let versions = ["1.0.0", "10.0.0", "2.0.0", "v1", "1.0.0-β"];
        store
            .save(new_entry(name, versions.map(|text| version(name, text)).to_vec()))
            .await?;
        expected.extend(versions.map(|text| (name.to_owned(), text.to_owned())));
    }
    expected.sort();
    for limit in [1, 7, 50] {
        let mut read = Vec::new();
        let mut query = VersionQuery { limit, ..all() };
        loop {
            let page = store.list(&query).await?;
            assert!(page.items.len() <= limit as usize);
            read.extend(
                page.items
                    .iter()
                    .map(|item| (item.version.name.to_string(), item.version.version.to_string())),
            );
            if !page.more {
                break;
            }
            query.after = read.last().cloned();
        }
        assert_eq!(read, expected, "pages of {limit}");
    }
    Ok(())
}

/// A search is a substring of name, title or description, whatever the case; wildcards mean themselves.
pub async fn a_search_takes_wildcards_literally(store: &dyn Durable) -> Outcome {
    for (name, title, description) in [
        ("com.acme/billing", "Größe & Maß", "Invoices and 100% refunds"),
        ("com.acme/wiki_pages", "Wiki", r"Reads C:\pages"),
        (
            "com.acme/plain",
            "Plain",
            "Nothing of that: 100 refunds, wiki-pages, C:pages",
        ),
    ] {
        let mut one = version(name, "1.0.0");
        one.document =
            serde_json::json!({ "name": name, "title": title, "description": description }).to_string();
        store.save(new_entry(name, vec![one])).await?;
    }
    for (search, names) in [
        ("BILLing", vec!["com.acme/billing"]),
        ("GRÖSSE", vec![]),
        ("GRÖßE", vec!["com.acme/billing"]),
        ("invoices", vec!["com.acme/billing"]),
        ("100% r", vec!["com.acme/billing"]),
        ("wiki_p", vec!["com.acme/wiki_pages"]),
        (r"c:\p", vec!["com.acme/wiki_pages"]),
        ("%", vec!["com.acme/billing"]),
        ("_", vec!["com.acme/wiki_pages"]),
        ("\\", vec!["com.acme/wiki_pages"]),
        ("'; DROP TABLE versions; --", vec![]),
        ("a\0b", vec![]),
        (
            "",
            vec!["com.acme/billing", "com.acme/plain", "com.acme/wiki_pages"],
        ),
    ] {
        let query = VersionQuery {
            search: Some(search.to_owned()),
            ..all()
        };
        let names: Vec<_> = names.iter().map(|name| format!("{name} 1.0.0")).collect();
        assert_eq!(found(store, query).await?, names, "search for {search:?}");
    }
    let query = VersionQuery {
        search: Some("%_\\".repeat(20_000)),
        ..all()
    };
    assert!(found(store, query).await?.is_empty());
    Ok(())
}

/// Anonymous callers see approved versions that are not retired; managers see everything.
pub async fn each_sees_what_it_may(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let states = [
        ("1", Approval::Approved, Lifecycle::Production),
        ("2", Approval::Approved, Lifecycle::Retired),
        ("3", Approval::Draft, Lifecycle::Production),
        ("4", Approval::Submitted, Lifecycle::Retired),
        ("5", Approval::Rejected, Lifecycle::Preview),
        ("6", Approval::Approved, Lifecycle::Deprecated),
    ];
    let versions = states.map(|(text, approval, lifecycle)| {
        let mut one = version(name, text);
        (one.approval, one.lifecycle, one.is_latest) = (approval, lifecycle, text == "6");
        one.updated_at = at(text.parse::<i64>().unwrap_or(0) * 100);
        one
    });
    store.save(new_entry(name, versions.to_vec())).await?;
    let numbers = |text: &str| {
        text.chars()
            .map(|digit| format!("{name} {digit}"))
            .collect::<Vec<_>>()
    };

    assert_eq!(found(store, all()).await?, numbers("16"));
    let query = VersionQuery {
        include_retired: true,
        ..all()
    };
    assert_eq!(found(store, query).await?, numbers("126"));
    let query = VersionQuery {
        visibility: Visibility::All,
        ..all()
    };
    assert_eq!(found(store, query).await?, numbers("123456"));
    let query = VersionQuery {
        versions: VersionFilter::Latest,
        ..all()
    };
    assert_eq!(found(store, query).await?, numbers("6"));
    let query = VersionQuery {
        versions: VersionFilter::Exact("1".to_owned()),
        ..all()
    };
    assert_eq!(found(store, query).await?, numbers("1"));
    let query = VersionQuery {
        updated_since: Some(at(100)),
        ..all()
    };
    assert_eq!(found(store, query).await?, numbers("6"));
    Ok(())
}

/// A listed version shows its route only if that is active, for production, and serves exactly this version.
pub async fn a_version_shows_the_route_that_serves_it(store: &dyn Durable) -> Outcome {
    for (name, change) in [
        ("com.acme/a-served", None),
        ("com.acme/b-other-version", Some("version")),
        ("com.acme/c-inactive", Some("state")),
        ("com.acme/d-test", Some("environment")),
    ] {
        let mut served = route(name, "1.0.0", name.split('/').next_back().unwrap_or_default());
        served.access = Access::Anonymous;
        match change {
            Some("version") => served.version = parse("2.0.0"),
            Some("state") => served.state = RouteState::Inactive,
            Some(_) => served.environment = parse("test"),
            None => {}
        }
        let mut entry = new_entry(name, vec![version(name, "1.0.0")]);
        entry.routes = vec![served];
        store.save(entry).await?;
    }
    let faces: Vec<_> = store
        .list(&all())
        .await?
        .items
        .into_iter()
        .map(|item| item.route)
        .collect();
    assert_eq!(
        faces,
        [Some((parse("a-served"), Entrance::Anonymous)), None, None, None]
    );
    Ok(())
}
