//! The corridor's part in calls that wait at a legacy server while their modern host is asked something: the host comes
//! back, and the call goes on.

use std::sync::Arc;

use http::{Response, StatusCode};
use portreeve_client::{Reply, ReplyBody};
use portreeve_core::protocol::Era;
use portreeve_mcp::{answer, bridge};

use super::Gateway;
use crate::accept::inbound::Call;
use crate::record::{Record, Stopped, stop};
use crate::relay::{self, Errand, Parked, Ticket, Turned};
use crate::respond::{Body, Refusal};
use crate::translate::{self, Crossing, ToLegacy};

/// How a call goes on.
enum Continued {
    /// The server was answered, and goes on.
    Answered(Reply),
    /// The host brought no answer, and is asked once more.
    Asked(Turned),
}

/// Whether a host comes back for a call that waits, or says so.
pub(super) fn comes_back(call: &Call, errand: &Errand) -> bool {
    let is_bridged = (errand.era, errand.hop) == (Era::Modern, Era::Legacy);
    is_bridged && errand.belonging.is_some() && translate::brings_state(call)
}

impl Gateway {
    /// Goes on with the call that its host comes back for.
    pub(super) async fn go_on(
        &self,
        call: &Call,
        mut errand: Errand,
        record: Record,
    ) -> Result<Response<Body>, Stopped> {
        match self.continued(call, &mut errand).await {
            Ok(Continued::Answered(reply)) => relay::answer(reply, errand, record).await,
            Ok(Continued::Asked(turned)) => relay::whole(StatusCode::OK, turned, record),
            Err(refusal) => Err(stop(refusal.about(&call.id), record)),
        }
    }

    async fn continued(&self, call: &Call, errand: &mut Errand) -> Result<Continued, Refusal> {
        let place = translate::open_place(call, errand)?;
        let parked = match self.park.read(place.expose()) {
            Some(Ticket::Here(token)) => self.park.take(token).ok_or_else(|| {
                gone("the call did not wait any longer; hint: make it again without `requestState`")
            })?,
            _ => {
                return Err(gone(
                    "the call waits on another node; hint: let a balancer keep hosts with their node, or make the \
                     call again without `requestState`",
                ));
            }
        };
        let answer = bridge::answered(&call.body).map_err(|_| Refusal::BrokenBody)?;
        let Some(answer) = answer else {
            let asked = errand.park(parked).map_err(|_| Refusal::TooManyRequests)?;
            return Ok(Continued::Asked(Turned::ending(asked)));
        };
        let Parked {
            body,
            lease,
            id,
            asked_as,
            ..
        } = parked;
        let brought = lease.bring(answer::result(&asked_as, answer).into()).await;
        brought.map_err(Refusal::Upstream)?;
        let crossing = ToLegacy {
            id,
            method: call.method,
            told: bridge::told(&call.body),
        };
        errand.crossing = Some(Arc::new(Crossing::ToLegacy(crossing)));
        errand.lease = Some(lease);
        Ok(Continued::Answered(Reply {
            status: StatusCode::OK,
            session: None,
            retry_after: None,
            body: ReplyBody::Events(body),
        }))
    }
}

fn gone(reason: &str) -> Refusal {
    Refusal::InvalidParams {
        id: None,
        reason: reason.to_owned(),
    }
}
