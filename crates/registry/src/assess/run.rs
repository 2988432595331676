//! An assessment from its beginning: what is known is gathered, the server is asked once, the assessors judge, and the
//! policy says whether that stops an approval.

use std::sync::Arc;

use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{Entry, StoredAssessment};
use portreeve_core::rest::RestMark;
use portreeve_core::server::{Approval, Version};
use portreeve_core::time::Timestamp;
use portreeve_mcp::server_json::ServerJson;
use portreeve_net::Reach;
use serde_json::{Value, json};

use super::authorization::Trail;
use super::authorization::follow::Follow;
use super::near_names::Neighbours;
use super::{Assessment, Brief, Finding, Severity, Sight, Subject, Tools, judge, score};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::source::Probe;
use crate::validate::upstream_of;

/// Names that a name is compared with. More than that are not looked at.
const NEIGHBOURS: u32 = 20_000;
/// Bytes of definitions that are read, all tools together.
const TOOLS_BYTES: usize = 4 * 1024 * 1024;

// === impl Registry ===

impl Registry {
    /// Judges a version: the one named, or the newest that waits, or else the latest. Asks its server for its tools, and
    /// keeps what was found.
    pub async fn assess(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
    ) -> Result<Assessment, RegistryError> {
        self.require_manage(caller, name)?;
        let entry = self.load(name).await?;
        let chosen = choose(&entry, version)?;
        let assessment = self.judged(&entry, chosen, self.neighbours().await?).await?;
        self.keep(caller, &chosen.name, &assessment).await?;
        self.pass_imported(&entry, chosen, &assessment).await?;
        self.with_icons(&chosen.name, assessment).await
    }

    /// The last assessment of a version, if it judged the content that the version has now.
    pub async fn assessment(
        &self,
        caller: &Caller,
        name: &ServerName,
        version: Option<&VersionText>,
    ) -> Result<Option<Assessment>, RegistryError> {
        self.require_manage(caller, name)?;
        let entry = self.load(name).await?;
        let chosen = choose(&entry, version)?;
        let stored = self
            .parts
            .assessments
            .assessment(&chosen.name, &chosen.version)
            .await?;
        let Some(stored) = stored.filter(|stored| stored.content_hash == chosen.content_hash) else {
            return Ok(None);
        };
        let Ok(findings) = serde_json::from_str::<Vec<Finding>>(&stored.findings) else {
            // Another Portreeve wrote it; it is judged again in its turn.
            return Ok(None);
        };
        let tools = usize::try_from(stored.tools).unwrap_or(usize::MAX);
        let assessment = self.summed_up(chosen, stored.at, findings, tools);
        self.with_icons(&chosen.name, assessment).await.map(Some)
    }

    /// Refuses to approve what the policy does not let pass.
    pub(crate) async fn require_assessed(
        &self,
        caller: &Caller,
        chosen: &Version,
    ) -> Result<(), RegistryError> {
        if self.parts.assessment.block.is_none() {
            return Ok(());
        }
        let entry = self.load(&chosen.name).await?;
        let assessment = self.judged(&entry, chosen, self.neighbours().await?).await?;
        self.keep(caller, &chosen.name, &assessment).await?;
        if !assessment.blocked {
            return Ok(());
        }
        let worst = assessment.findings.first().map(told).unwrap_or_default();
        Err(RegistryError::State {
            what: format!(
                "the assessment stops version `{}` of server `{}`: {worst}",
                chosen.version, chosen.name
            ),
            hint: "`portreeve server assess NAME` shows every finding; mend them, or change `[assessment] block`",
        })
    }

    /// Stores an assessment. What is news is an event.
    pub(super) async fn keep(
        &self,
        caller: &Caller,
        name: &ServerName,
        assessment: &Assessment,
    ) -> Result<(), RegistryError> {
        let findings = serde_json::to_string(&assessment.findings)
            .map_err(|error| RegistryError::invalid("findings", error.to_string()))?;
        let before = self
            .parts
            .assessments
            .assessment(name, &assessment.version)
            .await?;
        let is_known = before.is_some_and(|before| {
            before.findings == findings && before.content_hash == assessment.content_hash
        });
        let mut events = Vec::new();
        if !is_known {
            let of = |severity| {
                assessment
                    .findings
                    .iter()
                    .filter(|finding| finding.severity == severity)
                    .count()
            };
            let mut event = self.event(caller, "server.assess", name);
            event.target = Some(assessment.version.to_string());
            event.detail = Some(json!({
                "contentHash": assessment.content_hash, "score": assessment.score, "tools": assessment.tools,
                "high": of(Severity::High), "medium": of(Severity::Medium), "low": of(Severity::Low),
            }));
            events.push(event);
        }
        let stored = StoredAssessment {
            name: name.clone(),
            version: assessment.version.clone(),
            content_hash: assessment.content_hash.clone(),
            at: assessment.at,
            tools: assessment.tools as u64,
            findings,
        };
        Ok(self.parts.assessments.save_assessment(&stored, &events).await?)
    }

