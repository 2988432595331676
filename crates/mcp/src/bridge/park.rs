//! What a legacy server asks in the middle of a call, put to a modern host between two of its requests (2026-07-28, multi
//! round-trip requests), and the host's answer put back.

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Question, Unbridgeable};
use crate::answer;
use crate::edit::Edit;
use crate::envelope::Message;
use crate::splice::Splice;

/// The key under which the host answers.
const KEY: &str = "asked";

// === impl Question ===

impl Question {
    /// What a legacy server asks by a request of this method. `None`: it asks nothing that a host could be asked.
    pub fn of_server(method: &str, params: Option<&RawValue>) -> Option<Self> {
        matches!(
            method,
            "elicitation/create" | "sampling/createMessage" | "roots/list"
        )
        .then_some(())?;
        let params = params.map_or("{}", RawValue::get);
        let mut edit = Edit::of(params);
        // They belong to the hop: what the server may be told of its request, and what it would tell of a page.
        edit.cut("_meta");
        edit.cut("elicitationId");
        let mut splice = Splice::new(params.as_bytes());
        edit.apply(&mut splice).ok()?;
        Some(Self {
            key: KEY.to_owned(),
            method: method.to_owned(),
            params: RawValue::from_string(String::from_utf8(splice.finish()).ok()?).ok()?,
        })
    }

    /// The answer to a host's request that asks it this, with the state that it shall bring back.
    pub fn as_result(&self, host_id: &RawValue, state: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Asks<'a> {
            method: &'a str,
            params: &'a RawValue,
        }
        let asks = Asks {
            method: &self.method,
            params: &self.params,
        };
        let requests = serde_json::to_string(&asks).unwrap_or_default();
        let state = json!(state);
        let result = format!(
            r#"{{"resultType":"input_required","inputRequests":{{"{KEY}":{requests}}},"requestState":{state}}}"#
        );
        match RawValue::from_string(result) {
            Ok(result) => answer::result(host_id, result),
            Err(_) => Vec::new(),
        }
    }
}

/// What a host answers to the question of a parked call. `None`: nothing.
pub fn answered(body: &[u8]) -> Result<Option<Box<RawValue>>, Unbridgeable> {
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return Err(Unbridgeable);
    };
    let Some(responses) = Edit::of(params.get())
        .value("inputResponses")
        .filter(|raw| raw.starts_with('{'))
    else {
        return Ok(None);
    };
    let answer = Edit::of(responses).value(KEY).map(str::to_owned);
    let answer = answer.map(RawValue::from_string).transpose();
    answer.map_err(|_| Unbridgeable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_question_crosses_as_it_was_written_and_so_does_its_answer() {
        let params = raw(
            r#"{"mode":"url","elicitationId":"e","url":"https://a" ,"message":"go","_meta":{"progressToken":1},"x":1.50}"#,
        );
        let question = Question::of_server("elicitation/create", Some(&params)).unwrap();
        let asked = question.as_result(&raw("7"), "a\"b");
        assert_eq!(
            String::from_utf8(asked).unwrap(),
            r#"{"jsonrpc":"2.0","id":7,"result":{"resultType":"input_required","inputRequests":{"asked":{"method":"elicitation/create","params":{"mode":"url","url":"https://a" ,"message":"go","x":1.50}}},"requestState":"a\"b"}}"#
        );
        assert!(Question::of_server("tools/call", None).is_none());
        assert_eq!(
            Question::of_server("roots/list", None).unwrap().params.get(),
            "{}"
        );

        let brings = |params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            answered(body.as_bytes())
                .unwrap()
                .map(|answer| answer.get().to_owned())
        };
        let answer = r#"{"action":"accept", "content":{"n":1.0}}"#;
        assert_eq!(
            brings(&format!(r#"{{"inputResponses":{{"x":1,"asked":{answer}}}}}"#)).as_deref(),
            Some(answer)
        );
        for nothing in [r#"{"inputResponses":{}}"#, r#"{"inputResponses":[]}"#, "{}"] {
            assert_eq!(brings(nothing), None);
        }
    }
}
