//! Bytes as a signed catalogue: what is read was signed, is good now, and is newer than what is held.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_core::time::Timestamp;
use portreeve_registry::partners::{Held, Reader, law};

fuzz_target!(|bytes: &[u8]| {
    let reader = Reader {
        // The key of the seed that stands in `seeds/catalogue`.
        keys: vec!["iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=".to_owned()],
        revoked: Vec::new(),
        held: Some(Held {
            version: 2,
            hash: String::new(),
        }),
        now: Timestamp::from_millis(1_800_000_000_000),
    };
    law(bytes, &reader);
});
