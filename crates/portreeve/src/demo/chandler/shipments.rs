//! Shipments: what is on its way to a berth.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shop;
use super::asked::Asked;
use super::book::{Carrier, OrderState, Shipment, cut};
use super::problem::{Problem, fits, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewShipment {
    berth: String,
    #[serde(default)]
    carrier: Carrier,
}

pub(super) async fn create(
    State(shop): State<Shop>,
    Path(number): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let notify = Asked::of(&uri).one("notify")?.unwrap_or(false);
    let who = headers
        .get("x-requested-by")
        .and_then(|value| value.to_str().ok());
    let who = who.ok_or_else(|| Problem::unfit("X-Requested-By: the header is missing"))?;
    fits("X-Requested-By", who, 60)?;
    let new: NewShipment = read(&body)?;
    fits("berth", &new.berth, 40)?;
    let now = shop.clock.now();
    let mut book = shop.book();
    if book.order(&number)?.state != OrderState::Open {
        let detail = format!("`{}` is not open any more", cut(&number));
        return Err(Problem::conflict("The order cannot be shipped", detail));
    }
    let shipment = book.note_shipment(&number, (&new.berth, new.carrier), (who, notify), now);
    Ok((StatusCode::CREATED, Json(shipment)).into_response())
}

pub(super) async fn list(State(shop): State<Shop>, uri: Uri) -> Result<Json<Value>, Problem> {
    let asked = Asked::of(&uri);
    let carrier: Option<Carrier> = asked.one("filter[carrier]")?;
    let berth = asked.text("filter[berth]");
    let book = shop.book();
    let found = book.shipments.iter().rev().filter(|shipment| {
        carrier.is_none_or(|carrier| carrier == shipment.carrier)
            && berth.is_none_or(|berth| berth == shipment.berth)
    });
    let found: Vec<&Shipment> = found.collect();
    Ok(Json(json!({"shipments": found})))
}

pub(super) async fn label(State(shop): State<Shop>, Path(number): Path<String>) -> Result<String, Problem> {
    let mut book = shop.book();
    let known = book.shipments.iter().find(|shipment| shipment.shipment == number);
    let shipment = known.cloned().ok_or_else(|| {
        let detail = format!("no shipment has the number `{}`", cut(&number));
        Problem::missing("No such shipment", detail)
    })?;
    let order = book.order(&shipment.order)?;
    let mut text = format!(
        "{}\nTo the {}, berth {}\nOrder {}\n",
        shipment.shipment, order.ship, shipment.berth, order.order
    );
    for line in &order.lines {
        text.push_str(&format!("{:>5} x {}\n", line.quantity, line.sku));
    }
    Ok(text)
}
