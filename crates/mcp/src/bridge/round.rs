//! Calls in several rounds (2026-07-28, multi round-trip requests) for hosts that are asked in the middle of a call; and
//! the one question of a legacy server that ends its call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Unbridgeable, capability, result};
use crate::edit::Edit;
use crate::envelope::{Message, Outcome};
use crate::params::text;
use crate::splice::Splice;
use crate::{answer, code};

/// What a server asks of the host before a call can go on.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// The questions, each by the key of its answer.
    pub questions: Vec<Question>,
    /// The server's own state, which comes back with the answers.
    pub state: Option<Box<RawValue>>,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// The key of its answer.
    pub key: String,
    /// What is asked for, for example `elicitation/create`.
    pub method: String,
    /// Its parameters, as they were written.
    pub params: Box<RawValue>,
}

/// How a host took a question.
#[derive(Debug, Clone)]
pub enum Taken {
    /// It answered.
    Answered(Box<RawValue>),
    /// It answered with an error.
    Refused(String),
}

/// What is asked in a result; `None` when the result is the last word.
pub fn round(body: &[u8]) -> Option<Result<Round, Unbridgeable>> {
    let Ok(Message::Response {
        outcome: Outcome::Result(result),
        ..
    }) = Message::parse(body)
    else {
        return None;
    };
    let asked = match result::input_required(result)? {
        Ok(asked) => asked,
        Err(error) => return Some(Err(error)),
    };
    let questions: Result<Vec<_>, _> = asked.requests.into_iter().map(question).collect();
    Some(questions.map(|questions| Round {
        questions,
        state: asked.state.map(ToOwned::to_owned),
    }))
}

fn question((key, raw): (String, &RawValue)) -> Result<Question, Unbridgeable> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        method: String,
        #[serde(borrow, default)]
        params: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = serde_json::from_str(raw.get()).map_err(|_| Unbridgeable)?;
    let params = match wire.params.filter(|params| params.get().starts_with('{')) {
        Some(params) => params.to_owned(),
        None => RawValue::from_string("{}".to_owned()).map_err(|_| Unbridgeable)?,
    };
    Ok(Question {
        key,
        method: wire.method,
        params,
    })
}

// === impl Question ===

impl Question {
    /// Whether a host that declared these capabilities can be asked.
    pub fn is_within(&self, capabilities: &str) -> bool {
        let mode = text(Edit::of(self.params.get()).value("mode").unwrap_or("\"form\""));
        capability::declares(capabilities, &self.method, mode.as_deref() == Some("url"))
    }

    /// The request of a legacy server that asks the same, under this id.
    pub fn as_request(&self, id: &str) -> Result<Vec<u8>, Unbridgeable> {
        let params = self.params.get();
        let mut edit = Edit::of(params);
        let is_page = edit.value("mode").and_then(text).as_deref() == Some("url");
        let mut splice = Splice::new(params.as_bytes());
        if is_page && edit.value("elicitationId").is_none() {
            edit.put("elicitationId", json!(id).to_string());
        }
        edit.apply(&mut splice)?;
        let params = String::from_utf8(splice.finish()).map_err(|_| Unbridgeable)?;
        let method = json!(self.method);
        Ok(format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":{method},"params":{params}}}"#,
            json!(id)
        )
        .into_bytes())
    }
}

/// What a host answered to a question.
pub fn taken(body: &[u8]) -> Option<Taken> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(default)]
        message: String,
    }
    match Message::parse(body) {
        Ok(Message::Response {
            outcome: Outcome::Result(result),
            ..
        }) => Some(Taken::Answered(result.to_owned())),
        Ok(Message::Response {
            outcome: Outcome::Error(error),
            ..
        }) => {
            let wire = serde_json::from_str::<Wire>(error.get());
            Some(Taken::Refused(wire.map(|wire| wire.message).unwrap_or_default()))
        }
        _ => None,
    }
}

