//! The id by which a host knows its session: what never changes of it, and a proof that this installation gave it to
//! this caller on this route. Whatever is forged, expired, somebody else's or of another route is turned away before
//! anybody looks for a session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::caller::Principal;
use portreeve_core::id::{HostSessionId, RouteId};
use portreeve_core::time::Timestamp;
use portreeve_inspect::Mac;

const ID: usize = 16;
const EXPIRY: usize = 8;
const TAG: usize = 32;
const WHOLE: usize = ID + EXPIRY + TAG;

/// What an id says, once it was found to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    /// Which session.
    pub(super) id: HostSessionId,
    /// When it is over, used or not.
    pub(super) expires_at: Timestamp,
}

/// Whom a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) principal: Principal,
    pub(super) route: RouteId,
}

impl Ticket {
    /// Writes it: 75 characters of the URL-safe alphabet of base64.
    pub(super) fn write(self, mac: &Mac, holder: Holder) -> String {
        let mut bytes = [0_u8; WHOLE];
        let (said, tag) = bytes.split_at_mut(ID + EXPIRY);
        let (id, expiry) = said.split_at_mut(ID);
        id.copy_from_slice(&self.id.as_u128().to_be_bytes());
        expiry.copy_from_slice(&self.expires_at.as_millis().to_be_bytes());
        tag.copy_from_slice(&mac.tag(&sworn(said, holder)));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads one that was written for this holder and is not over.
    pub(super) fn read(text: &str, mac: &Mac, holder: Holder, now: Timestamp) -> Option<Self> {
        let bytes = decode(text)?;
        let (said, tag) = bytes.split_at_checked(ID + EXPIRY)?;
        let ticket = Self::of(said)?;
        (now < ticket.expires_at && mac.verify(&sworn(said, holder), tag)).then_some(ticket)
    }

    /// Which session a text would be the id of, for all that it says itself.
    pub(super) fn claimed(text: &str) -> Option<HostSessionId> {
        let bytes = decode(text)?;
        Self::of(bytes.get(..ID + EXPIRY)?).map(|ticket| ticket.id)
    }

    fn of(said: &[u8]) -> Option<Self> {
        let (id, expiry) = said.split_first_chunk::<ID>()?;
        let expiry = i64::from_be_bytes(expiry.try_into().ok()?);
        Some(Self {
            id: HostSessionId::from_u128(u128::from_be_bytes(*id)),
            expires_at: Timestamp::from_millis(expiry),
        })
    }
}

fn decode(text: &str) -> Option<[u8; WHOLE]> {
    let mut bytes = [0_u8; WHOLE + 1];
    let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (read == WHOLE)
        .then(|| bytes.first_chunk::<WHOLE>().copied())
        .flatten()
}

/// What the tag is made of. The parts before the principal have fixed lengths, and so has the route behind it.
fn sworn(said: &[u8], holder: Holder) -> Vec<u8> {
    let mut sworn = said.to_vec();
    sworn.extend_from_slice(holder.principal.to_string().as_bytes());
    sworn.extend_from_slice(holder.route.to_string().as_bytes());
    sworn
}

#[cfg(test)]
mod tests {
    use portreeve_core::id::KeyId;
    use portreeve_core::secret::SecretKey;

    use super::*;

    #[test]
    fn s4_p16_an_id_is_good_for_its_holder_in_its_time_and_nothing_else() {
        let mac = Mac::new(&SecretKey::new([1; 32]));
        let at = Timestamp::from_millis;
        let key = |number| Principal::Key(KeyId::from_u128(number));
        let holder = Holder {
            principal: key(1),
            route: RouteId::from_u128(1),
        };
        let ticket = Ticket {
            id: HostSessionId::from_u128(7),
            expires_at: at(100),
        };
        let text = ticket.write(&mac, holder);
        assert_eq!(text.len(), 75);
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(Ticket::read(&text, &mac, holder, at(99)), Some(ticket));
        assert_eq!(Ticket::claimed(&text), Some(ticket.id));

        let principal = key(2);
        let route = RouteId::from_u128(2);
        let others = [
            Holder { principal, ..holder },
            Holder { route, ..holder },
            Holder {
                principal: Principal::Anonymous,
                ..holder
            },
        ];
        for other in others {
            assert_eq!(Ticket::read(&text, &mac, other, at(0)), None, "{other:?}");
        }
        assert_eq!(Ticket::read(&text, &mac, holder, at(100)), None, "expired");
        let another = Mac::new(&SecretKey::new([2; 32]));
        assert_eq!(
            Ticket::read(&text, &another, holder, at(0)),
            None,
            "of another installation"
        );
        for place in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(
                Ticket::read(&forged, &mac, holder, at(0)),
                None,
                "forged at {place}"
            );
        }
        for odd in [
            "",
            "x",
            text.split_at(1).1,
            &format!("{text}A"),
            &format!("{text}="),
        ] {
            assert_eq!(Ticket::read(odd, &mac, holder, at(0)), None, "{odd}");
            assert_eq!(Ticket::claimed(odd), None, "{odd}");
        }
    }
}
