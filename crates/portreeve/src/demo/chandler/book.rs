//! What the chandler knows: parts, orders, shipments, and what stands in the book when it is opened.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// Most parts, and most orders, that the book has room for.
pub(super) const ROOM: usize = 1_000;
/// What a full book answers.
pub(super) const FULL: &str = "there is no more room; the next start begins anew";

/// The book.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) parts: BTreeMap<String, Part>,
    /// In the order in which they came.
    pub(super) orders: Vec<Order>,
    pub(super) shipments: Vec<Shipment>,
}

/// Something that is sold.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) category: Category,
    pub(super) price: f64,
    pub(super) stock: u32,
    pub(super) changed_by: Option<String>,
}

/// What kind of part it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Category {
    Deck,
    Rigging,
    Safety,
    Engine,
}

/// What a ship ordered.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Order {
    pub(super) order: String,
    pub(super) ship: String,
    pub(super) state: OrderState,
    pub(super) lines: Vec<Line>,
    pub(super) total: f64,
    pub(super) note: Option<String>,
    pub(super) history: Vec<Event>,
    /// The caller's own key of it.
    #[serde(skip)]
    pub(super) key: Option<String>,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OrderState {
    Open,
    Shipped,
    Cancelled,
}

/// So many of one part.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) sku: String,
    pub(super) quantity: u32,
}

/// What happened to an order.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) what: String,
}

/// What was sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shipment {
    pub(super) shipment: String,
    pub(super) order: String,
    pub(super) berth: String,
    pub(super) carrier: Carrier,
    pub(super) requested_by: String,
    pub(super) notified: bool,
    pub(super) at: Timestamp,
}

/// What carries a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Carrier {
    #[default]
    Handcart,
    Lorry,
    Launch,
}

/// Number, name, kind, price, stock.
const PARTS: [(&str, &str, Category, f64, u32); 26] = [
    ("DK-110", "Mooring cleat, bronze", Category::Deck, 42.5, 36),
    ("DK-120", "Fairlead, 12 mm", Category::Deck, 18.9, 54),
    ("DK-130", "Bollard, cast iron", Category::Deck, 310.0, 4),
    ("DK-140", "Deck brush, long", Category::Deck, 9.8, 120),
    ("DK-150", "Hatch seal, 5 m", Category::Deck, 27.4, 0),
    ("DK-160", "Boat hook, telescopic", Category::Deck, 33.0, 22),
    ("EN-210", "Impeller, six blades", Category::Engine, 39.9, 17),
    ("EN-220", "Fuel filter, 10 micron", Category::Engine, 12.6, 80),
    ("EN-230", "Propeller, three blades", Category::Engine, 890.0, 2),
    ("EN-240", "Shaft seal, 35 mm", Category::Engine, 64.2, 11),
    ("EN-250", "Engine oil, 20 l", Category::Engine, 118.0, 45),
    ("EN-260", "Zinc anode", Category::Engine, 14.0, 150),
    ("EN-270", "Bilge pump, 60 l/min", Category::Engine, 145.0, 0),
    (
        "RG-310",
        "Shackle, galvanised, 10 mm",
        Category::Rigging,
        4.9,
        400,
    ),
    (
        "RG-320",
        "Mooring line, polyester, 20 m",
        Category::Rigging,
        78.0,
        60,
    ),
    ("RG-330", "Turnbuckle, stainless", Category::Rigging, 23.7, 75),
    ("RG-340", "Block, single sheave", Category::Rigging, 31.5, 28),
    ("RG-350", "Wire rope, 6 mm, 50 m", Category::Rigging, 96.0, 13),
    ("RG-360", "Sail thread, waxed", Category::Rigging, 6.2, 90),
    ("SF-410", "Life ring, 75 cm", Category::Safety, 54.0, 32),
    ("SF-420", "Life jacket, 150 N", Category::Safety, 69.0, 64),
    (
        "SF-430",
        "Signal flare, red, 4 pieces",
        Category::Safety,
        48.0,
        25,
    ),
    ("SF-440", "Fire blanket", Category::Safety, 21.0, 40),
    ("SF-450", "Extinguisher, foam, 6 l", Category::Safety, 83.0, 0),
    ("SF-460", "First aid chest", Category::Safety, 129.0, 9),
    ("SF-470", "Fog horn, hand pumped", Category::Safety, 37.0, 15),
];

