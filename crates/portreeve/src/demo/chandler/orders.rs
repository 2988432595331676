//! Orders: what ships want.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{LINK, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use url::form_urlencoded;

use super::asked::Asked;
use super::book::{Book, FULL, Line, Order, OrderState, ROOM, cut};
use super::parts::is_number;
use super::problem::{Problem, fits, read};
use super::{BASE_PATH, Shop};

/// Orders on a page.
const PAGE: usize = 5;
/// Most lines of an order, and most pieces in a line.
const MOST: usize = 20;
const MOST_PIECES: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    ship: String,
    lines: Vec<Line>,
    #[serde(default)]
    note: Option<String>,
}

pub(super) async fn list(State(shop): State<Shop>, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    let states: Vec<OrderState> = asked.all("state")?;
    let ship = asked.text("ship");
    let page: usize = asked.one("page")?.unwrap_or(1);
    if !(1..=1_000).contains(&page) {
        return Err(Problem::unfit("page: it is from 1 to 1000"));
    }
    let book = shop.book();
    let mut found = book.orders.iter().rev().filter(|order| {
        (states.is_empty() || states.contains(&order.state)) && ship.is_none_or(|ship| ship == order.ship)
    });
    let from = (page - 1) * PAGE;
    let items: Vec<&Order> = found.by_ref().skip(from).take(PAGE).collect();
    let mut response = Json(&items).into_response();
    if found.next().is_some()
        && let Ok(link) = next(&asked, page + 1).parse()
    {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// The `Link` to the next page of the same list.
fn next(asked: &Asked, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["state", "ship"] {
        for value in asked.every(name) {
            query.append_pair(name, value);
        }
    }
    query.append_pair("page", &page.to_string());
    format!("<{BASE_PATH}/orders?{}>; rel=\"next\"", query.finish())
}

pub(super) async fn create(
    State(shop): State<Shop>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let new: NewOrder = read(&body)?;
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    if let Some(key) = key {
        fits("Idempotency-Key", key, 80)?;
    }
    new.check()?;
    let now = shop.clock.now();
    let mut book = shop.book();
    let known = book
        .orders
        .iter()
        .find(|order| order.key.is_some() && order.key.as_deref() == key);
    if let Some(known) = known {
        return Ok(created(known));
    }
    if book.orders.len() >= ROOM {
        return Err(Problem::conflict("The book is full", FULL));
    }
    reserve(&mut book, &new.lines)?;
    let order = book.note_order(&new.ship, new.lines, new.note, now);
    order.key = key.map(str::to_owned);
    Ok(created(order))
}

fn created(order: &Order) -> Response {
    let place = [(LOCATION, format!("{BASE_PATH}/orders/{}", order.order))];
    (StatusCode::CREATED, place, Json(order)).into_response()
}

/// Takes the pieces out of the stock, all of them or none.
fn reserve(book: &mut Book, lines: &[Line]) -> Result<(), Problem> {
    let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
    for line in lines {
        *wanted.entry(&line.sku).or_default() += line.quantity;
    }
    for (sku, count) in &wanted {
        let stock = book.part(sku)?.stock;
        if stock < *count {
            let detail = format!("{stock} of `{sku}` are in stock, {count} are wanted");
            return Err(Problem::conflict("Not enough in stock", detail));
        }
    }
    for (sku, count) in wanted {
        book.part(sku)?.stock -= count;
    }
    Ok(())
}

pub(super) async fn show(
    State(shop): State<Shop>,
    Path(number): Path<String>,
) -> Result<Json<Order>, Problem> {
    shop.book().order(&number).cloned().map(Json)
}

pub(super) async fn cancel(
    State(shop): State<Shop>,
    Path(number): Path<String>,
    uri: Uri,
) -> Result<Json<Order>, Problem> {
    let asked = Asked::of(&uri);
    let reason = asked.text("reason").unwrap_or("no reason was given");
    fits("reason", reason, 200)?;
    let now = shop.clock.now();
    let mut book = shop.book();
    let order = book.order(&number)?;
    if order.state != OrderState::Open {
        let detail = format!("`{}` is not open any more", cut(&number));
        return Err(Problem::conflict("Too late to cancel", detail));
    }
    order.state = OrderState::Cancelled;
    order.happened(now, &format!("cancelled: {reason}"));
    let order = order.clone();
    for line in &order.lines {
        if let Ok(part) = book.part(&line.sku) {
            part.stock = part.stock.saturating_add(line.quantity);
        }
    }
    Ok(Json(order))
}

// === impl NewOrder ===

impl NewOrder {
    fn check(&self) -> Result<(), Problem> {
        fits("ship", &self.ship, 60)?;
        if !(1..=MOST).contains(&self.lines.len()) {
            return Err(Problem::unfit(format!("lines: there are from 1 to {MOST}")));
        }
        if self.note.as_ref().is_some_and(|note| note.chars().count() > 200) {
            return Err(Problem::unfit("note: it has more than 200 characters"));
        }
        for line in &self.lines {
            if !is_number(&line.sku) {
                return Err(Problem::unfit(format!(
                    "lines: `{}` is no number of a part",
                    cut(&line.sku)
                )));
            }
            if !(1..=MOST_PIECES).contains(&line.quantity) {
                return Err(Problem::unfit(format!(
                    "lines: a quantity is from 1 to {MOST_PIECES}"
                )));
            }
        }
        Ok(())
    }
}
