//! Two texts as a signed token and as a set of keys: nothing is taken that a known key did not sign.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_access::assertion_law;

fuzz_target!(|texts: (&str, &str)| {
    let (token, keys) = texts;
    assertion_law(token, keys);
});
