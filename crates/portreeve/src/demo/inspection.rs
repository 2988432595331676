//! The slow tool: a cargo inspection that takes a while and says how far it is.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time;

use super::harbour::text_result;
use super::wire::Stream;

/// The longest inspection there is.
const LONGEST: f64 = 60.0;
/// The fewest holds that are opened, however short the inspection.
const FEWEST_HOLDS: u32 = 4;

/// An inspection that was asked for and has not begun.
#[derive(Debug, PartialEq)]
pub(super) struct Inspection {
    ship: String,
    holds: u32,
    pause: Duration,
}

impl Inspection {
    /// Reads the arguments; `Err` is the tool's own complaint.
    pub(super) fn read(arguments: &Value) -> Result<Self, String> {
        let ship = match arguments.get("ship") {
            None => "Aurelia",
            Some(Value::String(ship)) => ship,
            Some(other) => return Err(format!("`ship` must be a name, not `{other}`")),
        };
        let seconds = match arguments.get("seconds") {
            None => 2.0,
            Some(given) => given
                .as_f64()
                .filter(|seconds| (0.0..=LONGEST).contains(seconds))
                .ok_or_else(|| format!("`seconds` must be a number from 0 to {LONGEST}, not `{given}`"))?,
        };
        let whole = Duration::from_secs_f64(seconds);
        // One hold a second at least: progress then never pauses for long, however long the inspection takes.
        let holds = u32::try_from(whole.as_secs())
            .unwrap_or(FEWEST_HOLDS)
            .max(FEWEST_HOLDS);
        Ok(Self {
            ship: ship.to_owned(),
            holds,
            pause: whole / holds,
        })
    }

    /// Inspects. With a stream and a token it reports before each hold, the first time at once.
    pub(super) async fn run(&self, told: Option<(&Stream, &Value)>) -> Value {
        for hold in 1..=self.holds {
            if let Some((stream, token)) = told {
                stream.send(&self.progress(token, hold)).await;
            }
            time::sleep(self.pause).await;
        }
        let report = format!(
            "Inspected {} holds of the {}: cargo and papers agree.",
            self.holds, self.ship
        );
        text_result(&report)
    }

    fn progress(&self, token: &Value, hold: u32) -> Value {
        json!({
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {
                "progressToken": token,
                "progress": hold,
                "total": self.holds,
                "message": format!("Opening hold {hold} of {}", self.holds),
            },
        })
    }
}
