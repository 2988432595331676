//! Who shows itself at the other end: whether its certificate is trusted, when that ends, and how old the protocol is.
//!
//! What was seen in the handshake is gathered by `look`; here it is judged.

use std::time::Duration;

use portreeve_core::time::Timestamp;
use portreeve_net::{Greeting, NetError};

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct Tls;

/// A certificate that ends within this time must be changed now, and one within the other soon.
const NOW: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a handshake came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// There was none: no TLS, or nobody who answers, which others tell.
    Nothing,
    /// It failed: most often the certificate.
    Refused(String),
    /// It succeeded.
    Greeted(Greeting),
}

impl Shown {
    pub(super) fn of(greeted: Result<Option<Greeting>, NetError>) -> Self {
        match greeted {
            Ok(Some(greeting)) => Self::Greeted(greeting),
            Err(NetError::Tls { cause, .. }) => Self::Refused(cause.to_string()),
            Ok(None) | Err(_) => Self::Nothing,
        }
    }
}

impl Assessor for Tls {
    fn id(&self) -> &'static str {
        "tls"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        for place in &subject.places {
            judge(&place.shown, &place.spot.path, subject.now, notes);
        }
    }
}

fn judge(shown: &Shown, path: &str, now: Timestamp, notes: &mut Notes) {
    let greeting = match shown {
        Shown::Nothing => return,
        Shown::Refused(cause) => {
            let cause: String = cause.chars().take(200).collect();
            let message = "shows a certificate or speaks a version of TLS that is not taken: nobody can tell who answers";
            notes.show(Severity::High, path, message, cause);
            return;
        }
        Shown::Greeted(greeting) => greeting,
    };
    if greeting.protocol != "TLS 1.3" {
        let message = "does not speak TLS 1.3, which is what there is since 2018";
        notes.show(Severity::Low, path, message, greeting.protocol);
    }
    let Some(ends_at) = greeting.ends_at else { return };
    let severity = match ends_at.since(now) {
        left if left < NOW => Severity::Medium,
        left if left < SOON => Severity::Low,
        _ => return,
    };
    let message = "shows a certificate that ends soon: after that nobody reaches it";
    notes.show(severity, path, message, format!("valid until {ends_at}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn found(shown: &Shown) -> Vec<(Severity, Option<String>)> {
        let mut notes = Notes {
            assessor: "tls",
            findings: Vec::new(),
        };
        judge(shown, "remotes", Timestamp::from_millis(0), &mut notes);
        let findings = notes.findings.into_iter();
        findings
            .map(|finding| (finding.severity, finding.evidence))
            .collect()
    }

    fn greeted(protocol: &'static str, days: u32) -> Shown {
        Shown::Greeted(Greeting {
            protocol,
            ends_at: Some(Timestamp::from_millis(0).plus(DAY * days)),
        })
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told_before_it_has_ended() {
        assert_eq!(found(&greeted("TLS 1.3", 31)), []);
        let soon = "valid until 1970-01-30T00:00:00.000Z".to_owned();
        assert_eq!(found(&greeted("TLS 1.3", 29)), [(Severity::Low, Some(soon))]);
        let now = "valid until 1970-01-14T00:00:00.000Z".to_owned();
        assert_eq!(found(&greeted("TLS 1.3", 13)), [(Severity::Medium, Some(now))]);
    }

    #[test]
    fn an_old_protocol_and_a_failed_handshake_are_told_with_what_shows_them() {
        assert_eq!(
            found(&greeted("TLS 1.2", 90)),
            [(Severity::Low, Some("TLS 1.2".to_owned()))]
        );
        let cause = "invalid peer certificate: UnknownIssuer".to_owned();
        assert_eq!(
            found(&Shown::Refused(cause.clone())),
            [(Severity::High, Some(cause))]
        );
        assert_eq!(found(&Shown::Nothing), []);
    }
}
