//! An assessment from its beginning: what is known is gathered, the server is asked once, the assessors judge, and the
//! policy says whether that stops an approval.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::deployment::{Deployment, Deployments};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::{Entry, StoredAssessment};
use portreeve_core::route::Route;
use portreeve_core::server::{Approval, PrivateHost, Version};
use portreeve_core::time::Timestamp;
use portreeve_mcp::server_json::ServerJson;
use serde_json::{Map, Value, json};
use url::Url;

use super::look::Seen;
use super::near_names::Neighbours;
use super::{Assessment, Brief, Finding, Severity, Subject, judge, judge_tools, links, packages, score};
use crate::destination::destinations;
use crate::error::RegistryError;
use crate::publish::find;
use crate::registry::Registry;
use crate::source::Probe;

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
        self.require_to(caller, Action::Operate, name)?;
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
        self.require_see(caller, name)?;
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

    /// Refuses to approve what the policy does not let pass, wherever it would be served. Returns the deployments that it
    /// was judged with: with others it is something else.
    pub(crate) async fn require_assessed(
        &self,
        caller: &Caller,
        (chosen, granted): (&Version, &[PrivateHost]),
    ) -> Result<Option<Deployments>, RegistryError> {
        if !self.parts.assessment.is_strict() {
            return Ok(None);
        }
        let mut entry = self.load(&chosen.name).await?;
        entry.server.private_hosts.extend_from_slice(granted);
        let assessment = self.judged(&entry, chosen, self.neighbours().await?).await?;
        self.keep(caller, &chosen.name, &assessment).await?;
        require_passing(&chosen.name, &assessment)?;
        Ok(Some(entry.server.deployments))
    }

    /// Refuses to lead routes to places at which the policy does not let a version pass.
    pub(crate) async fn require_assessed_at(
        &self,
        before: &Entry,
        (deployments, granted): (&[Deployment], &[PrivateHost]),
    ) -> Result<(), RegistryError> {
        if !self.parts.assessment.is_strict() {
            return Ok(());
        }
        let mut entry = before.clone();
        entry.server.private_hosts.extend_from_slice(granted);
        entry.server.deployments = Deployments {
            current: deployments.to_vec(),
            proposed: None,
        };
        let was = destinations(&before.server, &before.versions);
        let moved: BTreeSet<VersionText> = destinations(&entry.server, &entry.versions)
            .into_iter()
            .filter(|(place, destination)| was.get(place) != Some(destination))
            .map(|(_, destination)| destination.version)
            .collect();
        for version in moved {
            let version = find(&entry, &version)?;
            let assessment = self.judged(&entry, version, self.neighbours().await?).await?;
            require_passing(&version.name, &assessment)?;
        }
        Ok(())
    }

    /// What stops the tools of a list from being taken as approved, if the policy stops them: a server may show others
    /// than a moment ago.
    pub(crate) async fn stops(&self, route: &Route, probe: &Probe) -> Option<String> {
        if !self.parts.assessment.is_strict() {
            return None;
        }
        let url = Url::parse(&route.upstream_url).ok()?;
        let subject = Subject {
            document: Map::new(),
            view: ServerJson::view(&Map::new()),
            places: vec![Seen::of(url, probe, self.parts.limits.tool_definition_bytes)],
            neighbours: Arc::default(),
            protected: Vec::new(),
            vouched: Arc::default(),
            broken: Vec::new(),
            packages: Vec::new(),
            is_licensed: true,
            now: self.parts.clock.now(),
        };
        let findings = tokio::task::spawn_blocking(move || judge_tools(&subject)).await;
        let Ok(findings) = findings else {
            return Some("its tools could not be judged".to_owned());
        };
        let worst = findings.first()?;
        let is_stopped = self
            .parts
            .assessment
            .stops(Some(worst.severity), score(&findings));
        is_stopped.then(|| format!("the assessment stops its tools: {}", told(worst)))
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
        let profile = &entry.server.profile;
        let links = match self.parts.assessment.ask_links {
            true => links::ask::named(&document, profile),
            false => Vec::new(),
        };
        let view = ServerJson::view(&document);
        let (places, broken, packages) = tokio::join!(
            self.look_around(entry, version),
            links::ask::broken(
                (&self.parts.egress, &portreeve_net::Reach::Public),
                links,
                self.parts.limits.probe
            ),
            self.packages(&view)
        );
        let subject = Subject {
            view,
            document,
            places,
            broken,
            packages,
            is_licensed: profile.license.is_some(),
            now: self.parts.clock.now(),
            neighbours,
            protected: self.parts.assessment.protected.clone(),
            vouched: self.vouched.load_full(),
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

    /// What the packages of a version say of themselves, where they are asked.
    async fn packages(&self, view: &ServerJson) -> Vec<packages::Seen> {
        let Some(places) = &self.parts.assessment.packages else {
            return Vec::new();
        };
        let asker = packages::ask::Asker {
            egress: &self.parts.egress,
            places,
            limit: self.parts.limits.probe,
        };
        asker.ask(view).await
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
        let score = score(findings);
        let worst = findings.iter().map(|finding| finding.severity).max();
        Brief {
            score,
            findings: findings.len(),
            worst,
            blocked: self.parts.assessment.stops(worst, score),
        }
    }

    /// The names of listed servers, ready to be compared with.
    pub(super) async fn neighbours(&self) -> Result<Arc<Neighbours>, RegistryError> {
        let read = async || {
            let step = self.parts.limits.names_at_once;
            let mut names = Vec::new();
            loop {
                let after = names.last().map_or("", String::as_str);
                let page = self.parts.feed.listed_names(after, step).await?;
                let is_end = page.len() < step as usize;
                names.extend(page);
                if is_end {
                    break;
                }
            }
            let neighbours = tokio::task::spawn_blocking(move || Neighbours::of(names));
            neighbours.await.map_err(|_| RegistryError::State {
                what: "the names of the listed servers could not be read".to_owned(),
                hint: "try again; the log says what went wrong",
            })
        };
        self.neighbours.get(self, (), read).await
    }
}

fn require_passing(name: &ServerName, assessment: &Assessment) -> Result<(), RegistryError> {
    if !assessment.blocked {
        return Ok(());
    }
    let worst = assessment.findings.first().map(told).unwrap_or_default();
    Err(RegistryError::State {
        what: format!(
            "the assessment stops version `{}` of server `{name}`, with a score of {}: {worst}",
            assessment.version, assessment.score
        ),
        hint: "`portreeve server assess NAME` shows every finding; mend them, or change `[assessment]` `block` and `least_score`",
    })
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

/// A finding in one line.
fn told(finding: &Finding) -> String {
    format!(
        "`{}` {} ({})",
        finding.path,
        finding.message,
        finding.severity.as_str()
    )
}
