//! Adding servers and versions: who may, what is refused, what is granted.

use portreeve_core::server::Approval;
use portreeve_net::NetError;
use portreeve_registry::{Approve, Internal, RegistryError, Submission, ToolsOutcome};

use crate::world::{NAME, URL, World, admin, caller, package, remote};

fn submission(document: String, internal: Internal, approve: Approve) -> Submission {
    Submission {
        document,
        internal,
        approve,
    }
}

#[tokio::test]
async fn a_managers_document_is_submitted_and_changes_nothing_that_is_served() {
    let world = World::new();
    let document = remote(NAME, "1.0.0", URL);
    let outcome = world.add(&document, Approve::No).await.unwrap();
    assert_eq!(outcome.version.approval, Approval::Submitted);
    assert_eq!(outcome.version.document, document);
    assert_eq!(outcome.version.content_hash.len(), 64);
    assert_eq!(outcome.tools, ToolsOutcome::NoRoute);
    assert!(outcome.route.is_none() && !outcome.version.is_latest);
    assert!(world.store.get(NAME).routes.is_empty());
    assert!(world.upstreams.asked().is_empty());
    assert_eq!(world.actions(), ["server.add"]);
}

#[tokio::test]
async fn who_may_not_manage_may_not_add() {
    let world = World::new();
    for label in ["user", "stranger"] {
        let add = submission(remote(NAME, "1.0.0", URL), Internal::No, Approve::Now);
        let error = world.registry.add(&caller(label), add).await.unwrap_err();
        assert!(matches!(error, RegistryError::Forbidden { .. }), "{error}");
    }
    // The right to manage one server is not the right to make another.
    let add = submission(remote("com.acme/other", "1.0.0", URL), Internal::No, Approve::No);
    let error = world.registry.add(&caller("steward"), add).await.unwrap_err();
    assert!(matches!(error, RegistryError::Forbidden { .. }), "{error}");
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn every_problem_of_a_document_is_named() {
    let world = World::new();
    let document = r#"{"name":"com.acme/x1","description":"","version":"^1","title":" ","remotes":[
        {"type":"streamable-http","url":"https://user:pw@a.example/mcp"},
        {"type":"streamable-http","url":"https://gw.example/s/x/mcp"},
        {"type":"sse","url":"https://{tenant}.example/mcp"}]}"#;
    let error = world.add(document, Approve::Now).await.unwrap_err();
    let RegistryError::Invalid(problems) = &error else {
        panic!("{error}")
    };
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "version",
            "title",
            "description",
            "remotes[2].url",
            "remotes[0].url",
            "remotes[1].url"
        ]
    );
    assert!(error.to_string().ends_with("(and 5 more)"), "{error}");
    for document in [
        "",
        "[]",
        r#"{"name":"a.b/cd","name":"a.b/ce"}"#,
        &" ".repeat(300 * 1024),
    ] {
        let error = world.add(document, Approve::Now).await.unwrap_err();
        let RegistryError::Invalid(problems) = &error else {
            panic!("{error}")
        };
        assert_eq!(problems[0].path, "$");
    }
}

#[tokio::test]
async fn a_templated_url_has_no_route() {
    let world = World::new();
    let document = r#"{"name":"com.acme/x1","description":"d","version":"1","remotes":[{"type":"streamable-http",
        "url":"https://{tenant}.example/mcp","variables":{"tenant":{"isRequired":true}}}]}"#;
    let error = world.add(document, Approve::Now).await.unwrap_err();
    assert!(error.to_string().contains("fill them in"), "{error}");
}