/// The request once more, with what the host answered.
pub fn next_round(
    body: &[u8],
    id: u64,
    answers: &BTreeMap<String, Box<RawValue>>,
    state: Option<&RawValue>,
) -> Result<Vec<u8>, Unbridgeable> {
    let Ok(Message::Request {
        id: old,
        params: Some(params),
        ..
    }) = Message::parse(body)
    else {
        return Err(Unbridgeable);
    };
    let mut splice = Splice::new(body);
    splice.replace(old.get(), id.to_string())?;
    let mut edit = Edit::of(params.get());
    edit.put(
        "inputResponses",
        serde_json::to_string(answers).map_err(|_| Unbridgeable)?,
    );
    match state {
        Some(state) => edit.put("requestState", state.get()),
        None => edit.cut("requestState"),
    }
    edit.apply(&mut splice)?;
    Ok(splice.finish())
}

/// A legacy server's error that says which pages the user must see first (-32042), as a result that asks for them. `None`:
/// it says something else.
pub fn pages(body: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Failure<'a> {
        code: i64,
        #[serde(borrow)]
        data: Pages<'a>,
    }
    #[derive(Deserialize)]
    struct Pages<'a> {
        #[serde(borrow)]
        elicitations: Vec<&'a RawValue>,
    }
    let Ok(Message::Response {
        id: Some(id),
        outcome: Outcome::Error(error),
    }) = Message::parse(body)
    else {
        return None;
    };
    let failure: Failure<'_> = serde_json::from_str(error.get()).ok()?;
    if failure.code != code::PAGES_REQUIRED || failure.data.elicitations.is_empty() {
        return None;
    }
    let mut requests = Vec::new();
    for (number, page) in failure.data.elicitations.into_iter().enumerate() {
        let mut edit = Edit::of(page.get());
        edit.value("url")?;
        edit.cut("elicitationId");
        edit.put("mode", "\"url\"");
        let mut splice = Splice::new(page.get().as_bytes());
        edit.apply(&mut splice).ok()?;
        let params = String::from_utf8(splice.finish()).ok()?;
        requests.push(format!(
            r#""page-{}":{{"method":"elicitation/create","params":{params}}}"#,
            number + 1
        ));
    }
    let result = format!(
        r#"{{"resultType":"input_required","inputRequests":{{{}}}}}"#,
        requests.join(",")
    );
    let result = RawValue::from_string(result).ok()?;
    Some(answer::result(id, result))
}

/// Whether a host comes back with answers to what it was asked.
pub fn is_back(body: &[u8]) -> bool {
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return false;
    };
    Edit::of(params.get()).value("inputResponses").is_some()
}

/// A body without the answer to one question, which was not the server's; `None` when it has none. Without any other, the
/// host comes back with nothing, and the call is as it was made first.
pub fn without_answer(body: &[u8], key: &str) -> Option<Vec<u8>> {
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return None;
    };
    let mut whole = Edit::of(params.get());
    let mut responses = Edit::of(whole.value("inputResponses")?);
    responses.value(key)?;
    responses.cut(key);
    let mut splice = Splice::new(body);
    if responses.is_empty() {
        whole.cut("inputResponses");
        whole.apply(&mut splice).ok()?;
    } else {
        responses.apply(&mut splice).ok()?;
    }
    Some(splice.finish())
}

