//! The goals of the project, held against what was measured.

use super::contestants::Contestant::{Direct, Full, Nginx, NginxLarge, PassThrough};
use super::results::Results;
use super::suites::calls::{LIST, ONE_CORE, connections_cell, size_cell};
use super::suites::life::START;
use super::suites::streams::{FIRST, OPEN, STREAMED};

/// On which side of the bound the value shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    AtMost,
    AtLeast,
}

/// One goal, with what was measured.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) side: Side,
    pub(crate) bound: f64,
    /// What would be better than good.
    pub(crate) stretch: Option<f64>,
    /// `None`: its suite was not asked for.
    pub(crate) value: Option<f64>,
}

/// All goals.
pub(crate) fn judge(results: &Results) -> Vec<Goal> {
    let ratio =
        |cell: &str, figure| Some(results.median(cell, Full, figure)? / results.median(cell, Nginx, figure)?);
    let (sixteen, many) = (connections_cell(16), connections_cell(64));
    let large = size_cell("256 KiB");
    let added =
        |who| Some(results.median(ONE_CORE, who, "p50_us")? - results.median(ONE_CORE, Direct, "p50_us")?);
    let checks =
        |cell| Some(results.median(cell, Full, "cpu_us")? - results.median(cell, PassThrough, "cpu_us")?);
    let unspilled = |_| {
        let full = results.median(&large, Full, "cpu_us")?;
        Some(full / results.median(&large, NginxLarge, "cpu_us")?)
    };
    let first = |who| results.median(FIRST, who, "first_event_p50_us");
    let full = |cell, figure| results.median(cell, Full, figure);
    vec![
        at_most(
            "CPU of a full call to nginx's, 16 connections",
            "x",
            2.1,
            ratio(&sixteen, "cpu_us"),
        )
        .stretch(1.6),
        at_most(
            "CPU of a full call to nginx's, 64 connections",
            "x",
            2.1,
            ratio(&many, "cpu_us"),
        )
        .stretch(1.6),
        at_least(
            "calls per second to nginx's, 16 connections",
            0.5,
            ratio(&sixteen, "calls_per_second"),
        )
        .stretch(0.65),
        at_least(
            "calls per second to nginx's, 64 connections",
            0.5,
            ratio(&many, "calls_per_second"),
        )
        .stretch(0.65),
        at_most(
            "added p50 to nginx's, everything on one core",
            "x",
            2.2,
            added(Full).zip(added(Nginx)).map(divided),
        )
        .stretch(1.5),
        at_most("p99 to nginx's, 64 connections", "x", 1.8, ratio(&many, "p99_us")).stretch(1.4),
        at_most(
            "all checks over pass-through, CPU of a call, 16 connections",
            "us",
            5.0,
            checks(&sixteen),
        )
        .stretch(3.0),
        at_most(
            "CPU of a 256 KiB echo to nginx's that does not spill",
            "x",
            1.3,
            unspilled(()),
        ),
        at_most(
            "CPU of a filtered list of 100 tools, warm",
            "us",
            60.0,
            full(LIST, "cpu_us"),
        )
        .stretch(45.0),
        at_most("CPU of an event", "us", 4.0, full(STREAMED, "cpu_us")).stretch(1.0),
        at_most(
            "first event, p50 over nginx's",
            "us",
            100.0,
            first(Full).zip(first(Nginx)).map(|(full, nginx)| full - nginx),
        )
        .stretch(50.0),
        at_most("memory of an open stream", "KiB", 45.0, full(OPEN, "stream_kib")).stretch(20.0),
        at_most(
            "memory 30 s after the streams closed to idle",
            "x",
            1.5,
            full(OPEN, "after_to_idle"),
        )
        .stretch(1.2),
        at_most("idle memory", "MiB", 40.0, full(OPEN, "idle_mib")).stretch(25.0),
        at_most(
            "start with a database to the first good call",
            "ms",
            100.0,
            full(START, "first_call_ms"),
        )
        .stretch(30.0),
        at_most("stripped binary", "MB", 35.0, full(START, "binary_mb")).stretch(20.0),
    ]
}

fn divided((above, below): (f64, f64)) -> f64 {
    above / below
}

fn at_most(what: &'static str, unit: &'static str, bound: f64, value: Option<f64>) -> Goal {
    Goal {
        what,
        unit,
        side: Side::AtMost,
        bound,
        stretch: None,
        value,
    }
}

fn at_least(what: &'static str, bound: f64, value: Option<f64>) -> Goal {
    Goal {
        side: Side::AtLeast,
        ..at_most(what, "x", bound, value)
    }
}

impl Goal {
    fn stretch(mut self, bound: f64) -> Self {
        self.stretch = Some(bound);
        self
    }

    fn keeps(&self, bound: f64, value: f64) -> bool {
        match self.side {
            Side::AtMost => value <= bound,
            Side::AtLeast => value >= bound,
        }
    }

    /// The bound as a word.
    pub(crate) fn bound_text(&self) -> String {
        let sign = match self.side {
            Side::AtMost => "at most",
            Side::AtLeast => "at least",
        };
        format!("{sign} {} {}", self.bound, self.unit)
    }

    /// Whether it holds.
    pub(crate) fn verdict(&self) -> String {
        let Some(value) = self.value else {
            return "not measured".to_owned();
        };
        if !self.keeps(self.bound, value) {
            let by = (value - self.bound).abs();
            return format!(
                "missed by {by:.2} {} ({:.0} %)",
                self.unit,
                by / self.bound * 100.0
            );
        }
        match self.stretch {
            Some(stretch) if self.keeps(stretch, value) => format!("holds, and the stretch of {stretch}"),
            _ => "holds".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{at_least, at_most};

    #[test]
    fn a_goal_says_whether_it_holds_and_by_how_much_it_does_not() {
        let verdict = |value| at_most("memory", "MiB", 40.0, value).stretch(25.0).verdict();
        assert_eq!(verdict(None), "not measured");
        assert_eq!(verdict(Some(20.0)), "holds, and the stretch of 25");
        assert_eq!(verdict(Some(40.0)), "holds");
        assert_eq!(verdict(Some(50.0)), "missed by 10.00 MiB (25 %)");
        assert_eq!(
            at_least("speed", 0.5, Some(0.4)).verdict(),
            "missed by 0.10 x (20 %)"
        );
        assert_eq!(at_least("speed", 0.5, Some(0.5)).verdict(), "holds");
    }
}
