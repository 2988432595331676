//! Virtual servers: entries whose upstream is other entries' routes. Which those are stands in the document; what they have
//! is offered under names that are given once.
//!
//! Before: `validate` read the members. After: the gateway sends each call to the member that it is meant for, where it is
//! decided about again.

mod check;
mod follow;
mod gather;
mod members;

pub use gather::VirtualSource;
pub(crate) use gather::{gather, probe};
pub use members::MemberView;
