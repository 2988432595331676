//! Sorts what comes on the one stream of a line: to whom does a message go?
//!
//! A response goes to its request, and progress to the request that named its token. Anything else may be about a call or
//! about nothing: with one request under way it is about that; otherwise it is for whoever listens, and failing that for
//! the newest request, which is likely its cause. Each message goes to one place.

use std::collections::HashMap;

use bytes::Bytes;
use portreeve_mcp::envelope::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

/// Where the messages for one request, or for a listener, go.
pub(super) type Ear = mpsc::Sender<Bytes>;

/// Who waits for messages of a line.
#[derive(Debug, Default)]
pub(super) struct Desk {
    asked: HashMap<Box<str>, Asked>,
    listener: Option<Ear>,
    count: u64,
}

#[derive(Debug)]
struct Asked {
    ear: Ear,
    /// The token by which progress names it, as it was written.
    token: Option<Box<str>>,
    number: u64,
}

/// What is done with a message.
#[derive(Debug)]
pub(super) enum Course {
    /// It goes to somebody.
    To(Ear),
    /// It is a `ping` of that id, answered here.
    Pong(Box<RawValue>),
    /// It is a request of that id, and nobody is there to be asked.
    Refuse(Box<RawValue>),
    /// It is for nobody.
    Nowhere,
}

/// Too many requests are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Debug, Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Token<'a>>,
    #[serde(borrow, default, rename = "progressToken")]
    token: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
struct Token<'a> {
    #[serde(borrow, default, rename = "progressToken")]
    token: Option<&'a RawValue>,
}

/// What a reader cannot make sense of names no token.
fn read(params: Option<&RawValue>) -> Params<'_> {
    params
        .and_then(|params| serde_json::from_str(params.get()).ok())
        .unwrap_or_default()
}

// === impl Desk ===

impl Desk {
    /// A request is under way from now on.
    pub(super) fn ask(
        &mut self,
        id: &RawValue,
        params: Option<&RawValue>,
        ear: Ear,
        limit: usize,
    ) -> Result<(), Full> {
        // Whoever went away waits no more.
        self.asked.retain(|_, asked| !asked.ear.is_closed());
        if self.asked.len() >= limit {
            return Err(Full);
        }
        self.count += 1;
        let asked = Asked {
            ear,
            token: read(params)
                .meta
                .and_then(|meta| meta.token)
                .map(|token| token.get().into()),
            number: self.count,
        };
        self.asked.insert(id.get().into(), asked);
        Ok(())
    }

    /// A request is not under way any more.
    pub(super) fn forget(&mut self, id: &str) {
        self.asked.remove(id);
    }

    /// Somebody listens to what is said unasked; whoever did so before does not any more.
    pub(super) fn listen(&mut self, ear: Ear) {
        self.listener = Some(ear);
    }

    /// Whether nobody waits for anything.
    pub(super) fn is_quiet(&self) -> bool {
        self.listener.as_ref().is_none_or(Ear::is_closed)
            && self.asked.values().all(|asked| asked.ear.is_closed())
    }

    /// Nothing more will come: whoever waits learns it by the end of what it reads.
    pub(super) fn close(&mut self) {
        self.asked.clear();
        self.listener = None;
    }

    /// The ids of what is under way, as they were written.
    pub(super) fn under_way(&self) -> Vec<(Box<str>, Ear)> {
        let each = self.asked.iter();
        each.map(|(id, asked)| (id.clone(), asked.ear.clone())).collect()
    }

    /// Where a message goes.
    pub(super) fn sort(&mut self, message: &[u8]) -> Course {
        match Message::parse(message) {
            Ok(Message::Response { id, .. }) => match self.answered(id) {
                Some(ear) => Course::To(ear),
                None => Course::Nowhere,
            },
            Ok(Message::Request { id, method, .. }) if method == "ping" => Course::Pong(id.to_owned()),
            Ok(Message::Request { id, .. }) => match self.likely() {
                Some(ear) => Course::To(ear),
                None => Course::Refuse(id.to_owned()),
            },
            Ok(Message::Notification { method, params }) => {
                let ear = match &*method {
                    "notifications/progress" => self.named(params),
                    _ if is_news(&method) => self.listening().or_else(|| self.newest()),
                    _ => self.likely(),
                };
                ear.map_or(Course::Nowhere, Course::To)
            }
            Err(_) => Course::Nowhere,
        }
    }

    /// The request that a response answers. One that names none, since the server could not read it, answers the only one
    /// that there is.
    fn answered(&mut self, id: Option<&RawValue>) -> Option<Ear> {
        match id {
            Some(id) => self.asked.remove(id.get()).map(|asked| asked.ear),
            None if self.asked.len() == 1 => self.asked.drain().next().map(|(_, asked)| asked.ear),
            None => None,
        }
    }

    fn named(&self, params: Option<&RawValue>) -> Option<Ear> {
        let token = read(params).token?.get();
        self.asked
            .values()
            .find(|asked| asked.token.as_deref() == Some(token))
            .map(|asked| asked.ear.clone())
    }

    /// Whoever a message is likely about.
    fn likely(&self) -> Option<Ear> {
        let mut all = self.open();
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only.ear.clone()),
            (None, _) => self.listening(),
            _ => self.listening().or_else(|| self.newest()),
        }
    }

    fn open(&self) -> impl Iterator<Item = &Asked> {
        self.asked.values().filter(|asked| !asked.ear.is_closed())
    }

    fn newest(&self) -> Option<Ear> {
        self.open()
            .max_by_key(|asked| asked.number)
            .map(|asked| asked.ear.clone())
    }

    fn listening(&self) -> Option<Ear> {
        self.listener.clone().filter(|ear| !ear.is_closed())
    }
}

/// What concerns no call.
fn is_news(method: &str) -> bool {
    method.ends_with("/list_changed") || method == "notifications/resources/updated"
}

#[cfg(test)]
mod tests;
