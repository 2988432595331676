//! Spans of time as people type them: `500ms`, `30s`, `5m`, `24h`, `90d`, `2w`.

use std::time::Duration;

const UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Reads a span of time, for clap. Zero is refused: no option means "no time at all".
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a time: write a number and a unit, as in `30s`, `5m`, `24h`, `90d`");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let (_, millis) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    match number.checked_mul(millis) {
        Some(0) => Err(format!("`{text}` is no time at all")),
        Some(total) => Ok(Duration::from_millis(total)),
        None => Err(format!("`{text}` is too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
            ("2w", 1_209_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_an_example() {
        for text in [
            "",
            "30",
            "s",
            "-5s",
            "1.5h",
            "5 m",
            "0s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(&format!("`{text}`")), "{problem}");
        }
    }
}
