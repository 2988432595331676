//! What should happen in each cell, and which cells do not get there yet.

use super::abilities::Ability::{
    self, Call, Cancel, Elicitation, List, Progress, Prompt, Resource, Sampling, Subscription,
};
use super::{Cell, Outcome};
use crate::any_host::{ELICITATION, MODERN, Revision};

/// Cells that are not as they should be: hosts, servers, abilities, and why. One that is as it should be fails the test.
type Open = (
    &'static [Revision],
    &'static [Revision],
    &'static [Ability],
    &'static str,
);

const OPEN: &[Open] = &[];

/// What should happen, and why it does not.
pub(crate) struct Expected {
    pub(crate) target: Target,
    pub(crate) open: Option<&'static str>,
}

#[derive(Debug)]
pub(crate) enum Target {
    Passes,
    /// One of these codes, or a result that says that the tool failed (`None`), and why.
    Refused(&'static [Option<i64>], &'static str),
}

pub(crate) fn expected(cell: Cell) -> Expected {
    let Cell {
        host,
        server,
        ability,
    } = cell;
    let listed = |(hosts, servers, abilities, _): &&Open| {
        hosts.contains(&host) && servers.contains(&server) && abilities.contains(&ability)
    };
    Expected {
        target: target(cell),
        open: OPEN.iter().find(listed).map(|(.., reason)| *reason),
    }
}

fn target(
    Cell {
        host,
        server,
        ability,
    }: Cell,
) -> Target {
    match ability {
        Elicitation if server < ELICITATION => Target::Refused(
            &[Some(-32602)],
            "a server of this revision has no tool that asks the user (elicitation came with 2025-06-18)",
        ),
        Elicitation if host < ELICITATION => Target::Refused(
            &[Some(-32603), None],
            "a host of this revision cannot be asked, so the server is told that it lacks the capability",
        ),
        Elicitation | Sampling if host == MODERN && server < MODERN => Target::Refused(
            &[Some(-32603), Some(-32021), None],
            "a request in the middle of a call has no counterpart in the modern era, where a call is repeated with \
             what it lacked; the server is told that the capability is not there",
        ),
        List | Call | Resource | Prompt | Progress | Cancel | Subscription | Elicitation | Sampling => {
            Target::Passes
        }
    }
}

// === impl Target ===

impl Target {
    pub(crate) fn is_met(&self, outcome: &Outcome) -> Result<(), String> {
        match (self, outcome) {
            (Self::Passes, Outcome::Passed) => Ok(()),
            (Self::Refused(codes, why), Outcome::Refused(answer)) => {
                let code = answer["error"]["code"].as_i64();
                let known = codes.contains(&code);
                known
                    .then_some(())
                    .ok_or_else(|| format!("is refused in other words, where {why}: {answer}"))
            }
            (target, Outcome::Wrong(problem)) => Err(format!("{problem}, and should be {target:?}")),
            (target, outcome) => Err(format!("{outcome:?}, and should be {target:?}")),
        }
    }

    pub(crate) fn shown(&self) -> char {
        match self {
            Self::Passes => '.',
            Self::Refused(..) => 'r',
        }
    }
}
