//! Any arguments of a tool that calls a REST API.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_gateway::translate::rest::law;

fuzz_target!(|bytes: &[u8]| law::law(bytes));
