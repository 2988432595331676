//! Whether the server answers, in an era that the gateway speaks, wherever a route leads to it.

use super::look::{Seen, Sight};
use super::{Assessor, Notes, Severity, Subject};

pub(super) struct Reachable;

impl Assessor for Reachable {
    fn id(&self) -> &'static str {
        "reachable"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        for place in &subject.places {
            reached(place, notes);
        }
    }
}

fn reached(place: &Seen, notes: &mut Notes) {
    let tools = || format!("{}tools", place.spot.root());
    match &place.sight {
        Sight::Unseen { reason } => {
            let reason: String = reason.chars().take(200).collect();
            let message = if place.trail.is_some() {
                "tools not seen: the server asks for a credential, and takes none that Portreeve has for it"
            } else {
                "tools not seen: the server did not show them, so nothing is known of them"
            };
            notes.show(Severity::Medium, place.spot.path.clone(), message, reason);
        }
        Sight::Tools(seen) if seen.unread > 0 => {
            let message = format!("{} tools are too large to be judged", seen.unread);
            notes.note(Severity::High, tools(), message);
        }
        Sight::Tools(seen) if seen.shown == 0 => {
            notes.note(Severity::Low, tools(), "the server answers, and has no tools");
        }
        Sight::Tools(_) => {}
    }
}
