//! An answer that must be whole before it can go on: as one event, as one element of an array.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::Body;

/// Why an answer cannot be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unheld {
    /// It is larger than that.
    TooLarge,
    /// It broke off.
    Broken,
}

/// Reads a body of at most so many bytes.
///
/// # Errors
///
/// When it is larger, or breaks off.
pub async fn held(mut body: Body, limit: usize) -> Result<Bytes, Unheld> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unheld::Broken)?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        if data.len() > limit - whole.len() {
            return Err(Unheld::TooLarge);
        }
        whole.extend_from_slice(data);
    }
    Ok(whole.freeze())
}
