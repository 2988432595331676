//! Five bytes that say how a stream is cut and how large an event may be, and the stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_mcp::laws;

fuzz_target!(|bytes: &[u8]| {
    if let Some(([limit, cuts @ ..], stream)) = bytes.split_first_chunk::<5>() {
        laws::sse(stream, cuts, usize::from(*limit));
    }
});
