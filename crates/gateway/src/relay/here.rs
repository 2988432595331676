//! What is under way on this node, as a host may speak of it through any node: questions that wait for its answer, calls
//! that it may take back, subscriptions that it changes.

use std::sync::Arc;

use bytes::Bytes;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::params::Params;
use serde_json::value::RawValue;

use super::{Exchanges, Questions, Wishes, questions};
use crate::session::{Here, Session};

/// What is under way before modern servers, which keep nothing of their hosts.
#[derive(Debug)]
pub struct UnderWayHere {
    pub(crate) questions: Arc<Questions>,
    pub(crate) exchanges: Arc<Exchanges>,
    pub(crate) wishes: Arc<Wishes>,
}

impl UnderWayHere {
    /// Hands an answer to the question that it is about. `false`: that is not open here.
    pub(crate) fn answer(&self, session: &Session, question: &RawValue, body: &Bytes) -> bool {
        self.questions.answer(&session.id, question.get(), body.clone())
    }

    /// The node that asked a question, where that is known.
    pub(crate) fn asker(question: &RawValue) -> Option<u64> {
        questions::asker(question)
    }

    /// Ends a call that its host does not want any more. `false`: it is not under way here.
    pub(crate) fn take_back(&self, session: &Session, call: &RawValue) -> bool {
        let id = session.upstream_id(call);
        if let Some(id) = id {
            self.exchanges.cancel(&session.id, id);
        }
        id.is_some()
    }
}

impl Here for UnderWayHere {
    fn heed(&self, session: &Session, body: &Bytes) {
        match Message::parse(body) {
            Ok(Message::Response { id: Some(id), .. }) => {
                self.answer(session, id, body);
            }
            Ok(Message::Notification { method, params }) if method == "notifications/cancelled" => {
                let call = Params::parse(params).ok().and_then(|params| params.request_id);
                if let Some(call) = call.and_then(|text| RawValue::from_string(text.to_owned()).ok()) {
                    self.take_back(session, &call);
                }
            }
            _ => {}
        }
    }

    fn changed(&self, session: &Session) {
        self.wishes.changed(&session.id);
    }
}
