//! A node in front of a server that misbehaves and one that does not, and what must hold whatever the first one does.

use serde_json::{Value, json};

use crate::node::Node;
use crate::rogue::Rogue;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, modern};

/// The misbehaving server's name.
const BAD: &str = "com.acme/bad";

pub(crate) struct House {
    pub(crate) node: Node,
    pub(crate) rogue: Rogue,
    slug: String,
    neighbour: String,
    legacy: LegacyHost,
    good: Upstream,
}

/// The two eras, with an id of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Modern,
    Legacy,
}

pub(crate) const ERAS: [Era; 2] = [Era::Modern, Era::Legacy];

impl Era {
    pub(crate) fn id(self) -> Value {
        match self {
            Self::Modern => json!(41),
            Self::Legacy => json!("l-7"),
        }
    }
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let node = Node::start_with(flags).await;
        let (rogue, good) = (Rogue::start().await, Upstream::start(Speaks::Both).await);
        let slug = node.add(BAD, &rogue.url);
        let neighbour = node.add("com.acme/good", &good.url);
        let legacy = LegacyHost::connect(&node.web, &node.endpoint(&slug), Some(&node.key)).await;
        Self {
            node,
            rogue,
            slug,
            neighbour,
            legacy,
            good,
        }
    }

    /// One whose bad route waits a second for its server, and no longer.
    pub(crate) async fn impatient() -> Self {
        let house = Self::start().await;
        house.node.cli_json(&["route", "set", BAD, "--timeout", "1s"]);
        house
    }

    pub(crate) fn endpoint(&self) -> String {
        self.node.endpoint(&self.slug)
    }

    /// The MCP endpoint of the server that behaves.
    pub(crate) fn neighbour_endpoint(&self) -> String {
        self.node.endpoint(&self.neighbour)
    }

    /// Forgets what the server that behaves was sent.
    pub(crate) fn forget(&self) {
        self.good.forget();
    }

    /// Calls the bad server's tool.
    pub(crate) async fn call(&self, era: Era, arguments: Value) -> Answer {
        let params = json!({"name": "echo", "arguments": arguments});
        match era {
            Era::Legacy => self.legacy.request(era.id(), "tools/call", params).await,
            Era::Modern => self.modern(&self.slug, params).await,
        }
    }

    async fn modern(&self, slug: &str, params: Value) -> Answer {
        let endpoint = self.node.endpoint(slug);
        let (headers, body) = modern(Some(&self.node.key), 41, "tools/call", params);
        let asked = self.node.web.ask("POST", &endpoint, &headers, body);
        asked.await.expect("an answer")
    }

    /// A call to the server that behaves.
    async fn neighbour(&self) {
        let answer = self
            .modern(&self.neighbour, json!({"name": "echo", "arguments": {"a": 1}}))
            .await;
        assert_eq!(answer.status, 200, "the neighbour's route: {}", answer.text());
    }

    /// Calls the bad server in both eras, and its neighbour meanwhile. Every call must be answered with an error that
    /// carries its id and says this; the status is another one only where the answer had begun.
    pub(crate) async fn must_fail(&self, status: u16, says: &str) {
        for era in ERAS {
            let (answer, ()) = tokio::join!(self.call(era, json!({})), self.neighbour());
            assert_eq!(answer.status, status, "{era:?}: {}", answer.text());
            let (id, error) = (&answer.json()["id"], &answer.json()["error"]);
            assert_eq!(
                (id, &error["code"]),
                (&era.id(), &json!(-31502)),
                "{era:?}: {error}"
            );
            let message = error["message"].as_str().unwrap_or_default();
            assert!(message.contains(says), "{era:?}: {message}");
            self.was_recorded(status).await;
        }
        self.errors_were_counted(2).await;
        self.is_well().await;
    }

    /// The call is in the audit log with the status that went out.
    async fn was_recorded(&self, status: u16) {
        let audit = self
            .node
            .api(
                "GET",
                &format!("/audit?action=tools/call&server={BAD}&limit=1"),
                None,
            )
            .await
            .json();
        let event = &audit["items"][0];
        assert_eq!(event["status"], status, "{audit}");
        if status == 200 {
            assert_eq!(event["outcome"], "permitted", "its answer had begun: {event}");
        } else {
            let found = (event["outcome"].as_str(), event["reason"].as_str());
            assert_eq!(found, (Some("failed"), Some("upstream")), "{event}");
        }
    }

    /// Usage counts so many errors of the bad server's tool, and no call more than was made.
    pub(crate) async fn errors_were_counted(&self, errors: u64) {
        let usage = self.node.cli_json(&["usage", "--since", "1h"]);
        let row = usage["items"]
            .as_array()
            .and_then(|rows| {
                rows.iter()
                    .find(|row| row["server"] == BAD && row["tool"] == "echo")
            })
            .unwrap_or_else(|| panic!("{usage}"));
        assert_eq!(
            (&row["calls"], &row["errors"]),
            (&json!(errors), &json!(errors)),
            "{row}"
        );
    }

    /// The node serves on, the bad route as well once its server behaves, and nothing in it broke.
    pub(crate) async fn is_well(&self) {
        self.rogue.behave();
        self.neighbour().await;
        for era in ERAS {
            let answer = self.call(era, json!({"well": true})).await;
            assert_eq!(
                (answer.status, &answer.json()["id"]),
                (200, &era.id()),
                "{}",
                answer.text()
            );
            assert!(answer.text().contains("well"), "{}", answer.text());
        }
        let log = self.node.log_text();
        assert!(!log.contains("panicked"), "{log}");
    }
}
