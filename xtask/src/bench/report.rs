//! What was measured, for people and for programs.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::Request;
use super::contestants::Contestant;
use super::goals::Goal;
use super::machine::Machine;
use super::results::Results;
use super::suites::life::START;
use super::suites::streams::{FIRST, OPEN, STREAMED};
use crate::context::Context;

/// The page, and where in it the last run stands.
const PAGE: &str = "docs/benchmarks.md";
const BEGIN: &str = "<!-- The last run, written by `cargo xtask bench --write-docs`. -->\n";
const END: &str = "<!-- End of the last run. -->\n";

/// A column: its title, the figure, and digits after the point.
type Column = (&'static str, &'static str, usize);

const CALLS: &[Column] = &[
    ("calls/s", "calls_per_second", 0),
    ("p50 us", "p50_us", 0),
    ("p99 us", "p99_us", 0),
    ("p99.9 us", "p999_us", 0),
    ("mean us", "mean_us", 0),
    ("CPU us a call", "cpu_us", 1),
];
const EVENTS: &[Column] = &[
    ("calls/s", "calls_per_second", 0),
    ("CPU us an event", "cpu_us", 2),
    ("first event, p50 us", "first_event_p50_us", 0),
];
const MEMORY: &[Column] = &[
    ("streams", "streams", 0),
    ("opened in ms", "open_ms", 0),
    ("idle MiB", "idle_mib", 1),
    ("open MiB", "open_mib", 1),
    ("KiB a stream", "stream_kib", 1),
    ("after 30 s MiB", "after_mib", 1),
    ("to idle", "after_to_idle", 2),
    ("CPU % while open", "open_cpu_percent", 1),
];
const STARTS: &[Column] = &[
    ("first good call ms", "first_call_ms", 0),
    ("binary MB", "binary_mb", 1),
];

fn columns(cell: &str) -> &'static [Column] {
    match cell {
        STREAMED | FIRST => EVENTS,
        OPEN => MEMORY,
        START => STARTS,
        _ => CALLS,
    }
}

/// The whole report, as it is printed and as it stands on the page.
pub(crate) fn markdown(machine: &Machine, request: &Request, results: &Results, goals: &[Goal]) -> String {
    let mut text = format!(
        "{}, {}: {}, {} cores, Linux {}, load {} at the start. {} rounds of {} s; medians, with half the distance \
         between the rounds.\n",
        machine.date,
        machine.software,
        machine.processor,
        machine.cores,
        machine.kernel,
        machine.load,
        request.rounds,
        request.seconds
    );
    for note in &results.notes {
        let _ = write!(text, "\n{note}\n");
    }
    for cell in results.cells() {
        let _ = write!(text, "\n### {}\n\n{}", capitalized(cell), table(results, cell));
    }
    let _ = write!(text, "\n### Goals\n\n{}", goals_table(goals));
    text
}

