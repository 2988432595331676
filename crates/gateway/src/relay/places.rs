//! Places for open streams: so many for a node, so many for each caller.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use portreeve_core::caller::Principal;
use portreeve_core::limits::Limits;
use prometheus_client::metrics::gauge::Gauge;

use super::bounds::Hosts;
use crate::respond::{Body, Refusal};

/// Counts the open streams of a node and of each caller.
#[derive(Debug)]
pub struct Streams {
    open: Mutex<HashMap<Principal, usize>>,
    hosts: Hosts,
    limits: Arc<Limits>,
    gauge: Gauge<i64, std::sync::atomic::AtomicI64>,
}

/// One open stream; gives its place back when dropped.
#[derive(Debug)]
pub struct StreamSlot {
    streams: Arc<Streams>,
    principal: Principal,
}

impl Streams {
    /// None open yet.
    pub fn new(limits: Arc<Limits>, gauge: Gauge<i64, std::sync::atomic::AtomicI64>) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            hosts: Hosts::default(),
            limits,
            gauge,
        })
    }

    /// Takes a place, if there is one.
    pub fn open(self: &Arc<Self>, principal: Principal) -> Result<StreamSlot, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all = usize::try_from(self.gauge.get()).unwrap_or(0);
        let own = open.entry(principal).or_default();
        if *own >= self.limits.streams_per_caller || all >= self.limits.streams_per_node {
            return Err(Refusal::TooManyStreams);
        }
        *own += 1;
        self.gauge.inc();
        Ok(StreamSlot {
            streams: Arc::clone(self),
            principal,
        })
    }

    /// Ends the streams whose hosts take nothing of what waits for them. Says how many there were.
    pub fn cut_stalled(&self) -> usize {
        self.hosts.cut_stalled(self.limits.host_write)
    }

    /// Looks after the body of a stream, whose host may leave it unread.
    pub(crate) fn watch(&self, body: Body) -> Body {
        self.hosts.watch(body)
    }

    fn give_back(&self, principal: Principal) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.gauge.dec();
        if let Some(own) = open.get_mut(&principal) {
            *own -= 1;
            if *own == 0 {
                open.remove(&principal);
            }
        }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.streams.give_back(self.principal);
    }
}
