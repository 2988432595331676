//! The only way out: HTTP and TLS to the rest of the world, behind one egress guard; and the TLS acceptor.
//!
//! Whoever wants something from another machine (client, registry, access, insight) comes here with a URL and a
//! [`Reach`]. The way of a request, in file order: the guard judges the URL, which makes it a [`Destination`]; the
//! connector resolves the name and judges every address; the request is sent over a connection of the pool, and its
//! body is read within limits.

mod address;
mod error;
mod guard;

mod destination;

mod certificate;
mod connect;
mod proxy;
mod resolve;
mod stream;
mod trust;

mod body;
mod egress;
mod pool;

mod tls;
mod txt;

pub use body::{ResponseBody, read_body};
pub use connect::Greeting;
pub use destination::Destination;
pub use egress::{Egress, EgressConfig};
pub use error::{Cause, NetError, Phase};
pub use guard::{PublicHttp, Reach, Refusal};
pub use resolve::{Resolve, SystemResolver};
pub use tls::TlsAcceptor;
pub use txt::{DnsTexts, TxtLookup};
