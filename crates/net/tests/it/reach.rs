//! The guard at work: names that change their mind, grants, and connections that were opened under another reach.

use portreeve_core::server::PrivateHost;
use portreeve_net::{EgressConfig, NetError, PublicHttp, Reach, Refusal, read_body};
use url::Url;

use crate::house::{Names, OK, SOON, Server, egress, egress_with, granted, send, text};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[tokio::test]
async fn a_name_that_turns_private_after_the_check_is_not_dialled() {
    let server = Server::start(OK).await;
    let names = Names::with("flip.example", &["93.184.216.34"]);
    let egress = egress(&names);
    let target = format!("https://flip.example:{}/", server.address.port());
    egress.check(&url(&target), &Reach::Public).unwrap();
    assert_eq!(egress.private_hosts(&url(&target)).await.unwrap(), []);

    names.say("flip.example", &["127.0.0.1"]);
    let error = send(&egress, &target, &Reach::Public).await.unwrap_err();
    assert!(
        matches!(
            error,
            NetError::Refused {
                reason: Refusal::PrivateAddress,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_before_send());
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn one_bad_address_among_good_ones_is_enough() {
    let names = Names::with(
        "mixed.example",
        &["93.184.216.34", "2606:4700::1", "::ffff:127.0.0.1"],
    );
    let egress = egress(&names);
    let refused = text(send(&egress, "https://mixed.example/", &Reach::Public).await);
    assert_eq!(refused, "`mixed.example:443` is refused: the address is private");
    let needed = egress
        .private_hosts(&url("https://mixed.example/"))
        .await
        .unwrap();
    assert_eq!(
        needed,
        [PrivateHost {
            host: "mixed.example".to_owned(),
            port: 443
        }]
    );
}

#[tokio::test]
async fn a_grant_opens_its_host_and_port_and_nothing_beside() {
    let server = Server::start(OK).await;
    let other = Server::start(OK).await;
    let names = Names::with("billing.internal", &["127.0.0.1"]);
    names.say("a.billing.internal", &["127.0.0.1"]);
    let egress = egress(&names);
    let (port, other_port) = (server.address.port(), other.address.port());
    let reach = granted("billing.internal", port);

    send(&egress, &format!("http://billing.internal:{port}/"), &reach)
        .await
        .unwrap();
    for refused in [
        format!("http://billing.internal:{other_port}/"),
        format!("http://a.billing.internal:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
    ] {
        let error = send(&egress, &refused, &reach).await.unwrap_err();
        assert!(matches!(error, NetError::Refused { .. }), "{refused}: {error:?}");
    }
    assert_eq!((server.connections(), other.connections()), (1, 0));
}

#[tokio::test]
async fn a_granted_name_cannot_lead_to_a_metadata_service() {
    let names = Names::with("billing.internal", &["10.0.0.1", "169.254.169.254"]);
    let egress = egress(&names);
    let refused = text(
        send(
            &egress,
            "http://billing.internal/",
            &granted("billing.internal", 80),
        )
        .await,
    );
    assert_eq!(
        refused,
        "`billing.internal:80` is refused: it is a metadata service, or an address that no grant can open"
    );
}

#[tokio::test]
async fn a_connection_is_never_reused_under_a_narrower_reach() {
    let server = Server::start(OK).await;
    let port = server.address.port();
    let names = Names::with("flip.example", &["127.0.0.1"]);
    let config = EgressConfig {
        public_http: PublicHttp::Allowed,
        ..EgressConfig::default()
    };
    let egress = egress_with(&config, &names);
    let target = format!("http://flip.example:{port}/");
    for reach in [Reach::Operator, granted("flip.example", port)] {
        let response = send(&egress, &target, &reach).await.unwrap();
        read_body(response.into_body(), 100, SOON).await.unwrap();
    }
    assert_eq!(server.connections(), 2);
    // Two idle connections to this very host and port are in the pools now.
    for reach in [
        Reach::Public,
        granted("flip.example", port + 1),
        granted("other.example", port),
    ] {
        let error = send(&egress, &target, &reach).await.unwrap_err();
        assert!(
            matches!(
                error,
                NetError::Refused {
                    reason: Refusal::PrivateAddress,
                    ..
                }
            ),
            "{error:?}"
        );
    }
    // Another entry with the same grant shares the connection.
    send(&egress, &target, &granted("FLIP.example.", port))
        .await
        .unwrap();
    assert_eq!((server.connections(), server.heads().len()), (2, 3));
}

#[tokio::test]
async fn the_grants_that_a_url_needs() {
    let names = Names::with("public.example", &["93.184.216.34", "2606:4700::1"]);
    names.say("private.example", &["10.1.2.3"]);
    names.say("cloud.example", &["169.254.169.254"]);
    let egress = egress(&names);
    let needed = async |text: &str| egress.private_hosts(&url(text)).await;
    let one = |host: &str, port: u16| {
        vec![PrivateHost {
            host: host.to_owned(),
            port,
        }]
    };
    assert_eq!(needed("https://public.example/").await.unwrap(), []);
    assert_eq!(needed("https://8.8.8.8/").await.unwrap(), []);
    assert_eq!(
        needed("https://private.example/").await.unwrap(),
        one("private.example", 443)
    );
    assert_eq!(
        needed("http://Localhost.:3000/").await.unwrap(),
        one("localhost", 3000)
    );
    assert_eq!(needed("http://0x7f.1/").await.unwrap(), one("127.0.0.1", 80));
    assert_eq!(needed("http://[0:0::1]:81/").await.unwrap(), one("::1", 81));
    for never in [
        "http://cloud.example/",
        "http://169.254.169.254/",
        "http://metadata.goog/",
    ] {
        let error = needed(never).await.unwrap_err();
        assert!(
            matches!(
                error,
                NetError::Refused {
                    reason: Refusal::Never,
                    ..
                }
            ),
            "{never}: {error:?}"
        );
    }
    assert!(matches!(
        needed("https://unknown.example/").await,
        Err(NetError::Resolve { .. })
    ));
}

#[tokio::test]
async fn a_grant_made_from_a_url_opens_that_url() {
    let server = Server::start(OK).await;
    let egress = egress(&Names::with("a", &[]));
    let needed = egress.private_hosts(&url(&server.url())).await.unwrap();
    send(&egress, &server.url(), &Reach::Private(needed.into()))
        .await
        .unwrap();
}
