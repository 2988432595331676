//! The bounds by themselves; how they end a real stream is told by the tests of the binary.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::limits::Limits;

use super::{Bounds, Frame, Hosts, Overrun, PIECE};
use crate::respond::{Body, BodyError};

#[test]
fn a_call_is_bounded_in_bytes_and_an_endless_stream_is_not() {
    let limits = Limits::for_tests();
    let limit = limits.streamed_result_bytes;
    let mut call = Bounds::of_call(&limits, Duration::from_secs(60));
    assert_eq!(call.took(limit), Ok(()));
    assert_eq!(call.took(1), Err(Overrun::Bytes(limit)));
    let mut endless = Bounds::endless(&limits);
    for _ in 0..3 {
        assert_eq!(endless.took(limit), Ok(()));
    }
}

#[test]
fn silence_ends_a_call_and_age_ends_every_stream() {
    let limits = Limits::for_tests();
    assert_eq!(
        Bounds::of_call(&limits, Duration::ZERO).check(),
        Err(Overrun::Silence)
    );
    assert_eq!(Bounds::of_call(&limits, Duration::from_secs(60)).check(), Ok(()));
    assert_eq!(Bounds::endless(&limits).check(), Ok(()));
    let short = Limits {
        stream_lifetime: Duration::ZERO,
        ..limits
    };
    assert_eq!(
        Bounds::endless(&short).took(1),
        Err(Overrun::Lifetime(Duration::ZERO))
    );
    assert_eq!(
        Bounds::endless(&short).check(),
        Err(Overrun::Lifetime(Duration::ZERO))
    );
}

fn body(frames: Vec<&'static [u8]>) -> Body {
    let frames = frames
        .into_iter()
        .map(|frame| Ok::<_, BodyError>(Frame::data(Bytes::from_static(frame))));
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

#[tokio::test]
async fn large_frames_are_handed_out_in_pieces_and_lose_nothing() {
    const LARGE: &[u8] = &[b'x'; 3 * PIECE + 7];
    let mut watched = Hosts::default().watch(body(vec![LARGE, b"end"]));
    let mut got = Vec::new();
    while let Some(frame) = watched.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.len() <= PIECE);
        got.extend_from_slice(&data);
    }
    assert_eq!(got, [LARGE, b"end"].concat());
}

#[tokio::test]
async fn only_a_stream_whose_host_waits_is_let_go() {
    let hosts = Hosts::default();
    let mut stalled = hosts.watch(body(vec![b"one", b"two"]));
    let untouched = hosts.watch(body(vec![b"one"]));
    stalled.frame().await.unwrap().unwrap();
    assert_eq!(hosts.cut_stalled(Duration::from_secs(60)), 0);
    assert_eq!(hosts.cut_stalled(Duration::ZERO), 1);
    assert!(stalled.frame().await.unwrap().is_err());
    // One whose next event has not come waits for its server, not for its host.
    assert_eq!(untouched.collect().await.unwrap().to_bytes(), "one");
    assert_eq!(hosts.cut_stalled(Duration::ZERO), 0);
}
