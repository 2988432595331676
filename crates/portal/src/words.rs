//! How numbers, times and texts are written for people. English, UTC, no surprises.

use portreeve_core::time::Timestamp;

/// `1,234,567`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 server`, `2 servers`. The plural adds an `s`.
pub(crate) fn count(value: usize, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!(
        "{} {noun}{plural}",
        number(u64::try_from(value).unwrap_or(u64::MAX))
    )
}

/// `7`, `99+`: a number that was counted up to a bound.
pub(crate) fn counted(value: u64, bound: u64) -> String {
    if value < bound {
        value.to_string()
    } else {
        format!("{}+", bound.saturating_sub(1))
    }
}

/// A text as one part of an address.
pub(crate) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// One decimal below ten, none above: `1.2`, `12`. Input in tenths, rounded down.
fn tenths(tenths: u64) -> String {
    if tenths >= 100 {
        number(tenths / 10)
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// `850 µs`, `1.2 ms`, `34 ms`, `2.5 s`.
pub(crate) fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", tenths(micros / 100)),
        _ => format!("{} s", tenths(micros / 100_000)),
    }
}

/// `512 B`, `1.5 kB`, `34 MB`: powers of 1000.
pub(crate) fn bytes(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} B"),
        1_000..1_000_000 => format!("{} kB", tenths(value / 100)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(value / 100_000)),
        _ => format!("{} GB", tenths(value / 100_000_000)),
    }
}

/// `3.4 %`, `0 %`, `< 0.1 %`.
pub(crate) fn share(part: u64, whole: u64) -> String {
    match (part.saturating_mul(1_000)).checked_div(whole) {
        None => "0 %".to_owned(),
        Some(0) if part == 0 => "0 %".to_owned(),
        Some(0) => "< 0.1 %".to_owned(),
        Some(permille) => format!("{} %", tenths(permille)),
    }
}

/// A moment, in the parts that pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// RFC 3339, for machines.
    pub(crate) iso: String,
    /// `23 Nov 2026`.
    pub(crate) day: String,
    /// `12:39:05`.
    pub(crate) time: String,
}

impl Moment {
    pub(crate) fn new(at: Timestamp) -> Self {
        let iso = at.to_string();
        let (date, rest) = iso.split_once('T').unwrap_or((&iso, ""));
        Self {
            day: day(date),
            time: rest.get(..8).unwrap_or(rest).to_owned(),
            iso,
        }
    }
}

fn day(date: &str) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut parts = date.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return date.to_owned();
    };
    let month = month
        .parse::<usize>()
        .ok()
        .and_then(|month| MONTHS.get(month.checked_sub(1)?));
    match month {
        Some(month) => format!("{} {month} {year}", day.trim_start_matches('0')),
        None => date.to_owned(),
    }
}

/// A stretch of a text: plain, or what stood in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) is_code: bool,
}

/// The product's texts put values in backticks; pages show them as code.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    text.split('`')
        .enumerate()
        .map(|(index, text)| Piece {
            text: visible(text),
            is_code: index % 2 == 1,
        })
        .filter(|piece| !piece.text.is_empty())
        .collect()
}

/// A text from a document, with everything made visible that a reader would not see: controls, marks that turn the
/// direction of the text, zero-width characters, tags. A reviewer approves what the model reads, not what the
/// browser paints. Line breaks and tabs stay; so do the joiners inside emoji.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut previous = ' ';
    for character in text.chars() {
        let joins_emoji = match character {
            '\u{fe0f}' => is_emoji(previous),
            '\u{200d}' => is_emoji(previous) || previous == '\u{fe0f}',
            _ => false,
        };
        if is_invisible(character) && !joins_emoji {
            shown.push_str(&format!("[U+{:04X}]", character as u32));
            previous = ' ';
        } else {
            shown.push(character);
            previous = character;
        }
    }
    shown
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

fn is_invisible(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\r' => true,
        _ if character.is_control() => true,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => true,
        _ => false,
    }
}

/// The text as an http or https address, or nothing: `javascript:` and its kin never become links.
pub(crate) fn web_link(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [number(7), number(1_234), number(1_234_567)],
            ["7", "1,234", "1,234,567"]
        );
        assert_eq!(
            [count(1, "server"), count(2_000, "server")],
            ["1 server", "2,000 servers"]
        );
        assert_eq!(
            [
                duration(850),
                duration(1_250),
                duration(34_567),
                duration(2_540_000)
            ],
            ["850 µs", "1.2 ms", "34 ms", "2.5 s"]
        );
        assert_eq!(
            [bytes(512), bytes(1_536), bytes(34_000_000)],
            ["512 B", "1.5 kB", "34 MB"]
        );
        assert_eq!(
            [
                share(0, 0),
                share(0, 9),
                share(1, 5_000),
                share(34, 1_000),
                share(1, 1)
            ],
            ["0 %", "0 %", "< 0.1 %", "3.4 %", "100 %"]
        );
    }

    #[test]
    fn a_moment_has_a_day_and_a_time() {
        let moment = Moment::new(Timestamp::parse("2026-11-03T12:39:05.123Z").unwrap());
        assert_eq!(
            (moment.day.as_str(), moment.time.as_str()),
            ("3 Nov 2026", "12:39:05")
        );
    }

    #[test]
    fn what_hides_becomes_visible() {
        assert_eq!(visible("pay\u{202e}now\u{200b}"), "pay[U+202E]now[U+200B]");
        assert_eq!(visible("tag\u{e0041}\u{fe0f}"), "tag[U+E0041][U+FE0F]");
        assert_eq!(visible("a\u{fe0f}\u{200d}"), "a[U+FE0F][U+200D]");
        assert_eq!(
            visible("👩\u{200d}🔬 ❤\u{fe0f}\nnext\tone"),
            "👩\u{200d}🔬 ❤\u{fe0f}\nnext\tone"
        );
    }

    #[test]
    fn values_in_backticks_become_code() {
        let shown: Vec<_> = pieces("`a` is not `b`.")
            .into_iter()
            .map(|piece| (piece.text, piece.is_code))
            .collect();
        let expected = [("a", true), (" is not ", false), ("b", true), (".", false)];
        assert_eq!(shown, expected.map(|(text, is_code)| (text.to_owned(), is_code)));
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(
            web_link("https://acme.example/x").as_deref(),
            Some("https://acme.example/x")
        );
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "/relative",
            "vscode:mcp/install",
            "",
        ] {
            assert_eq!(web_link(bad), None, "{bad}");
        }
    }
}
