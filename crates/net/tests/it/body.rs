//! Bodies: their limits in bytes and in time.

use std::time::{Duration, Instant};

use portreeve_net::{NetError, Reach, read_body};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::house::{Names, SOON, Server, egress, read_head, send};

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let announced = Server::start("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await;
    let chunked = Server::start(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n",
    )
    .await;
    let egress = egress(&Names::with("a", &[]));
    for server in [announced, chunked] {
        let fits = send(&egress, &server.url(), &Reach::Operator).await.unwrap();
        assert_eq!(read_body(fits.into_body(), 10, SOON).await.unwrap(), "0123456789");
        let over = send(&egress, &server.url(), &Reach::Operator).await.unwrap();
        let error = read_body(over.into_body(), 9, SOON).await.unwrap_err();
        assert!(matches!(error, NetError::BodyTooLarge { limit: 9 }), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123")
            .await
            .unwrap();
    });
    let response = send(&egress(&Names::with("a", &[])), &url, &Reach::Operator)
        .await
        .unwrap();
    let error = read_body(response.into_body(), 100, SOON).await.unwrap_err();
    assert!(
        matches!(error, NetError::BodyBroken(_)) && !error.is_before_send(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_byte_now_and_then_is_as_good_as_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            .await
            .unwrap();
        // Steady progress: a limit between two reads would never end this.
        while stream.write_all(&[b'x'; 2_000]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let response = send(&egress(&Names::with("a", &[])), &url, &Reach::Operator)
        .await
        .unwrap();
    let started = Instant::now();
    let error = read_body(response.into_body(), 2_000_000, Duration::from_secs(1))
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::BodyLate { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}
