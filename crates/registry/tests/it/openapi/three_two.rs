//! OpenAPI 3.2, of which no public document is known: our own says what is new in it.

use portreeve_registry::import::openapi::{Curation, OperationOutcome};
use serde_json::json;

use super::{assert_sound, binding, text, tool};

#[test]
fn what_is_new_in_3_2_is_understood() {
    let imported = text(include_str!("harbour-3.2.yaml"), &Curation::default()).unwrap();
    assert_sound(&imported);
    assert_eq!(imported.report.format, "3.2.0");
    assert_eq!(imported.report.base_url, "https://harbour.example.com/api/v2");
    let told: Vec<(&str, bool)> = imported
        .report
        .operations
        .iter()
        .map(|one| {
            (
                one.method.as_str(),
                matches!(one.outcome, OperationOutcome::Tool { .. }),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("GET", true),
            ("QUERY", true),
            ("LINK", true),
            ("GET", true),
            ("GET", true)
        ]
    );
    // A method with a body that promises to change nothing.
    assert_eq!(
        tool(&imported, "searchShips")["annotations"]["readOnlyHint"],
        true
    );
    assert_eq!(binding(&imported, "searchShips")["method"], "QUERY");
    assert_eq!(binding(&imported, "linkShips")["method"], "LINK");
    // The query as a whole.
    let berths = binding(&imported, "findBerths");
    assert_eq!(berths["parameters"][0]["place"], "querystring");
    assert_eq!(
        berths["parameters"][0]["encoding"],
        json!({"content": {"mediaType": "application/x-www-form-urlencoded"}})
    );
    // Cookies that are not encoded, an answer that is a stream.
    let watch = binding(&imported, "watchTraffic");
    assert_eq!(watch["parameters"][0]["encoding"]["styled"]["style"], "cookie");
    assert_eq!(
        watch["answers"],
        json!({"accept": ["text/event-stream"], "structured": "none"})
    );
    // The document's own address in a reference.
    assert_eq!(
        tool(&imported, "listShips")["inputSchema"]["properties"]["flag"]["pattern"],
        "^[A-Z]{2}$"
    );
}
