//! The state that a server gives a host to bring back with the next round of a call (`requestState`): opaque, and no
//! business of the host's. Here it is found and given another text.

use super::{Unbridgeable, result_of};
use crate::edit::Edit;
use crate::envelope::Message;
use crate::params::text;
use crate::splice::Splice;

const STATE: &str = "requestState";

/// The state that a host brings back, as it was written.
pub fn brought(body: &[u8]) -> Option<&str> {
    match Message::parse(body) {
        Ok(Message::Request {
            params: Some(params), ..
        }) => Edit::of(params.get()).value(STATE),
        _ => None,
    }
}

/// The state that a server gives with a question, as it was written.
pub fn given(body: &[u8]) -> Option<&str> {
    let edit = Edit::of(result_of(body).ok()?);
    let asks = edit.value("resultType").and_then(text).as_deref() == Some("input_required");
    edit.value(STATE).filter(|_| asks)
}

/// The same message with another state, which is JSON.
pub fn with_state(body: &[u8], state: &str, new: &str) -> Result<Vec<u8>, Unbridgeable> {
    let mut splice = Splice::new(body);
    splice.replace(state, new)?;
    Ok(splice.finish())
}

/// What a call is about, apart from what changes between its rounds: the tool, prompt or resource and the arguments, as
/// one JSON text.
pub fn about(body: &[u8]) -> String {
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return String::new();
    };
    let edit = Edit::of(params.get());
    let part = |key: &str| edit.value(key).unwrap_or("null");
    format!("[{},{},{}]", part("name"), part("uri"), part("arguments"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_where_it_counts_and_nowhere_else() {
        let request = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","requestState": "a\u0062","arguments":{"requestState":"x"}}}"#;
        let state = brought(request).unwrap();
        assert_eq!(state, r#""a\u0062""#);
        let new = with_state(request, state, "\"sealed\"").unwrap();
        assert_eq!(brought(&new), Some("\"sealed\""));
        assert_eq!(
            with_state(&new, brought(&new).unwrap(), r#""a\u0062""#).unwrap(),
            request
        );
        assert_eq!(about(request), about(&new));
        assert_eq!(about(request), r#"["t",null,{"requestState":"x"}]"#);
        let asks = br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s"}}"#;
        assert_eq!(given(asks), Some("\"s\""));
        let done = br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","requestState":"s"}}"#;
        assert_eq!((given(done), brought(done)), (None, None));
    }
}
