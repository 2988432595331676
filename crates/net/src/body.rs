//! Reads a response body whole, within limits in bytes and time. Whoever streams reads the frames itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::error::NetError;

/// Reads a body of at most `max` bytes, which must be there within `limit`. The time is for the whole: a server that
/// sends a little now and then would otherwise hold a connection and a caller for days.
pub async fn read_body(mut body: Incoming, max: usize, limit: Duration) -> Result<Bytes, NetError> {
    let too_large = NetError::BodyTooLarge { limit: max };
    // What the server announces is believed only when it is too much.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large);
    }
    let mut read = BytesMut::new();
    let deadline = Instant::now() + limit;
    loop {
        let frame = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| NetError::BodyLate { limit })?;
        let Some(frame) = frame else {
            return Ok(read.freeze());
        };
        let frame = frame.map_err(|cause| NetError::BodyBroken(Arc::new(cause)))?;
        // Trailers say nothing that anybody here asks for.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > max - read.len() {
            return Err(too_large);
        }
        read.extend_from_slice(&data);
    }
}
