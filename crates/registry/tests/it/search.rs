//! Search: what is found, in which order, and for whom.

use portreeve_core::caller::Caller;
use portreeve_core::profile::UseCase;
use portreeve_core::protocol::Era;
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_registry::{Approve, Kind, ListParams, Mark, Narrow, RegistryError, SearchPage, SearchQuery};
use serde_json::json;

use crate::world::{NAME, URL, World, admin, caller, remote};

fn document(name: &str, title: &str, description: &str, tags: &[&str]) -> String {
    json!({
        "name": name, "title": title, "description": description, "version": "1.0.0",
        "packages": [{"registryType": "npm", "identifier": "x", "version": "1.0.0", "transport": {"type": "stdio"}}],
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided": {"tags": tags}},
    })
    .to_string()
}

fn words(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.to_owned(),
        ..SearchQuery::default()
    }
}

fn names(page: &SearchPage) -> Vec<&str> {
    page.items
        .iter()
        .map(|found| found.listed.version.name.as_str())
        .collect()
}

async fn find(world: &World, text: &str) -> Vec<String> {
    let page = world.registry.search(&caller("user"), words(text)).await.unwrap();
    names(&page).into_iter().map(str::to_owned).collect()
}

async fn small() -> World {
    let world = World::new();
    for (name, title, description, tags) in [
        (
            "com.acme/slack",
            "Slack",
            "Sends messages to channels",
            &["chat"][..],
        ),
        (
            "com.acme/chat-archive",
            "Archive",
            "Keeps what was said on Slack",
            &["search"],
        ),
        (
            "io.github.slack-fan/weather",
            "Weather",
            "Forecasts for cities",
            &[],
        ),
        (
            "com.acme/tickets",
            "Ticket desk",
            "Opens and closes issues",
            &["slack", "support"],
        ),
        (
            "com.acme/GitHubMirror",
            "Mirror",
            "Copies repositories",
            &["code"],
        ),
        ("com.acme/brave-search", "Brave", "Finds web pages", &["search"]),
    ] {
        world.approved(&document(name, title, description, tags)).await;
    }
    world
}

#[tokio::test]
async fn names_come_before_titles_tags_and_descriptions() {
    let world = small().await;
    assert_eq!(
        find(&world, "slack").await,
        [
            "com.acme/slack",
            "com.acme/tickets",
            "com.acme/chat-archive",
            "io.github.slack-fan/weather"
        ]
    );
    assert_eq!(find(&world, "sending a message").await, ["com.acme/slack"]);
    assert_eq!(find(&world, "closed issue").await, ["com.acme/tickets"]);
}

#[tokio::test]
async fn beginnings_joined_words_and_slips_are_understood() {
    let world = small().await;
    assert_eq!(find(&world, "weath").await, ["io.github.slack-fan/weather"]);
    assert_eq!(find(&world, "github").await, ["com.acme/GitHubMirror"]);
    assert_eq!(find(&world, "bravesearch").await, ["com.acme/brave-search"]);
    let page = world
        .registry
        .search(&admin(), words("forcasts wether"))
        .await
        .unwrap();
    assert_eq!(names(&page), ["io.github.slack-fan/weather"]);
    let corrected: Vec<(&str, &str)> = page
        .corrected
        .iter()
        .map(|(typed, meant)| (typed.as_str(), meant.as_str()))
        .collect();
    assert_eq!(corrected, [("forcasts", "forecasts"), ("wether", "weather")]);
    assert!(find(&world, "zzzzqqqq").await.is_empty());
}

#[tokio::test]
async fn what_was_looked_for_is_marked() {
    let world = small().await;
    let page = world
        .registry
        .search(&admin(), words("slack message"))
        .await
        .unwrap();
    let mark = |field, start, length| Mark { field, start, length };
    assert_eq!(
        page.items[0].marks,
        [mark("name", 9, 5), mark("title", 0, 5), mark("description", 6, 8)]
    );
}

async fn with_a_remote() -> World {
    let world = small().await;
    world.approved(&remote("com.acme/remote", "1.0.0", URL)).await;
    world
}

