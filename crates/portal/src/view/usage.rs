//! The usage page: tiles, and one row with a bar for each tool.

use std::time::Duration;

use askama::Template;
use portreeve_core::usage::UsageRow;

use crate::view::shell::Shell;
use crate::words;

/// Rows on the page; the management API has them all.
const ROWS: usize = 200;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A time range that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// `24h`: in the address and on the switch.
    pub(crate) word: &'static str,
    /// `The last 24 hours`.
    pub(crate) title: &'static str,
    pub(crate) span: Duration,
}

impl Range {
    pub(crate) const ALL: [Self; 4] = [
        Self {
            word: "1h",
            title: "The last hour",
            span: HOUR,
        },
        Self {
            word: "24h",
            title: "The last 24 hours",
            span: HOUR.saturating_mul(24),
        },
        Self {
            word: "7d",
            title: "The last 7 days",
            span: HOUR.saturating_mul(24 * 7),
        },
        Self {
            word: "30d",
            title: "The last 30 days",
            span: HOUR.saturating_mul(24 * 30),
        },
    ];

    /// The range of that word; a day for words that mean none.
    pub(crate) fn of(word: Option<&str>) -> Self {
        let [_, day, ..] = Self::ALL;
        Self::ALL
            .into_iter()
            .find(|range| Some(range.word) == word)
            .unwrap_or(day)
    }
}

/// A range on the switch.
#[derive(Debug, Clone)]
pub(crate) struct RangeChoice {
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    pub(crate) current: bool,
}

/// One number above the table.
#[derive(Debug, Clone)]
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

/// The parts of a row's bar, in hundredths of the longest.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) ok: String,
    pub(crate) error: String,
    pub(crate) error_at: String,
    pub(crate) limited: String,
    pub(crate) limited_at: String,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) server: String,
    pub(crate) href: String,
    pub(crate) calls: String,
    pub(crate) errors: String,
    pub(crate) refused: String,
    pub(crate) limited: String,
    pub(crate) p50: String,
    pub(crate) p95: String,
    pub(crate) bytes_in: String,
    pub(crate) bytes_out: String,
    pub(crate) bar: Bar,
}

/// The page.
#[derive(Template)]
#[template(path = "usage.html")]
pub(crate) struct UsagePage {
    pub(crate) shell: Shell,
    pub(crate) range_title: &'static str,
    pub(crate) ranges: Vec<RangeChoice>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) rows: Vec<Row>,
    pub(crate) cut: usize,
    pub(crate) cut_words: String,
    pub(crate) first_call: &'static str,
}

impl UsagePage {
    pub(crate) fn new(shell: Shell, range: Range, usage: &[UsageRow]) -> Self {
        let longest = usage.iter().map(|row| row.calls).max().unwrap_or(0);
        let cut = usage.len().saturating_sub(ROWS);
        Self {
            shell,
            range_title: range.title,
            ranges: Range::ALL
                .iter()
                .map(|choice| RangeChoice {
                    word: choice.word,
                    title: choice.title,
                    current: *choice == range,
                })
                .collect(),
            tiles: tiles(usage),
            rows: usage
                .iter()
                .take(ROWS)
                .map(|row| self::row(row, longest))
                .collect(),
            cut,
            cut_words: format!("{} with fewer calls not shown", words::count(cut, "row")),
            first_call: "portreeve call com.acme/billing list_invoices",
        }
    }
}

/// Numbers over all of it.
pub(crate) fn tiles(usage: &[UsageRow]) -> Vec<Tile> {
    let sum = |of: fn(&UsageRow) -> u64| usage.iter().map(of).fold(0, u64::saturating_add);
    let calls = sum(|row| row.calls);
    let tile = |label, value: u64| Tile {
        label,
        value: words::number(value),
        note: format!("{} of calls", words::share(value, calls)),
    };
    let slowest = usage
        .iter()
        .filter(|row| row.p95_us.is_some())
        .max_by_key(|row| row.p95_us);
    vec![
        Tile {
            label: "Calls",
            value: words::number(calls),
            note: format!(
                "{} carried",
                words::bytes(sum(|row| row.bytes_in.saturating_add(row.bytes_out)))
            ),
        },
        tile("Errors", sum(|row| row.errors)),
        tile("Refused", sum(|row| row.refused)),
        tile("Limited", sum(|row| row.limited)),
        Tile {
            label: "Slowest p95",
            value: slowest
                .and_then(|row| row.p95_us)
                .map_or("–".to_owned(), words::duration),
            note: slowest.map(what).unwrap_or_default(),
        },
    ]
}

fn what(row: &UsageRow) -> String {
    words::visible(row.tool.as_deref().unwrap_or(&row.method))
}

fn row(row: &UsageRow, longest: u64) -> Row {
    let limited = row.refused.saturating_add(row.limited);
    let ok = row.calls.saturating_sub(row.errors).saturating_sub(limited);
    Row {
        what: what(row),
        server: row.server.to_string(),
        href: format!("/servers/{}", row.server),
        calls: words::number(row.calls),
        errors: words::number(row.errors),
        refused: words::number(row.refused),
        limited: words::number(row.limited),
        p50: row.p50_us.map_or("–".to_owned(), words::duration),
        p95: row.p95_us.map_or("–".to_owned(), words::duration),
        bytes_in: words::bytes(row.bytes_in),
        bytes_out: words::bytes(row.bytes_out),
        bar: Bar {
            ok: hundredths(ok, longest),
            error_at: hundredths(ok, longest),
            error: hundredths(row.errors, longest),
            limited_at: hundredths(ok.saturating_add(row.errors), longest),
            limited: hundredths(limited, longest),
        },
    }
}

/// `part` of `whole` on a scale to 100, with two decimals.
fn hundredths(part: u64, whole: u64) -> String {
    let scaled = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}", scaled / 100, scaled % 100)
}
