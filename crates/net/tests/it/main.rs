//! The way out, seen from outside: real sockets on loopback, a resolver that the test controls.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test")]

mod body;
mod house;
mod proxy;
mod reach;
mod send;
mod tls;
mod txt;