/// Ship, part, how many, how far.
const ORDERS: [(&str, &str, u32, OrderState); 12] = [
    ("Aurelia", "RG-320", 4, OrderState::Shipped),
    ("Borealis", "EN-220", 6, OrderState::Shipped),
    ("Cormorant", "SF-420", 8, OrderState::Shipped),
    ("Aurelia", "DK-140", 2, OrderState::Cancelled),
    ("Dorothea", "EN-250", 3, OrderState::Shipped),
    ("Borealis", "DK-130", 1, OrderState::Shipped),
    ("Cormorant", "RG-310", 40, OrderState::Shipped),
    ("Dorothea", "SF-460", 1, OrderState::Cancelled),
    ("Aurelia", "EN-210", 2, OrderState::Open),
    ("Borealis", "SF-430", 3, OrderState::Open),
    ("Dorothea", "RG-340", 4, OrderState::Open),
    ("Cormorant", "DK-110", 6, OrderState::Open),
];

// === impl Book ===

impl Book {
    /// The book as it is every morning.
    pub(super) fn open(now: Timestamp) -> Self {
        let parts = PARTS.map(|(sku, name, category, price, stock)| {
            let part = Part {
                sku: sku.to_owned(),
                name: name.to_owned(),
                category,
                price,
                stock,
                changed_by: None,
            };
            (sku.to_owned(), part)
        });
        let mut book = Self {
            parts: parts.into(),
            orders: Vec::new(),
            shipments: Vec::new(),
        };
        let mut at = now.minus(Duration::from_secs(3600 * ORDERS.len() as u64));
        for (ship, sku, quantity, state) in ORDERS {
            let lines = vec![Line {
                sku: sku.to_owned(),
                quantity,
            }];
            let number = book.note_order(ship, lines, None, at).order.clone();
            if state == OrderState::Shipped {
                book.note_shipment(&number, ("north 1", Carrier::Handcart), ("chandler", false), at);
            }
            if let Some(order) = book.orders.last_mut().filter(|_| state == OrderState::Cancelled) {
                order.state = state;
                order.happened(at, "cancelled");
            }
            at = at.plus(Duration::from_secs(3600));
        }
        book
    }

    /// A part.
    pub(super) fn part(&mut self, sku: &str) -> Result<&mut Part, Problem> {
        self.parts
            .get_mut(sku)
            .ok_or_else(|| Problem::missing("No such part", format!("no part has the number `{}`", cut(sku))))
    }

    /// An order.
    pub(super) fn order(&mut self, number: &str) -> Result<&mut Order, Problem> {
        let found = self.orders.iter_mut().find(|order| order.order == number);
        found.ok_or_else(|| {
            Problem::missing(
                "No such order",
                format!("no order has the number `{}`", cut(number)),
            )
        })
    }

    /// Writes down an order. Whether the parts are there was asked before.
    pub(super) fn note_order(
        &mut self,
        ship: &str,
        lines: Vec<Line>,
        note: Option<String>,
        at: Timestamp,
    ) -> &mut Order {
        let cost = |line: &Line| {
            let price = self.parts.get(&line.sku).map_or(0.0, |part| part.price);
            price * f64::from(line.quantity)
        };
        let total: f64 = lines.iter().map(cost).sum();
        let mut order = Order {
            order: format!("O-{}", 1001 + self.orders.len()),
            ship: ship.to_owned(),
            state: OrderState::Open,
            lines,
            total: (total * 100.0).round() / 100.0,
            note,
            history: Vec::new(),
            key: None,
        };
        order.happened(at, "placed");
        let number = self.orders.len();
        self.orders.push(order);
        &mut self.orders[number]
    }

    /// Writes down that an order was sent, with where and by what, who wanted it, and whether the ship was told.
    pub(super) fn note_shipment(
        &mut self,
        order: &str,
        (berth, carrier): (&str, Carrier),
        (requested_by, notified): (&str, bool),
        at: Timestamp,
    ) -> Shipment {
        let shipment = Shipment {
            shipment: format!("S-{}", 501 + self.shipments.len()),
            order: order.to_owned(),
            berth: berth.to_owned(),
            carrier,
            requested_by: requested_by.to_owned(),
            notified,
            at,
        };
        if let Ok(order) = self.order(order) {
            order.state = OrderState::Shipped;
            order.happened(at, &format!("shipped as {}", shipment.shipment));
        }
        self.shipments.push(shipment.clone());
        shipment
    }
}

// === impl Order ===

impl Order {
    pub(super) fn happened(&mut self, at: Timestamp, what: &str) {
        self.history.push(Event {
            at,
            what: what.to_owned(),
        });
    }
}

/// As much of a text as an answer repeats.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads a word as the JSON reader does.
fn word<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, serde::de::value::Error> {
    T::deserialize(serde::de::value::StrDeserializer::new(text))
}

impl FromStr for Category {
    type Err = serde::de::value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        word(text)
    }
}

impl FromStr for OrderState {
    type Err = serde::de::value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        word(text)
    }
}

impl FromStr for Carrier {
    type Err = serde::de::value::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        word(text)
    }
}
