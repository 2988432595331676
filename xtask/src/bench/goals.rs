//! The goals of the project, held against what was measured.

use super::contestants::Contestant::{
    Direct, Full, Nginx, NginxLarge, PassThrough, Rest, Session, ToLegacy, ToLegacyShared, ToModern,
};
use super::results::Results;
use super::suites::bridges::{TO_LEGACY, TO_MODERN};
use super::suites::calls::{LIST, ONE_CORE, REST, connections_cell, size_cell};
use super::suites::life::START;
use super::suites::streams::{OPEN, STREAMED};

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
    /// `None`: its suite was not asked for, or there were failures.
    pub(crate) value: Option<f64>,
}

/// All goals.
pub(crate) fn judge(results: &Results) -> Vec<Goal> {
    let mut goals = of_calls(results);
    goals.extend(of_bridges(results));
    goals.extend(of_bodies(results));
    goals.extend(of_streams(results));
    goals.extend(of_the_node(results));
    goals
}

fn of_calls(results: &Results) -> Vec<Goal> {
    let (sixteen, many) = (connections_cell(16), connections_cell(64));
    let to_nginx = |cell: &str, figure| {
        Some(results.faultless(cell, Full, figure)? / results.faultless(cell, Nginx, figure)?)
    };
    let p50 = |who| results.faultless(ONE_CORE, who, "p50_us");
    let added = |who| Some(p50(who)? - p50(Direct)?);
    let cpu = |who| results.faultless(&sixteen, who, "cpu_us");
    vec![
        at_most("CPU of a full call to nginx's, 16 connections", "x", 2.1)
            .stretch(1.6)
            .is(to_nginx(&sixteen, "cpu_us")),
        at_most("CPU of a full call to nginx's, 64 connections", "x", 2.1)
            .stretch(1.6)
            .is(to_nginx(&many, "cpu_us")),
        at_least("calls per second to nginx's, 16 connections", "x", 0.5)
            .stretch(0.65)
            .is(to_nginx(&sixteen, "calls_per_second")),
        at_least("calls per second to nginx's, 64 connections", "x", 0.5)
            .stretch(0.65)
            .is(to_nginx(&many, "calls_per_second")),
        at_most("added p50 to nginx's, all on one core", "x", 2.2).is(quotient(added(Full), added(Nginx))),
        at_most("p99 to nginx's, 64 connections", "x", 1.8).is(to_nginx(&many, "p99_us")),
        at_most("all checks over pass-through, CPU of a call", "us", 5.0)
            .is(difference(cpu(Full), cpu(PassThrough))),
        at_most("CPU of a REST tool's call to a full MCP call's", "x", 1.5).is(quotient(
            results.faultless(REST, Rest, "cpu_us"),
            results.faultless(REST, Full, "cpu_us"),
        )),
    ]
}

fn of_bridges(results: &Results) -> Vec<Goal> {
    let ratio = |cell, bridged, straight| {
        let cpu = |who| results.faultless(cell, who, "cpu_us");
        quotient(cpu(bridged), cpu(straight))
    };
    vec![
        at_most(
            "CPU of a modern host's call to a legacy server to a straight one's",
            "x",
            1.5,
        )
        .is(ratio(TO_LEGACY, ToLegacyShared, Full)),
        at_most("the same, with a session for each call", "x", 1.5).is(ratio(TO_LEGACY, ToLegacy, Full)),
        at_most(
            "CPU of a legacy host's call to a modern server to a straight one's",
            "x",
            1.5,
        )
        .is(ratio(TO_MODERN, ToModern, Session)),
    ]
}

fn of_bodies(results: &Results) -> Vec<Goal> {
    let large = size_cell("256 KiB");
    let cpu = |who| results.faultless(&large, who, "cpu_us");
    vec![
        at_most("CPU of a 256 KiB echo to nginx's that does not spill", "x", 1.3)
            .is(quotient(cpu(Full), cpu(NginxLarge))),
        at_most("CPU of a filtered list of 100 tools, warm", "us", 60.0)
            .is(results.faultless(LIST, Full, "cpu_us")),
    ]
}

fn of_streams(results: &Results) -> Vec<Goal> {
    let open = |figure| results.faultless(OPEN, Full, figure);
    vec![
        at_most("CPU of an event", "us", 4.0)
            .stretch(1.0)
            .is(results.faultless(STREAMED, Full, "cpu_us")),
        at_most("memory of an open stream", "KiB", 45.0)
            .stretch(20.0)
            .is(open("stream_kib")),
        at_most("memory 30 s after the streams closed to idle", "x", 1.5).is(open("after_to_idle")),
    ]
}

fn of_the_node(results: &Results) -> Vec<Goal> {
    let start = |figure| results.faultless(START, Full, figure);
    vec![
        at_most("idle memory", "MiB", 40.0).is(results.faultless(OPEN, Full, "idle_mib")),
        at_most("start with a database to the first good call", "ms", 100.0).is(start("first_call_ms")),
        at_most("stripped binary", "MB", 35.0).is(start("binary_mb")),
    ]
}

fn quotient(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    Some(above? / below?)
}

fn difference(more: Option<f64>, less: Option<f64>) -> Option<f64> {
    Some(more? - less?)
}

fn at_most(what: &'static str, unit: &'static str, bound: f64) -> Goal {
    Goal {
        what,
        unit,
        side: Side::AtMost,
        bound,
        stretch: None,
        value: None,
    }
}

fn at_least(what: &'static str, unit: &'static str, bound: f64) -> Goal {
    Goal {
        side: Side::AtLeast,
        ..at_most(what, unit, bound)
    }
}

impl Goal {
    fn stretch(mut self, bound: f64) -> Self {
        self.stretch = Some(bound);
        self
    }

    fn is(mut self, value: Option<f64>) -> Self {
        self.value = value;
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
        let verdict = |value| at_most("memory", "MiB", 40.0).stretch(25.0).is(value).verdict();
        assert_eq!(verdict(None), "not measured");
        assert_eq!(verdict(Some(20.0)), "holds, and the stretch of 25");
        assert_eq!(verdict(Some(40.0)), "holds");
        assert_eq!(verdict(Some(50.0)), "missed by 10.00 MiB (25 %)");
        let verdict = |value| at_least("speed", "x", 0.5).is(Some(value)).verdict();
        assert_eq!(verdict(0.4), "missed by 0.10 x (20 %)");
        assert_eq!(verdict(0.5), "holds");
    }
}
