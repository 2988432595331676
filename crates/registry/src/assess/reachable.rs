//! Whether the server answers, in an era that the gateway speaks.

use super::{Assessor, Notes, Severity, Sight, Subject};

pub(super) struct Reachable;

impl Assessor for Reachable {
    fn id(&self) -> &'static str {
        "reachable"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        match &subject.sight {
            Sight::NoRemote => {}
            Sight::Unseen { reason } => {
                let reason: String = reason.chars().take(200).collect();
                let message = if subject.trail.is_some() {
                    "tools not seen: the server asks for a credential, and takes none that Portreeve has for it"
                } else {
                    "tools not seen: the server did not show them, so nothing is known of them"
                };
                notes.show(Severity::Medium, "remotes", message, reason);
            }
            Sight::Seen(tools) if tools.unread > 0 => {
                let message = format!("{} tools are too large to be judged", tools.unread);
                notes.note(Severity::High, "tools", message);
            }
            Sight::Seen(tools) if tools.by_name.is_empty() => {
                notes.note(Severity::Low, "tools", "the server answers, and has no tools");
            }
            Sight::Seen(_) => {}
        }
    }
}
