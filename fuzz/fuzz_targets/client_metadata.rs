//! Any bytes as what a client says of itself: refused, or taken with redirects that codes may be sent to.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_access::metadata_law;

fuzz_target!(|bytes: &[u8]| metadata_law(bytes));
