//! Any bytes as a description of a REST API or as a schema of GraphQL: read or refused, never worse. What comes out is read
//! again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_core::limits::Limits;
use portreeve_core::rest::Bindings;
use portreeve_registry::import::openapi::{Curation, Options, Profile, import_text};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let limits = Limits::default();
    for profile in [Profile::Full, Profile::Flat] {
        let curation = Curation { profile, ..Curation::default() };
        let options = Options {
            source: None,
            base_url: Some("https://api.example.com"),
            curation: &curation,
            limits: &limits,
        };
        if let Ok(imported) = import_text(text, &options) {
            let text = imported.bindings.text().expect("bindings are JSON");
            assert_eq!(Bindings::read(&text).expect("what is written is read"), imported.bindings);
        }
    }
});
