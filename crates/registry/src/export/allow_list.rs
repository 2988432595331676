//! The allow-list that Copilot and Claude Code share: endpoints of the gateway, and exact commands.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{LeftOut, NO_WAY};
use crate::install::{Launch, Piece, Setup, Words};
use crate::serve::Served;

const ASKS: &str = "its command holds what each person is asked for, and a list can only name exact commands";

/// The list as it grows.
#[derive(Default)]
pub(super) struct AllowList {
    pub(super) allowed: Vec<Value>,
    pub(super) left_out: Vec<LeftOut>,
    known: HashSet<String>,
}

// === impl AllowList ===

impl AllowList {
    pub(super) fn take(&mut self, served: &Served) {
        let setups = Setup::all(&served.server.to_map());
        if setups.is_empty() {
            self.left_out.push(LeftOut::new(served, NO_WAY));
        }
        for setup in &setups {
            match allowance(setup) {
                // Several versions may be started alike, or served by one route in the end.
                Some(entry) if self.known.insert(entry.to_string()) => self.allowed.push(entry),
                Some(_) => {}
                None => self.left_out.push(LeftOut::new(served, ASKS)),
            }
        }
    }
}

fn allowance(setup: &Setup) -> Option<Value> {
    match &setup.launch {
        Launch::Http { url, .. } => Some(json!({"serverUrl": url})),
        Launch::Stdio { command, args, .. } => {
            let exact = |words: &Words| words.0.iter().all(|piece| matches!(piece, Piece::Text(_)));
            if !args.iter().all(exact) {
                return None;
            }
            let mut words = vec![command.clone()];
            words.extend(args.iter().map(|word| word.render(&[], |_| String::new())));
            Some(json!({"serverCommand": words}))
        }
        Launch::Bundle { .. } => None,
    }
}
