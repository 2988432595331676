//! How the server is reached: without TLS everything on the way can be read and changed.

use portreeve_mcp::server_json::RemoteKind;

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct Transport;

const PLAIN: &str = "is reached without TLS: what passes can be read and changed on its way";

impl Assessor for Transport {
    fn id(&self) -> &'static str {
        "transport"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        for (at, remote) in subject.view.remotes.iter().enumerate() {
            let path = format!("remotes[{at}]");
            if remote.url.to_ascii_lowercase().starts_with("http://") {
                notes.note(Severity::Medium, format!("{path}.url"), PLAIN);
            }
            if remote.kind == RemoteKind::Sse {
                let message = "is HTTP+SSE, which has been out of the protocol since 2025-03-26";
                notes.note(Severity::Low, format!("{path}.type"), message);
            }
        }
        let elsewhere = subject.places.iter().map(|place| &place.spot);
        for spot in elsewhere.filter(|spot| spot.url.scheme() == "http") {
            // What the document says of its remotes is told above.
            if !spot.is_own() || subject.view.remotes.is_empty() {
                notes.note(Severity::Medium, format!("{}.url", spot.path), PLAIN);
            }
        }
    }
}
