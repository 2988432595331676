//! Any bytes as a message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_mcp::laws;

fuzz_target!(|bytes: &[u8]| laws::envelope(bytes));
