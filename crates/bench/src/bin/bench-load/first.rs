//! Calls a server that may still be starting, until it gives the right answer.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use portreeve_bench::options::Options;
use serde_json::{Value, json};

use crate::answer::{Found, Inbox};
use crate::request::Target;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) fn run(target: &Target, options: &Options) -> Result<Value> {
    let limit = Duration::from_secs_f64(options.get("seconds", 30.0)?);
    let begun = Instant::now();
    loop {
        let outcome = attempt(target);
        let failure = match outcome {
            Ok(None) => return Ok(json!({ "n": 1, "failed": 0, "why": "" })),
            Ok(Some(answer)) => answer,
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > limit {
            return Ok(json!({ "n": 0, "failed": 1, "why": failure }));
        }
        thread::sleep(PAUSE);
    }
}

/// One call on a connection of its own. `None`: the answer is right.
fn attempt(target: &Target) -> io::Result<Option<String>> {
    let mut stream = TcpStream::connect(target.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = target.request(0);
    request.renew();
    stream.write_all(request.bytes())?;
    let mut inbox = Inbox::default();
    loop {
        inbox.fill(&mut stream)?;
        if let Found::Answer(answer) = inbox.look()? {
            return Ok((!answer.is_right(target, &request)).then(|| answer.shown()));
        }
    }
}
