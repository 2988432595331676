//! Two texts as addresses that codes are sent to: what is admitted leads to the same place for a browser.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_access::redirect::law;

fuzz_target!(|texts: (&str, &str)| {
    let (registered, asked) = texts;
    law(registered, asked);
    law(registered, registered);
});
