//! Eight bytes that choose members, and an object to replace them in.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_mcp::laws;

fuzz_target!(|bytes: &[u8]| {
    if let Some((choice, object)) = bytes.split_first_chunk() {
        laws::splice(object, u64::from_le_bytes(*choice));
    }
});
