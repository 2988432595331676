//! The configured proxy: what it gets to see, and what the guard still says.

use std::sync::{Arc, Mutex};

use portreeve_net::{EgressConfig, NetError, Reach, Refusal, read_body};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::house::{Names, OK, SOON, Server, egress_with, granted, read_head, send};
use crate::tls::{Ca, load, serve};

fn through(port: u16) -> EgressConfig {
    let proxy = Url::parse(&format!("http://user:p%40ss@127.0.0.1:{port}")).unwrap();
    EgressConfig {
        proxy: Some(proxy),
        no_proxy: vec!["127.0.0.1".to_owned()],
        ..EgressConfig::default()
    }
}

/// A proxy that joins every CONNECT with one port of this machine. Gives its port and the heads it saw.
async fn tunnels_to(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = heads.clone();
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            let head = read_head(&mut inner).await.unwrap();
            noted.lock().unwrap().push(head);
            let mut outer = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            inner.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut inner, &mut outer).await });
        }
    });
    (own, heads)
}

#[tokio::test]
async fn plain_http_goes_to_the_proxy_in_absolute_form() {
    let proxy = Server::start(OK).await;
    let names = Arc::new(Names::default());
    let egress = egress_with(&through(proxy.address.port()), &names);
    let reach = granted("billing.internal", 8080);
    send(&egress, "http://billing.internal:8080/mcp", &reach)
        .await
        .unwrap();
    let head = proxy.heads().remove(0);
    assert!(
        head.starts_with("POST http://billing.internal:8080/mcp HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("proxy-authorization: Basic dXNlcjpwQHNz\r\n"),
        "{head}"
    );
    assert_eq!(names.asked(), 0, "the proxy resolves names");
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let (ca, folder) = (Ca::new(), tempfile::tempdir().unwrap());
    ca.issue("public.example", folder.path());
    let server = serve(Arc::new(load(folder.path()))).await;
    let (proxy, heads) = tunnels_to(server).await;
    let names = Arc::new(Names::default());
    let egress = egress_with(
        &EgressConfig {
            ca_pem: ca.config().ca_pem,
            ..through(proxy)
        },
        &names,
    );

    let response = send(&egress, "https://public.example/", &Reach::Public)
        .await
        .unwrap();
    let said = read_body(response.into_body(), 100, SOON).await.unwrap();
    assert_eq!(said, "HTTP/2.0 public.example");
    let heads = heads.lock().unwrap().clone();
    assert_eq!(heads.len(), 1);
    assert!(
        heads[0].starts_with("CONNECT public.example:443 HTTP/1.1\r\n"),
        "{}",
        heads[0]
    );
    assert!(
        heads[0].contains("proxy-authorization: Basic dXNlcjpwQHNz\r\n"),
        "{}",
        heads[0]
    );
    assert_eq!(names.asked(), 0);
}

#[tokio::test]
async fn the_guard_judges_what_it_can_see() {
    let proxy = Server::start(OK).await;
    let egress = egress_with(&through(proxy.address.port()), &Arc::default());
    for refused in [
        "https://10.0.0.1/",
        "https://billing.internal/",
        "https://[64:ff9b::a00:1]/",
        "http://a.example/",
    ] {
        let error = send(&egress, refused, &Reach::Public).await.unwrap_err();
        assert!(matches!(error, NetError::Refused { .. }), "{refused}: {error:?}");
    }
    assert_eq!(proxy.connections(), 0);
    let url = Url::parse("https://unknown.example/").unwrap();
    assert_eq!(
        egress.private_hosts(&url).await.unwrap(),
        [],
        "the proxy resolves names"
    );
}

#[tokio::test]
async fn what_does_not_take_the_proxy_is_judged_in_full() {
    let proxy = Server::start(OK).await;
    let server = Server::start(OK).await;
    let names = Names::with("direct.example", &["127.0.0.1"]);
    let mut config = through(proxy.address.port());
    config.no_proxy.push("direct.example".to_owned());
    let egress = egress_with(&config, &names);
    send(&egress, &server.url(), &Reach::Operator).await.unwrap();
    let error = send(&egress, "https://direct.example/", &Reach::Public)
        .await
        .unwrap_err();
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
    assert_eq!(
        (proxy.connections(), server.connections(), names.asked()),
        (0, 1, 1)
    );
}

#[tokio::test]
async fn a_proxy_may_say_no() {
    let proxy = Server::start("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let egress = egress_with(&through(proxy.address.port()), &Arc::default());
    let error = send(&egress, "https://public.example/", &Reach::Public)
        .await
        .unwrap_err();
    assert!(error.is_before_send());
    assert_eq!(
        error.to_string(),
        "the egress proxy refused `public.example:443` with status `403`"
    );
}

#[test]
fn the_settings_do_not_print_the_password() {
    let shown = format!("{:?}", through(1));
    assert!(
        shown.contains("127.0.0.1") && !shown.contains("p%40ss") && !shown.contains("user"),
        "{shown}"
    );
}
