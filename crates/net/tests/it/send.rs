//! One request: what goes out, what comes back, and what kind of failure a failure is.

use std::time::Duration;

use http::header::HOST;
use http::{Request, StatusCode};
use portreeve_net::{NetError, Phase, Reach, read_body};
use tokio::net::TcpListener;

use crate::house::{Names, OK, SOON, Server, egress, granted, post, send};

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_connections_are_kept() {
    let server = Server::start(OK).await;
    let egress = egress(&Names::with("billing.corp", &["127.0.0.1"]));
    let port = server.address.port();
    let reach = granted("billing.corp", port);
    for _ in 0..3 {
        let mut request = post(&format!("http://Billing.CORP.:{port}/a/../b?x=%2e%2e"));
        request
            .headers_mut()
            .insert(HOST, "evil.example".parse().unwrap());
        request
            .headers_mut()
            .insert("proxy-authorization", "Basic secret".parse().unwrap());
        request
            .headers_mut()
            .insert("accept-encoding", "gzip".parse().unwrap());
        let response = egress.send(request, &reach, SOON).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(read_body(response.into_body(), 100, SOON).await.unwrap(), "ok");
    }
    let head = server.heads().remove(0);
    assert!(head.starts_with("POST /b?x=%2e%2e HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: billing.corp:{port}\r\n")), "{head}");
    assert!(head.contains("accept-encoding: gzip\r\n"), "{head}");
    assert!(
        !head.contains("evil") && !head.contains("proxy-authorization"),
        "{head}"
    );
    assert_eq!((server.heads().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn a_copy_with_its_own_connections_shares_none() {
    let server = Server::start(OK).await;
    let egress = egress(&Names::with("a", &[]));
    for door in [&egress, &egress.clone(), &egress.with_own_connections()] {
        let response = send(door, &server.url(), &Reach::Operator).await.unwrap();
        read_body(response.into_body(), 100, SOON).await.unwrap();
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let other = Server::start(OK).await;
    let moved: &'static str = format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        other.url()
    )
    .leak();
    let server = Server::start(moved).await;
    let egress = egress(&Names::with("a", &[]));
    let response = send(&egress, &server.url(), &Reach::Operator).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn compressed_bytes_pass_untouched() {
    let server =
        Server::start("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip").await;
    let egress = egress(&Names::with("a", &[]));
    let response = send(&egress, &server.url(), &Reach::Operator).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(
        read_body(response.into_body(), 100, SOON).await.unwrap(),
        "not gzip"
    );
}

#[tokio::test]
async fn a_dead_address_does_not_hide_a_living_one() {
    let server = Server::start_at("127.0.0.2:0", OK).await;
    let port = server.address.port();
    let egress = egress(&Names::with("two.corp", &["127.0.0.1", "127.0.0.2"]));
    let response = send(
        &egress,
        &format!("http://two.corp:{port}/"),
        &granted("two.corp", port),
    )
    .await;
    assert_eq!(response.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn nobody_there_is_before_the_request() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let egress = egress(&Names::with("a", &[]));
    let error = send(&egress, &format!("http://127.0.0.1:{port}/"), &Reach::Operator)
        .await
        .unwrap_err();
    assert!(
        matches!(error, NetError::Connect { .. }) && error.is_before_send(),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        format!("`127.0.0.1:{port}` could not be connected to")
    );

    let error = send(&egress, "http://unknown.corp/", &Reach::Operator)
        .await
        .unwrap_err();
    assert!(
        matches!(error, NetError::Resolve { .. }) && error.is_before_send(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_may_have_worked() {
    let server = Server::start("").await;
    let egress = egress(&Names::with("a", &[]));
    let error = send(&egress, &server.url(), &Reach::Operator).await.unwrap_err();
    assert!(
        matches!(error, NetError::Exchange { .. }) && !error.is_before_send(),
        "{error:?}"
    );
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_silent_server_meets_the_deadline_after_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let request = Request::get(&url).body(bytes::Bytes::new()).unwrap();
    let limit = Duration::from_millis(200);
    let error = egress(&Names::with("a", &[]))
        .send(request, &Reach::Operator, limit)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            NetError::Timeout {
                phase: Phase::Head,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!error.is_before_send());
}

#[tokio::test]
async fn a_stuck_handshake_meets_the_deadline_before_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let request = Request::get(&url).body(bytes::Bytes::new()).unwrap();
    let limit = Duration::from_millis(200);
    let error = egress(&Names::with("a", &[]))
        .send(request, &Reach::Operator, limit)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            NetError::Timeout {
                phase: Phase::WaitForConnection,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_before_send());
}
