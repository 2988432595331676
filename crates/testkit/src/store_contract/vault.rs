//! Sealed secrets.

use portreeve_core::login::{Login, ServerLogin};
use portreeve_core::ports::{Removal, RouteChange, SecretChange};
use portreeve_core::route::{PolicyDocument, Route};
use portreeve_core::vault::{SealedSecret, SecretFacts};

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{at, event, new_entry, parse, route, version};

pub(super) fn change(name: &str, sealed: &str, revision: i64) -> SecretChange {
    let facts = SecretFacts {
        name: parse(name),
        created_by: "user:ada".to_owned(),
        created_at: at(1),
        updated_by: if revision == 1 { "user:ada" } else { "user:bob" }.to_owned(),
        updated_at: at(revision),
        revision,
    };
    SecretChange {
        secret: SealedSecret {
            facts,
            sealed: sealed.to_owned(),
        },
        expected: Some(revision - 1).filter(|expected| *expected > 0),
        most: 2,
        event: event("secret.set"),
    }
}

/// A secret is read as it was sealed, replaced only as it was read, and gone when it is removed.
pub async fn a_secret_is_replaced_as_it_was_read(store: &dyn Durable) -> Outcome {
    let generation = store.generation().await?;
    let first = change("github", "sealed-1", 1);
    let name = first.secret.facts.name.clone();
    assert_eq!(store.secret(&name).await?, None);
    store.put_secret(first.clone()).await?;
    assert_eq!(store.secret(&name).await?.as_ref(), Some(&first.secret));
    assert_conflict(store.put_secret(first.clone()).await);

    let second = change("github", "sealed-2", 2);
    store.put_secret(second.clone()).await?;
    assert_conflict(store.put_secret(second.clone()).await);
    assert_eq!(store.secret(&name).await?, Some(second.secret.clone()));
    assert_eq!(store.secrets().await?, std::slice::from_ref(&second.secret.facts));
    assert_conflict(store.put_secret(change("nowhere", "sealed", 5)).await);

    let remove = || store.remove_secret(&name, Removal::Unused, event("secret.delete"));
    assert_eq!(remove().await?, [], "nobody uses it");
    assert_not_found(remove().await);
    assert_eq!(store.secret(&name).await?, None);
    assert_eq!(store.generation().await?, generation, "no decision depends on it");
    Ok(())
}

/// A route whose policies name a secret is one of its users, from its change to its end.
pub async fn a_route_names_the_secrets_of_its_policies(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let policy = |secret: &str| PolicyDocument {
        kind: "credential".to_owned(),
        config: serde_json::Map::from_iter([("in".to_owned(), serde_json::json!([{ "secret": secret }]))]),
    };
    store.put_secret(change("github", "sealed", 1)).await?;
    let mut entry = new_entry(name, vec![version(name, "1.0.0")]);
    entry.routes = vec![route(name, "1.0.0", "billing")];
    store.save(entry).await?;
    let github = parse("github");
    assert_eq!(store.secret_uses(&github).await?, []);
    let save = async |mut route: Route, policies: Vec<PolicyDocument>| {
        route.policies = policies;
        let events = vec![event("route.change")];
        store.save_route(RouteChange { route, events }).await
    };
    let first = store.route(&parse("billing")).await?;
    let first = first.unwrap_or_else(|| panic!("no route"));
    assert_not_found(save(first.clone(), vec![policy("secret:nowhere")]).await);
    let named = save(first, vec![policy("secret:github"), policy("secret:github")]).await?;
    let uses = store.secret_uses(&github).await?;
    let uses: Vec<String> = uses.iter().map(ToString::to_string).collect();
    assert_eq!(uses, ["route `billing`"]);
    let remove = async |removal| {
        store
            .remove_secret(&github, removal, event("secret.delete"))
            .await
    };
    assert_eq!(remove(Removal::Unused).await?.len(), 1);
    assert_eq!(remove(Removal::Forced).await?, []);
    // It named the secret before: other changes go on without it.
    let again = save(named, vec![policy("secret:github")]).await?;
    assert_eq!(store.secret_uses(&github).await?.len(), 1);
    let without = save(again, Vec::new()).await?;
    assert_eq!(store.secret_uses(&github).await?, []);
    store.put_secret(change("github", "sealed", 1)).await?;
    save(without, vec![policy("secret:github")]).await?;
    store.remove(&parse(name), 1, event("server.remove")).await?;
    assert_eq!(store.secret_uses(&github).await?, []);
    Ok(())
}

