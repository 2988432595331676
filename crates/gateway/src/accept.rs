//! The first room: what a request must look like before anyone is asked who sent it, and what its body must be
//! before anyone decides about it. Before: the listener. After: `route`.

pub mod batch;
pub mod body;
pub mod head;
pub mod inbound;
pub mod ladder;
