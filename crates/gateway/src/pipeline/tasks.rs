//! The corridor's part in tasks of the modern era, which go on after their answer.

use std::sync::Arc;

use portreeve_core::protocol::Era;
use portreeve_mcp::method::Method;

use super::Gateway;
use crate::accept::inbound::Call;
use crate::record::Record;
use crate::relay::Errand;
use crate::respond::Refusal;
use crate::tasks::{InHand, Owner};

impl Gateway {
    /// What a modern request has to do with tasks, whose identities become the server's own.
    pub(super) fn look_for_tasks(
        &self,
        call: &mut Call,
        errand: &mut Errand,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        if call.era == Era::Legacy {
            return Ok(());
        }
        if errand.hop == Era::Legacy {
            // What legacy servers call tasks begins and ends in other ways.
            let is_about_one = matches!(
                call.method,
                Method::GetTask | Method::UpdateTask | Method::CancelTask
            );
            return match is_about_one {
                true => Err(Refusal::MethodNotFound {
                    id: Some(call.id.clone()),
                    era: Era::Modern,
                    method: call.method.as_str().to_owned(),
                }),
                false => Ok(()),
            };
        }
        let owner = Owner {
            caller: &errand.caller,
            route: &errand.route,
        };
        let in_hand = self.tasks.take(call, owner)?;
        if let Some(tool) = in_hand.as_ref().and_then(InHand::tool) {
            record.is_about(tool);
        }
        errand.tasks = in_hand.map(Arc::new);
        Ok(())
    }
}
