//! Errors: the few codes that mean one thing in one era and another in the other.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Unbridgeable;
use crate::code;
use crate::envelope::{Message, Outcome};
use crate::method::Method;
use crate::splice::Splice;

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow)]
    code: &'a RawValue,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct About<'a> {
    #[serde(borrow)]
    #[expect(dead_code, reason = "only that it is there matters")]
    uri: &'a RawValue,
}

fn reworded(
    body: &[u8],
    to: impl FnOnce(i64, &Failure<'_>) -> i64,
) -> Result<(Option<Vec<u8>>, i64), Unbridgeable> {
    let Ok(Message::Response {
        outcome: Outcome::Error(error),
        ..
    }) = Message::parse(body)
    else {
        return Err(Unbridgeable);
    };
    let failure: Failure<'_> = serde_json::from_str(error.get()).map_err(|_| Unbridgeable)?;
    let code: i64 = failure.code.get().parse().map_err(|_| Unbridgeable)?;
    let new = to(code, &failure);
    if new == code {
        return Ok((None, code));
    }
    let mut splice = Splice::new(body);
    splice.replace(failure.code.get(), new.to_string())?;
    Ok((Some(splice.finish()), new))
}

/// The code of an error.
pub fn failure_code(body: &[u8]) -> Option<i64> {
    reworded(body, |code, _| code).ok().map(|(_, code)| code)
}

/// A legacy server's error for a modern host, whose servers know no code of their own for a resource that is not there.
/// Says the code as well; no bytes, where they stay as they are.
pub fn failure_to_modern(body: &[u8]) -> Result<(Option<Vec<u8>>, i64), Unbridgeable> {
    reworded(body, |code, _| match code {
        code::RESOURCE_NOT_FOUND_LEGACY => code::INVALID_PARAMS,
        other => other,
    })
}

/// A modern server's error for a legacy host. What says that headers or the version are wrong is about our hop: the host
/// has done nothing to bring it about. Says the code as well; no bytes, where they stay as they are.
pub fn failure_to_legacy(body: &[u8], method: Method) -> Result<(Option<Vec<u8>>, i64), Unbridgeable> {
    reworded(body, |code, failure| match code {
        code::INVALID_PARAMS if method == Method::ReadResource => {
            let about = failure.data.map(RawValue::get);
            match about.map(serde_json::from_str::<About<'_>>) {
                Some(Ok(_)) => code::RESOURCE_NOT_FOUND_LEGACY,
                _ => code,
            }
        }
        code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_VERSION => code::INTERNAL_ERROR,
        other => other,
    })
}
