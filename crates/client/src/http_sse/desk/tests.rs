//! Which message goes to whom.

use serde_json::json;

use super::*;

struct Waiting {
    desk: Desk,
    ears: Vec<(&'static str, mpsc::Receiver<Bytes>)>,
}

impl Waiting {
    fn new() -> Self {
        Self {
            desk: Desk::default(),
            ears: Vec::new(),
        }
    }

    fn ask(&mut self, id: &'static str, token: serde_json::Value) {
        let (ear, pieces) = mpsc::channel(8);
        let params = serde_json::value::to_raw_value(&json!({"_meta": {"progressToken": token}})).unwrap();
        let id_text = RawValue::from_string(id.to_owned()).unwrap();
        self.desk.ask(&id_text, Some(&params), ear, 8).unwrap();
        self.ears.push((id, pieces));
    }

    fn listen(&mut self) {
        let (ear, pieces) = mpsc::channel(8);
        self.desk.listen(ear);
        self.ears.push(("listener", pieces));
    }

    /// Who gets a message.
    fn taker(&mut self, message: &serde_json::Value) -> &'static str {
        match self.desk.sort(message.to_string().as_bytes()) {
            Course::To(ear) => {
                ear.try_send(Bytes::from_static(b"x")).unwrap();
                let mut found = None;
                for (name, pieces) in &mut self.ears {
                    if pieces.try_recv().is_ok() {
                        found = Some(*name);
                    }
                }
                found.expect("somebody has it")
            }
            Course::Pong(_) => "pong",
            Course::Refuse(_) => "refused",
            Course::Nowhere => "nowhere",
        }
    }
}

fn answer(id: &serde_json::Value) -> serde_json::Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {}})
}

fn progress(token: &serde_json::Value) -> serde_json::Value {
    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token}})
}

#[test]
fn answers_and_progress_find_their_requests_whatever_their_order() {
    let mut at = Waiting::new();
    at.ask("1", json!("a"));
    at.ask("\"1\"", json!(1));
    at.ask("2", json!("1"));
    assert_eq!(at.taker(&progress(&json!(1))), "\"1\"");
    assert_eq!(at.taker(&progress(&json!("1"))), "2");
    assert_eq!(at.taker(&progress(&json!("b"))), "nowhere");
    assert_eq!(at.taker(&answer(&json!(2))), "2");
    assert_eq!(at.taker(&answer(&json!(2))), "nowhere");
    assert_eq!(at.taker(&progress(&json!("1"))), "nowhere");
    assert_eq!(at.taker(&answer(&json!("1"))), "\"1\"");
    assert_eq!(at.taker(&answer(&json!(1))), "1");
}

#[test]
fn what_names_no_request_goes_to_the_likely_one() {
    let question = json!({"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {}});
    let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {}});
    let news = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    let ping = json!({"jsonrpc": "2.0", "id": 8, "method": "ping"});
    let mut at = Waiting::new();
    assert_eq!(at.taker(&question), "refused");
    assert_eq!(at.taker(&news), "nowhere");
    assert_eq!(at.taker(&ping), "pong");
    at.ask("1", json!(1));
    assert_eq!(at.taker(&news), "1");
    at.ask("2", json!(2));
    assert_eq!(at.taker(&question), "2");
    at.listen();
    for said in [&question, &log, &news] {
        assert_eq!(at.taker(said), "listener");
    }
    at.taker(&answer(&json!(2)));
    for said in [&question, &log] {
        assert_eq!(at.taker(said), "1");
    }
    assert_eq!(at.taker(&news), "listener");
    let unread = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "?"}});
    assert_eq!(at.taker(&unread), "1");
    assert_eq!(at.taker(&unread), "nowhere");
}

#[test]
fn whoever_went_away_waits_no_more() {
    let mut at = Waiting::new();
    for id in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        at.ask(id, json!(null));
    }
    let (ear, _pieces) = mpsc::channel(1);
    let nine = RawValue::from_string("9".to_owned()).unwrap();
    assert_eq!(at.desk.ask(&nine, None, ear.clone(), 8), Err(Full));
    assert!(!at.desk.is_quiet());
    at.ears.clear();
    assert!(at.desk.is_quiet());
    assert_eq!(at.desk.ask(&nine, None, ear, 8), Ok(()));
    at.desk.close();
    assert!(at.desk.is_quiet());
}
