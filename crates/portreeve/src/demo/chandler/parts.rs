//! Parts: what is sold.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::asked::Asked;
use super::book::{Category, FULL, OrderState, Part, ROOM, cut};
use super::problem::{Problem, fits, read};
use super::{BASE_PATH, Shop};

/// Parts on a page, unless somebody wants another number.
const PAGE: usize = 5;
/// The most.
const LARGEST_PAGE: usize = 20;

/// A page of parts.
#[derive(Serialize)]
pub(super) struct Page {
    items: Vec<Part>,
    next: Option<String>,
}

/// What people say about a part.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPart {
    name: String,
    category: Category,
    price: f64,
    stock: u32,
}

/// The same, with its number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberedPart {
    sku: String,
    name: String,
    category: Category,
    price: f64,
    stock: u32,
}

pub(super) async fn list(State(shop): State<Shop>, uri: Uri) -> Result<Json<Page>, Problem> {
    let asked = Asked::of(&uri);
    let word = asked.text("q").unwrap_or_default().to_lowercase();
    let categories: Vec<Category> = asked.list("category")?;
    let in_stock: Option<bool> = asked.one("inStock")?;
    let limit = asked.one("limit")?.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::unfit(format!("limit: it is from 1 to {LARGEST_PAGE}")));
    }
    let after = asked.text("after").unwrap_or_default();
    let book = shop.book();
    let mut found = book.parts.values().filter(|part| {
        part.sku.as_str() > after
            && part.name.to_lowercase().contains(&word)
            && (categories.is_empty() || categories.contains(&part.category))
            && in_stock.is_none_or(|wanted| wanted == (part.stock > 0))
    });
    let items: Vec<Part> = found.by_ref().take(limit).cloned().collect();
    let next = found.next().and(items.last()).map(|part| part.sku.clone());
    Ok(Json(Page { items, next }))
}

pub(super) async fn create(State(shop): State<Shop>, body: Bytes) -> Result<Response, Problem> {
    let new: NumberedPart = read(&body)?;
    let sku = new.sku;
    if !is_number(&sku) {
        return Err(Problem::unfit("sku: it is two capitals, a dash and three digits"));
    }
    let part = NewPart {
        name: new.name,
        category: new.category,
        price: new.price,
        stock: new.stock,
    };
    let part = part.checked(&sku)?;
    let mut book = shop.book();
    if book.parts.len() >= ROOM {
        return Err(Problem::conflict("The book is full", FULL));
    }
    if book.parts.contains_key(&sku) {
        return Err(Problem::conflict(
            "The number is taken",
            format!("`{sku}` is another part"),
        ));
    }
    book.parts.insert(sku.clone(), part.clone());
    let place = [(LOCATION, format!("{BASE_PATH}/parts/{sku}"))];
    Ok((StatusCode::CREATED, place, Json(part)).into_response())
}

pub(super) async fn show(State(shop): State<Shop>, Path(sku): Path<String>) -> Result<Json<Part>, Problem> {
    shop.book().part(&sku).cloned().map(Json)
}

pub(super) async fn replace(
    State(shop): State<Shop>,
    Path(sku): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Part>, Problem> {
    let new = read::<NewPart>(&body)?.checked(&sku)?;
    let who = headers.get("x-changed-by").and_then(|value| value.to_str().ok());
    if let Some(who) = who {
        fits("X-Changed-By", who, 60)?;
    }
    let mut book = shop.book();
    let part = book.part(&sku)?;
    *part = Part {
        changed_by: who.map(str::to_owned),
        ..new
    };
    Ok(Json(part.clone()))
}

pub(super) async fn delete(State(shop): State<Shop>, Path(sku): Path<String>) -> Result<StatusCode, Problem> {
    let mut book = shop.book();
    book.part(&sku)?;
    let waits = book
        .orders
        .iter()
        .find(|order| order.state == OrderState::Open && order.lines.iter().any(|line| line.sku == sku));
    if let Some(order) = waits {
        let detail = format!(
            "`{sku}` stands in the open order `{}`: cancel or ship that first",
            order.order
        );
        return Err(Problem::conflict("The part is ordered", detail));
    }
    book.parts.remove(&sku);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn picture(State(shop): State<Shop>, Path(sku): Path<String>) -> Result<Response, Problem> {
    let picture: &'static [u8] = match shop.book().part(&sku)?.category {
        Category::Deck => include_bytes!("pictures/deck.png"),
        Category::Rigging => include_bytes!("pictures/rigging.png"),
        Category::Safety => include_bytes!("pictures/safety.png"),
        Category::Engine => include_bytes!("pictures/engine.png"),
    };
    Ok(([(CONTENT_TYPE, "image/png")], picture).into_response())
}

pub(super) async fn take_stock(State(shop): State<Shop>, body: Bytes) -> Result<Json<Value>, Problem> {
    let text = std::str::from_utf8(&body).map_err(|_| Problem::unfit("the body is no text in UTF-8"))?;
    let mut counted = Vec::new();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let read = line.split_once(',').and_then(|(sku, count)| {
            let count: u32 = count.trim().parse().ok()?;
            Some((sku.trim().to_owned(), count))
        });
        let (sku, count) =
            read.ok_or_else(|| Problem::unfit(format!("line {}: write it as `DK-110,36`", at + 1)))?;
        counted.push((sku, count));
    }
    let mut book = shop.book();
    if let Some((sku, _)) = counted.iter().find(|(sku, _)| !book.parts.contains_key(sku)) {
        return Err(Problem::unfit(format!("no part has the number `{}`", cut(sku))));
    }
    for (sku, count) in &counted {
        book.part(sku)?.stock = *count;
    }
    Ok(Json(json!({"counted": counted.len()})))
}

/// Two capitals, a dash, three digits.
pub(super) fn is_number(sku: &str) -> bool {
    matches!(sku.as_bytes(), [a, b, b'-', rest @ ..]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && rest.len() == 3 && rest.iter().all(u8::is_ascii_digit))
}

// === impl NewPart ===

impl NewPart {
    fn checked(self, sku: &str) -> Result<Part, Problem> {
        fits("name", &self.name, 80)?;
        if !(0.0..=100_000.0).contains(&self.price) {
            return Err(Problem::unfit("price: it is from 0 to 100000"));
        }
        if self.stock > 100_000 {
            return Err(Problem::unfit("stock: it is from 0 to 100000"));
        }
        Ok(Part {
            sku: sku.to_owned(),
            name: self.name,
            category: self.category,
            price: self.price,
            stock: self.stock,
            changed_by: None,
        })
    }
}
