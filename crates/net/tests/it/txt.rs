//! TXT records, asked for at a name server of our own.

use std::net::SocketAddr;

use portreeve_net::{DnsTexts, NetError, TxtLookup as _};
use tokio::net::UdpSocket;

/// What the name server says to a question, behind its header.
#[derive(Clone, Copy)]
enum Says {
    /// One record of two pieces.
    TwoPieces,
    /// That there is no such name.
    NoSuchName,
    /// That it failed.
    Failed,
}

async fn name_server(says: Says) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0_u8; 1_024];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let _ = socket.send_to(&answer(&packet[..length], says), from).await;
        }
    });
    address
}

/// RFC 1035, section 4: a header, the question again, and what is said.
fn answer(question: &[u8], says: Says) -> Vec<u8> {
    let name = question[12..].iter().position(|byte| *byte == 0).unwrap();
    let (flags, records): (u16, u8) = match says {
        Says::TwoPieces => (0x8180, 1),
        Says::NoSuchName => (0x8183, 0),
        Says::Failed => (0x8182, 0),
    };
    let mut answer = question[..2].to_vec();
    answer.extend(flags.to_be_bytes());
    answer.extend([0, 1, 0, records, 0, 0, 0, 0]);
    answer.extend(&question[12..12 + name + 5]);
    if records == 1 {
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, 12]);
        answer.extend(b"\x06v=MCPv\x041; k");
    }
    answer
}

async fn texts(says: Says) -> Result<Vec<String>, NetError> {
    let server = name_server(says).await;
    DnsTexts::new(Some(server)).unwrap().texts("acme.example").await
}

#[tokio::test]
async fn the_pieces_of_a_record_are_one_text() {
    assert_eq!(texts(Says::TwoPieces).await.unwrap(), ["v=MCPv1; k"]);
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_texts() {
    assert!(texts(Says::NoSuchName).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_server_that_fails_says_nothing_about_the_name() {
    let error = texts(Says::Failed).await.unwrap_err();
    assert!(matches!(error, NetError::Resolve { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_name_is_not_asked_for() {
    let server = name_server(Says::TwoPieces).await;
    let long = format!("{}.example", "a".repeat(70));
    let error = DnsTexts::new(Some(server))
        .unwrap()
        .texts(&long)
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Resolve { .. }), "{error}");
}
