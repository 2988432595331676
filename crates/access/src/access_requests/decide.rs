//! How a request ends: granted, refused or withdrawn; each once, with its audit event in the same transaction.

use portreeve_core::access_request::{AccessDecision, AccessRequest, AccessRequestState};
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{AccessRequestId, GrantId};
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;
use serde_json::json;

use super::{AccessRequests, AccessTerms, ShownAccessRequest, TEXT_BYTES, check_span, plain, subject};
use crate::AccessError;
use crate::grants::check_tools;

impl AccessRequests {
    /// Grants what was asked, or less of it, for a time or with no end. The face has the catalogue refreshed.
    pub async fn grant(
        &self,
        caller: &Caller,
        id: AccessRequestId,
        terms: AccessTerms,
    ) -> Result<ShownAccessRequest, AccessError> {
        let request = self.to_decide(caller, id).await?.request;
        let scope = ServerScope::Server(request.server.clone());
        let policies = self.access.require_reach(caller, (Rights::Use, &scope))?;
        check_span("for", terms.span)?;
        let note = terms
            .note
            .filter(|note| !note.trim().is_empty())
            .map(|note| plain("note", &note))
            .transpose()?;
        let (tools, note) = narrowed(&request.tools, (terms.tools, note))?;
        let subject = subject(request.principal).ok_or_else(|| gone(&request))?;
        match &subject {
            Subject::User(id) => self.access.require_user(*id).await?,
            Subject::Key(id) => self.access.require_own_key(*id).await?,
            Subject::Client(_) | Subject::Group(_) => {}
        }
        let parts = &self.access.parts;
        let now = parts.clock.now();
        let grant = Grant {
            id: GrantId::new(&*parts.clock, &*parts.rng),
            subject,
            rights: Rights::Use,
            servers: scope,
            tools,
            created_by: caller.label.to_string(),
            created_at: now,
            expires_at: terms.span.map(|span| now.plus(span)),
            request: Some(id),
        };
        let decision = decision(caller, AccessRequestState::Granted, (now, note));
        let mut event = self.event("access.grant", caller, &request);
        event.policies.clone_from(&policies);
        say(&mut event, "message", json!(decision.note));
        say(&mut event, "grant", json!(grant.id));
        say(&mut event, "until", json!(grant.expires_at));
        // What was asked for stands in `access.request`.
        say(&mut event, "tools", json!(grant.tools));
        let made = self
            .access
            .grant_event("grant.create", caller, (&grant, policies));
        let saved = self
            .store
            .grant_access_request(id, &decision, &grant, [event, made])
            .await;
        self.decided(caller, id, saved).await
    }

    /// Refuses it, with a word to who asked.
    pub async fn refuse(
        &self,
        caller: &Caller,
        id: AccessRequestId,
        note: &str,
    ) -> Result<ShownAccessRequest, AccessError> {
        let request = self.to_decide(caller, id).await?.request;
        let note = plain("note", note)?;
        let now = self.access.parts.clock.now();
        let decision = decision(caller, AccessRequestState::Refused, (now, Some(note)));
        let mut event = self.event("access.refuse", caller, &request);
        say(&mut event, "message", json!(decision.note));
        let saved = self.store.close_access_request(id, &decision, event).await;
        self.decided(caller, id, saved).await
    }

    /// Takes it back.
    pub async fn withdraw(
        &self,
        caller: &Caller,
        id: AccessRequestId,
    ) -> Result<ShownAccessRequest, AccessError> {
        let shown = self.show(caller, id).await?;
        if !shown.is_own {
            return Err(AccessError::Forbidden {
                caller: caller.label.to_string(),
                action: "withdraw what somebody else asked for: refuse it instead".to_owned(),
            });
        }
        if shown.state != AccessRequestState::Open {
            return Err(not_open(&shown));
        }
        let now = self.access.parts.clock.now();
        let decision = decision(caller, AccessRequestState::Withdrawn, (now, None));
        let event = self.event("access.withdraw", caller, &shown.request);
        let saved = self.store.close_access_request(id, &decision, event).await;
        self.decided(caller, id, saved).await
    }

    /// One that is open and that the caller may decide about.
    async fn to_decide(
        &self,
        caller: &Caller,
        id: AccessRequestId,
    ) -> Result<ShownAccessRequest, AccessError> {
        let shown = self.show(caller, id).await?;
        if shown.state != AccessRequestState::Open {
            return Err(not_open(&shown));
        }
        if !shown.may_decide {
            return Err(AccessError::Forbidden {
                caller: caller.label.to_string(),
                action: "decide about access that it asked for itself: ask somebody else who may grant it"
                    .to_owned(),
            });
        }
        Ok(shown)
    }

    async fn decided(
        &self,
        caller: &Caller,
        id: AccessRequestId,
        saved: Result<(), StoreError>,
    ) -> Result<ShownAccessRequest, AccessError> {
        saved?;
        self.show(caller, id).await
    }
}

fn decision(
    caller: &Caller,
    state: AccessRequestState,
    (at, note): (Timestamp, Option<String>),
) -> AccessDecision {
    AccessDecision {
        state,
        by: caller.label.to_string(),
        at,
        note,
    }
}

/// The tools that are granted: those that were asked for, or fewer, which is said in the note. Nobody is given by a request
/// what nobody asked for.
fn narrowed(
    asked: &ToolScope,
    (given, note): (Option<ToolScope>, Option<String>),
) -> Result<(ToolScope, Option<String>), AccessError> {
    let Some(given) = given else {
        return Ok((asked.clone(), note));
    };
    let words = match &given {
        ToolScope::All => "every tool".to_owned(),
        ToolScope::ReadOnly => "read-only tools".to_owned(),
        ToolScope::Named(names) => names.join(", "),
    };
    check_tools(&given)?;
    if !asked.holds(&given) {
        let problem = "grant the tools that were asked for, or some of them";
        return Err(AccessError::invalid("tools", &words, problem));
    }
    if given.holds(asked) {
        return Ok((given, note));
    }
    let mut told = format!("Granted for less than was asked: {words}.");
    if told.len() > TEXT_BYTES {
        "Granted for fewer tools than were asked for.".clone_into(&mut told);
    }
    let note = note.map_or_else(|| told.clone(), |note| format!("{told} {note}"));
    Ok((given, Some(note)))
}

fn say(event: &mut AuditEvent, name: &str, value: serde_json::Value) {
    if let Some(serde_json::Value::Object(detail)) = &mut event.detail {
        detail.insert(name.to_owned(), value);
    }
}

fn gone(request: &AccessRequest) -> AccessError {
    AccessError::not_found("caller", &request.caller)
}

fn not_open(shown: &ShownAccessRequest) -> AccessError {
    StoreError::Conflict {
        what: format!(
            "the request for access `{}` is {}: it",
            shown.request.id,
            shown.state.as_str()
        ),
    }
    .into()
}
