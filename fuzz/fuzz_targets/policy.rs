//! Any text as an access policy: refused with problems at places in it, or read as rules that answer every question.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_access::policy_law;

fuzz_target!(|text: &str| policy_law(text));