/// Whether the user did not want to see a page that was asked for.
pub fn declines(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Response {
        #[serde(default)]
        action: String,
    }
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return false;
    };
    let Some(responses) = Edit::of(params.get()).value("inputResponses") else {
        return false;
    };
    serde_json::from_str::<BTreeMap<String, Response>>(responses)
        .is_ok_and(|responses| responses.values().any(|response| response.action != "accept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_for_the_server_is_left_out() {
        let without = |params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            let left = without_answer(body.as_bytes(), "ours")?;
            let left = String::from_utf8(left).unwrap();
            Some(
                left.split_once(r#""params":"#)
                    .unwrap()
                    .1
                    .trim_end_matches('}')
                    .to_owned(),
            )
        };
        assert_eq!(
            without(r#"{"name":"a","inputResponses":{"ours":{"x":1}},"arguments":{"n":1.0}}"#).as_deref(),
            Some(r#"{"name":"a","arguments":{"n":1.0"#)
        );
        assert_eq!(
            without(r#"{"inputResponses":{"q":1,"ours":2},"name":"a"}"#).as_deref(),
            Some(r#"{"inputResponses":{"q":1},"name":"a""#)
        );
        assert_eq!(without(r#"{"name":"a","inputResponses":{"q":{}}}"#), None);
        assert_eq!(without(r#"{"name":"ours"}"#), None);
    }

    const ASKED: &str = r#"{"jsonrpc":"2.0","id":3,"result":{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","params":{"mode":"form","message":"name?","requestedSchema":{"x":1.50}}},"p":{"method":"elicitation/create","params":{"mode":"url","url":"https://a","message":"go"}},"r":{"method":"roots/list"}},"requestState":"opaque"}}"#;

    #[test]
    fn questions_are_put_as_a_legacy_server_puts_them() {
        let round = round(ASKED.as_bytes()).unwrap().unwrap();
        let asked: Vec<_> = round
            .questions
            .iter()
            .map(|question| String::from_utf8(question.as_request("7").unwrap()).unwrap())
            .collect();
        assert_eq!(
            asked,
            [
                r#"{"jsonrpc":"2.0","id":"7","method":"elicitation/create","params":{"elicitationId":"7","mode":"url","url":"https://a","message":"go"}}"#,
                r#"{"jsonrpc":"2.0","id":"7","method":"elicitation/create","params":{"mode":"form","message":"name?","requestedSchema":{"x":1.50}}}"#,
                r#"{"jsonrpc":"2.0","id":"7","method":"roots/list","params":{}}"#,
            ]
        );
        let within = |capabilities: &str| {
            let all = round
                .questions
                .iter()
                .map(|question| question.is_within(capabilities));
            all.collect::<Vec<_>>()
        };
        assert_eq!(within("{}"), [false; 3]);
        assert_eq!(within(r#"{"elicitation":{}}"#), [false, true, false]);
        assert_eq!(
            within(r#"{"elicitation":{"url":{}},"roots":{}}"#),
            [true, false, true]
        );
        assert_eq!(
            within(r#"{"elicitation":{"url":{},"form":{}}}"#),
            [true, true, false]
        );
    }

    #[test]
    fn a_last_word_asks_nothing() {
        for result in [r#"{"resultType":"complete"}"#, "{}", r#"{"resultType":"task"}"#] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":3,"result":{result}}}"#);
            assert!(round(body.as_bytes()).is_none(), "{result}");
        }
        let broken =
            br#"{"jsonrpc":"2.0","id":3,"result":{"resultType":"input_required","inputRequests":{"q":1}}}"#;
        assert!(round(broken).unwrap().is_err());
    }

    #[test]
    fn the_next_round_says_the_same_and_the_answers() {
        let body =
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","requestState":"old"}}"#;
        let Some(Taken::Answered(answer)) =
            taken(br#"{"jsonrpc":"2.0","id":"7","result":{"action":"accept"}}"#)
        else {
            panic!("it is an answer");
        };
        let answers = BTreeMap::from([("q".to_owned(), answer)]);
        let state = RawValue::from_string("\"new\"".to_owned()).unwrap();
        let next = |state| String::from_utf8(next_round(body, 2, &answers, state).unwrap()).unwrap();
        assert_eq!(
            next(Some(&state)),
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"inputResponses":{"q":{"action":"accept"}},"name":"t","requestState":"new"}}"#
        );
        assert!(!next(None).contains("requestState"));
        assert!(matches!(
            taken(br#"{"jsonrpc":"2.0","id":"7","error":{"code":-1,"message":"no"}}"#),
            Some(Taken::Refused(reason)) if reason == "no"
        ));
    }

    #[test]
    fn pages_that_must_be_seen_first_become_questions() {
        let error = |code: i64| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m","data":{{"elicitations":[{{"mode":"url","elicitationId":"e","url":"https://a","message":"go","x":1.0}}]}}}}}}"#
            )
        };
        assert_eq!(pages(error(-32000).as_bytes()), None);
        assert_eq!(
            String::from_utf8(pages(error(-32042).as_bytes()).unwrap()).unwrap(),
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"page-1":{"method":"elicitation/create","params":{"mode":"url","url":"https://a","message":"go","x":1.0}}}}}"#
        );
        let retry = |action: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"inputResponses":{{"page-1":{{"action":"{action}"}}}}}}}}"#
            )
        };
        assert!(declines(retry("decline").as_bytes()) && declines(retry("cancel").as_bytes()));
        assert!(!declines(retry("accept").as_bytes()));
    }
}
