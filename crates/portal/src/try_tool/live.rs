//! The same page as a stream: one line for each thing that is told while it is under way, then the page as a whole. The
//! script of the page asks for it; who has none gets the page alone.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc;

use super::UnderWay;
use crate::frame;
use crate::view::TryPage;

/// What the script accepts, and gets.
const KIND: &str = "application/x-portreeve-live";

pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accept| accept == KIND)
}

/// Tries it behind an answer that has begun. A browser that goes away ends what is under way.
pub(super) fn answer(under_way: UnderWay) -> Response {
    // What the gateway tells is bounded in number.
    let (sender, receiver) = mpsc::unbounded_channel::<String>();
    tokio::spawn(async move {
        let told = sender.clone();
        let hear = move |news| {
            let line = TryPage::line(&news).replace(['\n', '\r'], " ");
            // Nobody listens any more: the other branch ends it.
            let _ = told.send(format!("> {line}\n"));
        };
        let finished = under_way.finish(&hear);
        tokio::select! {
            () = sender.closed() => {}
            page = finished => {
                let page = frame::text(&page).unwrap_or_default();
                let _ = sender.send(format!("=\n{page}"));
            }
        }
    });
    let chunks = stream::unfold(receiver, |mut receiver| async move {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), receiver))
    });
    let mut response = Body::from_stream(chunks).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(KIND));
    response
}