/// There is a number of secrets that is not exceeded, and replacing one is no new one.
pub async fn a_full_vault_takes_no_more(store: &dyn Durable) -> Outcome {
    store.put_secret(change("b", "sealed", 1)).await?;
    store.put_secret(change("a", "sealed", 1)).await?;
    assert_conflict(store.put_secret(change("c", "sealed", 1)).await);
    store.put_secret(change("a", "sealed again", 2)).await?;
    let names: Vec<_> = store
        .secrets()
        .await?
        .into_iter()
        .map(|facts| facts.name.to_string())
        .collect();
    assert_eq!(names, ["a", "b"]);
    Ok(())
}

/// The identity of the installation stays what it is.
pub async fn an_installation_has_one_identity(store: &dyn Durable) -> Outcome {
    let identity = store.installation().await?;
    assert_eq!(identity.len(), 32, "{identity}");
    assert_eq!(store.installation().await?, identity);
    Ok(())
}

/// A login is read as it was set, for one URL each, names its secret, and goes with its server.
pub async fn a_login_names_its_secret_and_goes_with_its_server(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let login = |url: &str, secret: &str| ServerLogin {
        server: parse(name),
        url: url.to_owned(),
        login: Login::Bearer {
            secret: parse(secret),
        },
        set_by: "user:ada".to_owned(),
        set_at: at(1),
    };
    let (one, two) = (
        login("https://a.example/mcp", "secret:github"),
        login("https://b.example/mcp", "secret:gitlab"),
    );
    let set = async |login: &ServerLogin| store.set_login(login, 2, event("server.login")).await;
    store.put_secret(change("github", "sealed", 1)).await?;
    store.put_secret(change("gitlab", "sealed", 1)).await?;
    assert_not_found(set(&one).await);
    store.save(new_entry(name, vec![version(name, "1.0.0")])).await?;
    assert_not_found(set(&login("https://a.example/mcp", "secret:nowhere")).await);
    set(&two).await?;
    set(&one).await?;
    assert_eq!(store.logins(&one.server).await?, [one.clone(), two.clone()]);
    assert_conflict(set(&login("https://c.example/mcp", "secret:github")).await);
    let changed = login("https://b.example/mcp", "secret:github");
    set(&changed).await?;
    assert_eq!(store.logins(&one.server).await?, [one.clone(), changed]);

    let (github, gitlab) = (parse("github"), parse("gitlab"));
    let uses = store.secret_uses(&github).await?;
    let uses: Vec<String> = uses.iter().map(ToString::to_string).collect();
    assert_eq!(
        uses,
        [
            "login `com.acme/billing at https://a.example/mcp`",
            "login `com.acme/billing at https://b.example/mcp`"
        ]
    );
    assert_eq!(store.secret_uses(&gitlab).await?, []);
    let remove = async || {
        store
            .remove_login(&one.server, &one.url, event("server.logout"))
            .await
    };
    remove().await?;
    assert_not_found(remove().await);
    assert_eq!(store.secret_uses(&github).await?.len(), 1);
    store.remove(&one.server, 1, event("server.remove")).await?;
    assert_eq!(store.logins(&one.server).await?, []);
    assert_eq!(
        store.secret_uses(&github).await?,
        [],
        "nobody is left who names it"
    );
    Ok(())
}