fn table(results: &Results, cell: &str) -> String {
    let contestants = results.contestants(cell);
    let columns: Vec<&Column> = columns(cell)
        .iter()
        .filter(|(_, figure, _)| {
            let has = |contestant: &Contestant| results.median(cell, *contestant, figure).is_some();
            contestants.iter().any(has)
        })
        .collect();
    let compares = contestants.contains(&Contestant::Nginx);
    let mut head = vec![""];
    for (title, figure, _) in &columns {
        head.push(title);
        if compares && is_compared(figure) {
            head.push("to nginx");
        }
    }
    let mut rows = vec![head.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()];
    for contestant in contestants {
        let mut row = vec![contestant.name().to_owned()];
        for (_, figure, digits) in &columns {
            let middle = results.middle(cell, contestant, figure);
            row.push(middle.map_or("–".to_owned(), |middle| {
                let spread = (middle.spread * 100.0).round();
                let value = grouped(middle.median, *digits);
                if spread >= 1.0 {
                    format!("{value} ±{spread} %")
                } else {
                    value
                }
            }));
            if compares && is_compared(figure) {
                let nginx = results.median(cell, Contestant::Nginx, figure);
                let ratio = middle.zip(nginx).map(|(middle, nginx)| middle.median / nginx);
                row.push(ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")));
            }
        }
        rows.push(row);
    }
    let mut text = lines(&rows);
    for row in results.of(cell).filter(|row| row.failed > 0) {
        let (name, round) = (row.contestant.name(), row.round + 1);
        let _ = write!(
            text,
            "\n{name}, round {round}: {} **failed**, the first: `{}`\n",
            row.failed, row.why
        );
    }
    text
}

fn is_compared(figure: &str) -> bool {
    ["calls_per_second", "p50_us", "p99_us", "cpu_us"].contains(&figure)
}

fn goals_table(goals: &[Goal]) -> String {
    let mut rows = vec![["", "measured", "goal", ""].map(str::to_owned).to_vec()];
    for goal in goals {
        let value = goal
            .value
            .map_or("–".to_owned(), |value| format!("{value:.2} {}", goal.unit));
        rows.push(vec![
            goal.what.to_owned(),
            value,
            goal.bound_text(),
            goal.verdict(),
        ]);
    }
    lines(&rows)
}

/// A Markdown table whose columns stand under each other in a terminal too.
fn lines(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let fill = " ".repeat(width - cell.chars().count());
            let _ = match column {
                0 => write!(text, "| {cell}{fill} "),
                _ => write!(text, "| {fill}{cell} "),
            };
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let rule = "-".repeat(width + 1);
                let _ = match column {
                    0 => write!(text, "|{rule}-"),
                    _ => write!(text, "|{rule}:"),
                };
            }
            text.push_str("|\n");
        }
    }
    text
}

/// A number with commas between thousands.
fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (index, character) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(character);
    }
    if rest.is_empty() {
        grouped
    } else {
        format!("{grouped}.{rest}")
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// Everything, for programs.
pub(crate) fn json(machine: &Machine, request: &Request, results: &Results, goals: &[Goal]) -> Value {
    let goal = |goal: &Goal| {
        json!({
            "what": goal.what,
            "value": goal.value,
            "bound": goal.bound_text(),
            "stretch": goal.stretch,
            "unit": goal.unit,
            "verdict": goal.verdict(),
        })
    };
    json!({
        "date": machine.date,
        "software": machine.software,
        "processor": machine.processor,
        "cores": machine.cores,
        "kernel": machine.kernel,
        "load": machine.load,
        "rounds": request.rounds,
        "seconds": request.seconds,
        "notes": results.notes,
        "goals": goals.iter().map(goal).collect::<Vec<_>>(),
        "rows": results.json(),
    })
}

/// Replaces the last run on the page.
pub(crate) fn write_docs(context: &Context, text: &str) -> Result<()> {
    let path = context.root.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read `{PAGE}`"))?;
    let Some((before, rest)) = page.split_once(BEGIN) else {
        bail!(
            "`{PAGE}` has no place for a run; hint: it begins with `{}`",
            BEGIN.trim()
        );
    };
    let after = rest.split_once(END).map_or("", |(_, after)| after);
    fs::write(&path, format!("{before}{BEGIN}\n{text}\n{END}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{grouped, lines};

    #[test]
    fn numbers_are_grouped() {
        for (value, digits, text) in [
            (0.0, 0, "0"),
            (999.4, 0, "999"),
            (73_812.0, 0, "73,812"),
            (1_234_567.25, 1, "1,234,567.2"),
            (-1_000.0, 0, "-1,000"),
        ] {
            assert_eq!(grouped(value, digits), text);
        }
    }

    #[test]
    fn a_table_is_aligned() {
        let rows = [
            vec![String::new(), "n".to_owned()],
            vec!["a".to_owned(), "10".to_owned()],
        ];
        assert_eq!(lines(&rows), "|   |  n |\n|---|---:|\n| a | 10 |\n");
    }
}