    pub(super) async fn judged(
        &self,
        entry: &Entry,
        version: &Version,
        neighbours: Arc<Neighbours>,
    ) -> Result<Assessment, RegistryError> {
        let document = match serde_json::from_str(&version.document) {
            Ok(Value::Object(document)) => document,
            _ => {
                return Err(RegistryError::invalid(
                    "$",
                    "the stored document is not a JSON object",
                ));
            }
        };
        let (sight, trail) = tokio::join!(self.sight(entry, version), self.trail(entry, version));
        let subject = Subject {
            view: ServerJson::view(&document),
            document,
            sight,
            trail,
            neighbours,
            protected: self.parts.assessment.protected.clone(),
        };
        // Megabytes of text may have to be read; nobody else should wait for that.
        let judged = tokio::task::spawn_blocking(move || {
            let tools = subject.tools().count();
            (judge(&subject), tools)
        });
        let (findings, tools) = judged.await.map_err(|_| RegistryError::State {
            what: format!(
                "version `{}` of server `{}` could not be judged",
                version.version, version.name
            ),
            hint: "try again; the log says what went wrong",
        })?;
        Ok(self.summed_up(version, self.parts.clock.now(), findings, tools))
    }

    fn summed_up(
        &self,
        version: &Version,
        at: Timestamp,
        findings: Vec<Finding>,
        tools: usize,
    ) -> Assessment {
        let brief = self.in_brief(&findings);
        Assessment {
            version: version.version.clone(),
            content_hash: version.content_hash.clone(),
            at,
            score: brief.score,
            blocked: brief.blocked,
            tools,
            findings,
        }
    }

    /// What findings come to here.
    pub(crate) fn in_brief(&self, findings: &[Finding]) -> Brief {
        let block = self.parts.assessment.block;
        Brief {
            score: score(findings),
            findings: findings.len(),
            worst: findings.iter().map(|finding| finding.severity).max(),
            blocked: block.is_some_and(|block| findings.iter().any(|finding| finding.severity >= block)),
        }
    }

    /// Asks the version's server, as the approval would.
    async fn sight(&self, entry: &Entry, version: &Version) -> Sight {
        let Some(url) = upstream_of(&version.document) else {
            return Sight::NoRemote;
        };
        if let Some(mark) = RestMark::of(&version.document) {
            return match self.parts.source.kept(&mark.toolset).await {
                Ok(probe) => Sight::Seen(by_name(&probe, self.parts.limits.tool_definition_bytes)),
                Err(reason) => Sight::Unseen { reason },
            };
        }
        let reach = Reach::granted(&entry.server.private_hosts);
        let asked = self.parts.source.tools(&entry.server.name, &url, &reach);
        match tokio::time::timeout(self.parts.limits.probe, asked).await {
            Ok(Ok(probe)) => Sight::Seen(by_name(&probe, self.parts.limits.tool_definition_bytes)),
            Ok(Err(reason)) => Sight::Unseen { reason },
            Err(_) => Sight::Unseen {
                reason: format!("it did not answer within {:?}", self.parts.limits.probe),
            },
        }
    }

    /// Follows what the version's server says to a host without a credential.
    async fn trail(&self, entry: &Entry, version: &Version) -> Option<Trail> {
        let url = upstream_of(&version.document)?;
        let follow = Follow {
            egress: &self.parts.egress,
            reach: &Reach::granted(&entry.server.private_hosts),
            limit: self.parts.limits.probe,
        };
        // Each request has its time; all of them together have no more than three of them.
        let whole = follow.follow(&url);
        tokio::time::timeout(self.parts.limits.probe * 3, whole)
            .await
            .unwrap_or_default()
    }

    /// The names of listed servers, ready to be compared with.
    pub(super) async fn neighbours(&self) -> Result<Arc<Neighbours>, RegistryError> {
        let names = self.parts.feed.listed_names("", NEIGHBOURS).await?;
        let neighbours = tokio::task::spawn_blocking(move || Neighbours::of(names));
        let neighbours = neighbours.await.map_err(|_| RegistryError::State {
            what: "the names of the listed servers could not be read".to_owned(),
            hint: "try again; the log says what went wrong",
        })?;
        Ok(Arc::new(neighbours))
    }
}

fn choose<'a>(entry: &'a Entry, version: Option<&VersionText>) -> Result<&'a Version, RegistryError> {
    let (versions, name) = (&entry.versions, &entry.server.name);
    let found = match version {
        Some(version) => versions.iter().find(|candidate| candidate.version == *version),
        None => versions
            .iter()
            .find(|candidate| candidate.approval == Approval::Submitted)
            .or_else(|| versions.iter().find(|candidate| candidate.is_latest))
            .or_else(|| versions.first()),
    };
    found.ok_or_else(|| match version {
        Some(version) => RegistryError::NotFound {
            what: format!("version `{version}` of server `{name}`"),
        },
        None => RegistryError::no_server(name),
    })
}

fn by_name(probe: &Probe, longest: usize) -> Tools {
    let mut tools = Tools::default();
    let mut room = TOOLS_BYTES;
    for definition in probe.tools.iter().flat_map(|(_, list)| list) {
        let Some(left) = room
            .checked_sub(definition.len())
            .filter(|_| definition.len() <= longest)
        else {
            tools.unread += 1;
            continue;
        };
        room = left;
        // What is no JSON is no tool either: no list shows it, and nothing calls it.
        let Ok(value) = serde_json::from_str::<Value>(definition) else {
            continue;
        };
        let name = value["name"].as_str().unwrap_or_default().to_owned();
        let known = tools.by_name.entry(name).or_default();
        // Most servers say the same in both eras.
        if !known.contains(&value) {
            known.push(value);
        }
    }
    tools
}

/// A finding in one line.
fn told(finding: &Finding) -> String {
    format!(
        "`{}` {} ({})",
        finding.path,
        finding.message,
        finding.severity.as_str()
    )
}