#[tokio::test]
async fn private_hosts_are_granted_only_when_asked_for_and_only_by_administrators() {
    let world = World::new();
    let url = "http://127.0.0.1:9001/mcp";
    let error = world
        .add(&remote(NAME, "1.0.0", url), Approve::No)
        .await
        .unwrap_err();
    assert!(matches!(&error, RegistryError::Private { hosts } if hosts[0].to_string() == "127.0.0.1:9001"));
    assert!(error.to_string().contains("`127.0.0.1:9001`"), "{error}");
    assert!(error.hint().contains("`--internal`"));

    for approve in [Approve::No, Approve::Now] {
        let add = submission(remote(NAME, "1.0.0", url), Internal::Grant, approve);
        let error = world.registry.add(&caller("steward"), add).await.unwrap_err();
        assert!(matches!(error, RegistryError::Forbidden { .. }), "{error}");
    }

    let add = submission(remote(NAME, "1.0.0", url), Internal::Grant, Approve::No);
    let outcome = world.registry.add(&admin(), add).await.unwrap();
    assert_eq!(outcome.private_hosts[0].to_string(), "127.0.0.1:9001");
    assert_eq!(world.store.get(NAME).server.private_hosts, outcome.private_hosts);
    let events = world.events();
    let grant = events
        .iter()
        .find(|event| event.action == "server.grant-private-hosts")
        .unwrap();
    assert_eq!(
        grant.detail.as_ref().unwrap()["privateHosts"][0],
        "127.0.0.1:9001"
    );

    // Now that it is granted, the steward may go on alone, and the route carries the grant and nothing else.
    let outcome = world
        .registry
        .approve(&caller("steward"), &NAME.parse().unwrap(), None, Internal::No)
        .await
        .unwrap();
    let hosts = outcome.route.unwrap().private_hosts;
    assert_eq!(hosts.len(), 1);
    assert_eq!(world.upstreams.asked()[0].1, ["127.0.0.1:9001"]);
    // The port is part of the grant.
    let other = remote(NAME, "2.0.0", "http://127.0.0.1:9002/mcp");
    let error = world.add(&other, Approve::No).await.unwrap_err();
    assert!(matches!(error, RegistryError::Private { .. }), "{error}");
}

#[tokio::test]
async fn an_administrator_who_approves_at_once_grants() {
    let world = World::new();
    let outcome = world
        .approved(&remote(NAME, "1.0.0", "http://hidden.example:8080/mcp"))
        .await;
    assert_eq!(outcome.private_hosts[0].to_string(), "hidden.example:8080");
}

#[tokio::test]
async fn what_no_grant_opens_is_refused() {
    let world = World::new();
    for url in ["http://169.254.169.254/mcp", "http://mcp.acme.example/mcp"] {
        let error = world
            .add(&remote(NAME, "1.0.0", url), Approve::Now)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, RegistryError::Refused(NetError::Refused { .. })),
            "{url}: {error}"
        );
    }
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn a_name_without_an_address_does_not_stop_an_approval() {
    let world = World::new();
    let outcome = world
        .approved(&remote(NAME, "1.0.0", "https://nowhere.example/mcp"))
        .await;
    assert!(matches!(outcome.tools, ToolsOutcome::NotSeen { .. }));
    assert!(outcome.private_hosts.is_empty());
}

#[tokio::test]
async fn a_version_is_not_replaced_while_somebody_reviews_or_serves_it() {
    let world = World::new();
    let (first, second) = (
        remote(NAME, "1.0.0", URL),
        remote(NAME, "1.0.0", "https://b.example/mcp"),
    );
    world.add(&first, Approve::No).await.unwrap();
    world.add(&first, Approve::No).await.unwrap();
    assert_eq!(world.actions(), ["server.add"], "the same again changes nothing");
    let error = world.add(&second, Approve::No).await.unwrap_err();
    assert!(error.to_string().contains("is under review"), "{error}");

    let name = NAME.parse().unwrap();
    world
        .registry
        .reject(&admin(), &name, None, "wrong URL")
        .await
        .unwrap();
    let outcome = world.add(&second, Approve::No).await.unwrap();
    assert_eq!(outcome.version.approval, Approval::Submitted);
    assert_eq!(outcome.version.status_message, None);

    world
        .registry
        .approve(&admin(), &name, None, Internal::No)
        .await
        .unwrap();
    for document in [&first, &second] {
        let error = world.add(document, Approve::Now).await.unwrap_err();
        assert!(error.to_string().contains("exists already"), "{error}");
    }
}

#[tokio::test]
async fn adding_the_same_submitted_document_again_can_approve_it() {
    let world = World::new();
    let document = remote(NAME, "1.0.0", URL);
    world.add(&document, Approve::No).await.unwrap();
    assert_eq!(
        world.approved(&document).await.version.approval,
        Approval::Approved
    );
}

#[tokio::test]
async fn names_may_not_differ_in_case_alone() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    let error = world
        .add(&package("com.acme/Billing", "2.0.0"), Approve::No)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("case"), "{error}");
}

#[tokio::test]
async fn who_was_faster_is_taken_into_account_three_times() {
    let world = World::new();
    world.store.conflict(3);
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    world.store.conflict(4);
    let error = world.add(&package(NAME, "1.0.1"), Approve::No).await.unwrap_err();
    assert!(matches!(error, RegistryError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn a_byte_order_mark_is_taken_off() {
    let world = World::new();
    let document = package(NAME, "1.0.0");
    let outcome = world
        .add(&format!("\u{feff}{document}"), Approve::No)
        .await
        .unwrap();
    assert_eq!(outcome.version.document, document);
}
