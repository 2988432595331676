//! A call that waits for a person, in the host's words: a page to open where the host can open one, and a text for the
//! model where it cannot.

use portreeve_core::approval::{ApprovalState, CallApproval};
use portreeve_core::protocol::Era;
use portreeve_mcp::{answer, code};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The key of the question in a result of 2026-07-28. The answer comes back beside those for the server, whose keys are its
/// own affair, and goes no further.
pub const KEY: &str = "portreeve.approval";

/// A call that is held back.
#[derive(Debug)]
pub struct Held {
    /// Its approval.
    pub approval: CallApproval,
    /// Where it is decided.
    pub page: String,
    /// Who may decide, as words.
    pub by: String,
}

impl Held {
    /// What a person is told.
    pub fn message(&self) -> String {
        let tool = &self.approval.tool;
        match (self.approval.state, &self.approval.reason) {
            (ApprovalState::Denied, Some(reason)) => {
                format!("The call of `{tool}` was not allowed: {reason}")
            }
            (ApprovalState::Denied, None) => format!("The call of `{tool}` was not allowed."),
            _ => format!(
                "The call of `{tool}` must be allowed by a person first: {}.",
                self.by
            ),
        }
    }

    /// The answer to the call. `declared` is what the host said that it can, JSON.
    pub fn answer(&self, era: Era, id: &RawValue, declared: &str, is_back: bool) -> Vec<u8> {
        let is_open = self.approval.state == ApprovalState::Waiting;
        match era {
            // A host that comes back from the page is not sent there again at once.
            Era::Modern if is_open && !is_back && opens_pages(declared) => {
                let question = json!({
                    "method": "elicitation/create",
                    "params": {"mode": "url", "url": self.page, "message": self.message()},
                });
                let result = json!({"resultType": "input_required", "inputRequests": {KEY: question}});
                answer::result(id, result)
            }
            Era::Legacy if is_open && opens_pages(declared) => {
                let page = json!({
                    "mode": "url",
                    "elicitationId": self.approval.id.to_string(),
                    "url": self.page,
                    "message": self.message(),
                });
                let data = json!({"elicitations": [page]});
                answer::error(Some(id), code::PAGES_REQUIRED, &self.message(), Some(&data))
            }
            _ => self.told(era, id, is_open),
        }
    }

    fn told(&self, era: Era, id: &RawValue, is_open: bool) -> Vec<u8> {
        let text = if is_open {
            let until = self.approval.expires_at;
            format!(
                "{} Give the user this address, where it is decided until {until}: {} . Then make the same call again.",
                self.message(),
                self.page
            )
        } else {
            self.message()
        };
        let mut result = json!({"content": [{"type": "text", "text": text}], "isError": true});
        if era == Era::Modern {
            result["resultType"] = "complete".into();
        }
        answer::result(id, result)
    }
}

/// Whether a host opens pages for its user: `elicitation.url`, in both eras.
fn opens_pages(declared: &str) -> bool {
    serde_json::from_str::<Value>(declared).is_ok_and(|declared| declared["elicitation"]["url"].is_object())
}

#[cfg(test)]
mod tests {
    use super::opens_pages;

    #[test]
    fn only_a_host_that_says_so_opens_pages() {
        assert!(opens_pages(r#"{"elicitation":{"form":{},"url":{}}}"#));
        for not in [
            r#"{"elicitation":{}}"#,
            r#"{"elicitation":{"url":null}}"#,
            "{}",
            "",
            "7",
        ] {
            assert!(!opens_pages(not), "{not}");
        }
    }
}
