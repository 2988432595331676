//! A request's way, in file order: from the head of an HTTP request to the end of its answer's body.

pub mod pipeline;

pub mod accept;
pub mod authenticate;
pub mod policy;
pub mod record;
pub mod respond;
pub mod route;
pub mod translate;
pub mod upstream;

pub mod batch;
pub mod http_sse;
pub mod listen;
pub mod session;
pub mod tasks;

pub mod lists;
pub mod relay;
pub mod stranger;

pub mod console;
pub mod explain;
pub mod metrics;
pub mod snapshot;

pub use console::{Answers, Attempt, ConsoleError, ConsoleNews};
pub use pipeline::{Endpoint, Gateway, GatewayParts};
pub use respond::{Body, BodyError};
