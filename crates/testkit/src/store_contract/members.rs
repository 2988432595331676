//! Virtual servers: the names that they gave, and their routes.

use portreeve_core::members::{Given, Kind};
use portreeve_core::ports::{News, StoreError};

use super::{Durable, Outcome};
use crate::store_fixtures::{event, new_entry, parse, route, version};

fn given(kind: Kind, name: &str, member: &str, own: &str) -> Given {
    Given {
        kind,
        name: name.to_owned(),
        member: parse(member),
        own: own.to_owned(),
    }
}

async fn stored(store: &dyn Durable, name: &str, slug: &str, address: &str) -> Outcome {
    let mut entry = new_entry(name, vec![version(name, "1.0.0")]);
    let mut route = route(name, "1.0.0", slug);
    route.upstream_url = address.to_owned();
    entry.routes = vec![route];
    store.save(entry).await?;
    Ok(())
}

/// A name is given once: neither twice, nor to something that has one, and names that look alike are one.
pub async fn a_gw_3_a_name_is_given_once(store: &dyn Durable) -> Outcome {
    let server = parse("com.acme/all");
    let first = [
        given(Kind::Prompt, "send", "mail", "send"),
        given(Kind::Tool, "j__send", "jira", "send"),
        given(Kind::Tool, "send", "mail", "send"),
    ];
    store.give(&server, &first, vec![event("names.give")]).await?;
    assert_eq!(store.given(&server).await?, first);
    for second in [
        given(Kind::Tool, "send", "other", "send"),
        given(Kind::Tool, "Send", "other", "send"),
        given(Kind::Tool, "again", "mail", "send"),
    ] {
        let beside = given(Kind::Tool, "free", "other", "free");
        let refused = store.give(&server, &[beside, second.clone()], Vec::new()).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{second:?}");
    }
    assert_eq!(store.given(&server).await?, first, "all of them or none");
    let elsewhere = parse("com.acme/others");
    let same = [given(Kind::Tool, "send", "other", "send")];
    store.give(&elsewhere, &same, Vec::new()).await?;
    assert_eq!(store.given(&elsewhere).await?, same);
    Ok(())
}

/// The gateway is told of names with their route, and of new ones as of any change.
pub async fn a_route_of_a_virtual_server_comes_with_its_names(store: &dyn Durable) -> Outcome {
    stored(store, "com.acme/all", "all", "virtual:jira,mail").await?;
    stored(store, "com.acme/mail", "mail", "https://mail.example.com/mcp").await?;
    let server = parse("com.acme/all");
    let names = [given(Kind::Tool, "send", "mail", "send")];
    let before = store.snapshot(None).await?.generation;
    store.give(&server, &names, Vec::new()).await?;
    let News::Since { changed, gone } = store.snapshot(Some(before)).await?.routes else {
        panic!("who knows something is told what moved");
    };
    let told: Vec<_> = changed
        .iter()
        .map(|entry| (entry.route.slug.as_str(), entry.given.clone()))
        .collect();
    assert_eq!((told, gone), (vec![("all", names.to_vec())], vec![]));
    let routes = store.virtual_routes().await?;
    let routes: Vec<_> = routes.iter().map(|route| route.slug.as_str()).collect();
    assert_eq!(routes, ["all"]);
    Ok(())
}
