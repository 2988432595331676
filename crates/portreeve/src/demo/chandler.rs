//! The sample REST API of `serve --demo`: a ship chandler, who sells parts and sends them to the ships in port.
//!
//! It stands where a company's own API would stand: it knows HTTP and its own description, and nothing of MCP. What makes
//! tools of it is the importer that everybody uses. What is changed is forgotten at the next start.

mod asked;
mod book;
mod orders;
mod parts;
mod problem;
mod shipments;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use portreeve_core::time::Clock;

use self::book::Book;
use self::problem::Problem;

/// Where the API is on the sample server.
pub(super) const BASE_PATH: &str = "/chandler/v1";
/// What it says about itself (OpenAPI 3.1).
pub(super) const DESCRIPTION: &str = include_str!("chandler/openapi.yaml");
/// What agents see of it.
pub(super) const CURATION: &str = include_str!("chandler/curation.yaml");

/// What every request shares.
#[derive(Clone)]
struct Shop {
    book: Arc<Mutex<Book>>,
    clock: Arc<dyn Clock>,
}

/// The API, with its description at `openapi.yaml`.
pub(super) fn router(clock: Arc<dyn Clock>) -> Router {
    let shop = Shop {
        book: Arc::new(Mutex::new(Book::open(clock.now()))),
        clock,
    };
    let paths = Router::new()
        .route("/openapi.yaml", get(description))
        .route("/parts", get(parts::list).post(parts::create))
        .route(
            "/parts/{sku}",
            get(parts::show).put(parts::replace).delete(parts::delete),
        )
        .route("/parts/{sku}/picture", get(parts::picture))
        .route("/stocktake", post(parts::take_stock))
        .route("/orders", get(orders::list).post(orders::create))
        .route("/orders/{order}", get(orders::show).delete(orders::cancel))
        .route("/orders/{order}/shipments", post(shipments::create))
        .route("/shipments", get(shipments::list))
        .route("/shipments/{shipment}/label", get(shipments::label))
        .fallback(nothing)
        .with_state(shop);
    Router::new()
        .nest(BASE_PATH, paths)
        .layer(DefaultBodyLimit::max(super::LARGEST_REQUEST))
        .layer(middleware::from_fn(from_here))
}

/// Pages on the internet that found the port are sent away, as by the sample MCP server.
async fn from_here(request: Request, next: Next) -> Response {
    if super::is_local(request.headers()) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::FORBIDDEN, "This API is for its own machine").into_response()
    }
}

async fn description() -> Response {
    ([(CONTENT_TYPE, "application/yaml")], DESCRIPTION).into_response()
}

async fn nothing(State(_): State<Shop>) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is no such path")
}

// === impl Shop ===

impl Shop {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