#[tokio::test]
async fn results_are_counted_and_paged() {
    let world = with_a_remote().await;
    let query = SearchQuery {
        facets: true,
        limit: Some(2),
        ..SearchQuery::default()
    };
    let mut page = world.registry.search(&caller("user"), query).await.unwrap();
    assert_eq!((page.found, page.more), (7, false));
    let facets = page.facets.clone().unwrap();
    let told = |facets: &[portreeve_registry::Facet]| -> Vec<(String, usize)> {
        facets
            .iter()
            .map(|facet| (facet.value.clone(), facet.count))
            .collect()
    };
    let pair = |value: &str, count| (value.to_owned(), count);
    assert_eq!(told(&facets.kind), [pair("local", 6), pair("remote", 1)]);
    assert_eq!(told(&facets.registry_types), [pair("npm", 6)]);
    assert_eq!(told(&facets.lifecycle), [pair("production", 7)]);
    assert_eq!(told(&facets.tags)[0], pair("search", 2));
    let mut all = Vec::new();
    loop {
        assert!(page.items.len() <= 2);
        all.extend(names(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page.next_cursor else { break };
        let next = SearchQuery {
            cursor: Some(cursor),
            limit: Some(2),
            ..SearchQuery::default()
        };
        page = world.registry.search(&caller("user"), next).await.unwrap();
    }
    let mut sorted = all.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((all.len(), &all), (7, &sorted));
}

#[tokio::test]
async fn results_are_narrowed() {
    let world = with_a_remote().await;
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let none = Narrow::default;
    for (narrow, expected) in [
        (
            Narrow {
                kind: Some(Kind::Remote),
                ..none()
            },
            vec!["com.acme/remote"],
        ),
        (
            Narrow {
                tags: list(&["slack", "support"]),
                ..none()
            },
            vec!["com.acme/tickets"],
        ),
        (
            Narrow {
                lifecycle: vec![Lifecycle::Preview],
                ..none()
            },
            vec![],
        ),
        (
            Narrow {
                registry_types: list(&["oci"]),
                ..none()
            },
            vec![],
        ),
    ] {
        let query = SearchQuery {
            narrow,
            ..SearchQuery::default()
        };
        let page = world.registry.search(&admin(), query).await.unwrap();
        assert_eq!(names(&page), expected);
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_question() {
    let world = small().await;
    let one = SearchQuery {
        limit: Some(1),
        ..words("slack")
    };
    let page = world.registry.search(&admin(), one).await.unwrap();
    for text in ["weather", ""] {
        let next = SearchQuery {
            cursor: page.next_cursor.clone(),
            ..words(text)
        };
        let answer = world.registry.search(&admin(), next).await;
        assert_eq!(matches!(answer, Err(RegistryError::BadCursor)), !text.is_empty());
    }
    let broken = SearchQuery {
        cursor: Some("nonsense".to_owned()),
        ..words("slack")
    };
    let refused = world.registry.search(&admin(), broken).await;
    assert!(matches!(refused, Err(RegistryError::BadCursor)));
}

#[tokio::test]
async fn a_tool_is_found_only_by_who_may_call_it() {
    let world = World::new();
    world.upstreams.answer(
        URL,
        &[("list_invoices", "Lists"), ("secret", "Hidden from users")],
    );
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let tools = async |who: Caller, text: &str| {
        let page = world.registry.search(&who, words(text)).await.unwrap();
        page.items
            .into_iter()
            .flat_map(|found| found.tools)
            .collect::<Vec<_>>()
    };
    assert_eq!(tools(caller("user"), "invoice listing").await, ["list_invoices"]);
    assert!(tools(caller("user"), "secret").await.is_empty());
    let page = world
        .registry
        .search(&caller("user"), words("secret"))
        .await
        .unwrap();
    assert!(
        page.items.is_empty(),
        "a tool that one may not see does not exist"
    );
    assert_eq!(tools(admin(), "secret").await, ["secret"]);
    assert!(tools(Caller::anonymous(), "list").await.is_empty());
    assert!(
        world.store.get(NAME).routes[0]
            .upstream_eras
            .contains(&Era::Modern)
    );
}

#[tokio::test]
async fn j2_a_use_case_finds_it_for_who_may_discover_it() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.store.meddle(NAME, |entry| {
        entry.server.profile.use_cases.push(UseCase {
            name: "Month end".to_owned(),
            description: "Closing the ledgers".to_owned(),
        });
        entry.server.profile.tags.push("finance".to_owned());
    });
    let found = async |who: Caller, query: SearchQuery| {
        let page = world.registry.search(&who, query).await.unwrap();
        (page.items.len(), page.facets.map(|facets| facets.tags.len()))
    };
    let tagged = || SearchQuery {
        narrow: Narrow {
            tags: vec!["finance".to_owned()],
            ..Narrow::default()
        },
        facets: true,
        ..SearchQuery::default()
    };
    for (who, count) in [
        (caller("user"), 1),
        (admin(), 1),
        (caller("nobody"), 0),
        (Caller::anonymous(), 0),
    ] {
        let label = who.label.to_string();
        assert_eq!(
            found(who.clone(), words("close a ledger")).await.0,
            count,
            "{label}"
        );
        assert_eq!(found(who, tagged()).await, (count, Some(count)), "{label}");
    }
    let all = SearchQuery {
        facets: true,
        ..SearchQuery::default()
    };
    assert_eq!(
        found(caller("nobody"), all).await,
        (1, Some(0)),
        "no tag shows through the counts"
    );
}

#[tokio::test]
async fn what_is_not_listed_exists_only_for_managers() {
    let world = small().await;
    world
        .add(
            &document("com.acme/draft-slack", "Slack draft", "Waits", &[]),
            Approve::No,
        )
        .await
        .unwrap();
    assert!(
        !find(&world, "slack draft")
            .await
            .contains(&"com.acme/draft-slack".to_owned())
    );
    let page = world
        .registry
        .search(&admin(), words("slack draft"))
        .await
        .unwrap();
    assert_eq!(names(&page)[0], "com.acme/draft-slack");
    assert_eq!(page.items[0].listed.version.approval, Approval::Submitted);
    let page = world
        .registry
        .search(&caller("user"), words("slack"))
        .await
        .unwrap();
    assert_eq!(
        page.items[0].listed.version.submitted_by, "",
        "nobody's name is told"
    );
}

#[tokio::test]
async fn no_slip_is_mended_to_a_word_that_one_may_not_know() {
    let world = small().await;
    let secret = document("com.acme/zeppelin", "Zeppelin", "Waits", &[]);
    world.add(&secret, Approve::No).await.unwrap();
    let corrected = async |who: Caller| {
        let page = world.registry.search(&who, words("zepelin")).await.unwrap();
        page.corrected.len()
    };
    assert_eq!(corrected(caller("user")).await, 0);
    assert_eq!(corrected(admin()).await, 1);
}

#[tokio::test]
async fn a_change_is_found_at_once_and_what_is_removed_is_not() {
    let world = small().await;
    assert!(find(&world, "calendar").await.is_empty());
    world
        .approved(&document("com.acme/cal", "Calendar", "Plans", &[]))
        .await;
    assert_eq!(find(&world, "calendar").await, ["com.acme/cal"]);
    let name = "com.acme/cal".parse().unwrap();
    world.registry.remove(&admin(), &name).await.unwrap();
    assert!(find(&world, "calendar").await.is_empty());
}

#[tokio::test]
async fn a7_the_pages_of_a_contained_text_join_to_the_filtered_set() {
    let world = World::new();
    let mut expected = Vec::new();
    for number in 0..60 {
        let name = format!(
            "com.acme/{}-{number:02}",
            if number % 3 == 0 { "gmailer" } else { "other" }
        );
        for version in ["1.0.0", "1.1.0"] {
            let text = document(&name, "T", "D", &[]).replace("1.0.0", version);
            world.approved(&text).await;
            if number % 3 == 0 {
                expected.push(format!("{name} {version}"));
            }
        }
    }
    for limit in ["1", "7", "100"] {
        // The first round is answered by the store alone, the others with the index.
        if limit == "7" {
            assert!(!find(&world, "gmailer").await.is_empty());
        }
        let mut params = ListParams {
            limit: Some(limit.to_owned()),
            search: Some("MAIL".to_owned()),
            ..ListParams::default()
        };
        let mut found = Vec::new();
        loop {
            let page = world
                .registry
                .serve_list_in(&world.everybody(), &params)
                .await
                .unwrap();
            found.extend(page.servers.iter().map(|served| {
                let text = |key| served.server.text(key).unwrap();
                format!("{} {}", text("name"), text("version"))
            }));
            params.search = None;
            params.cursor = page.metadata.next_cursor;
            if params.cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
}
