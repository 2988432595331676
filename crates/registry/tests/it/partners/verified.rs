//! Partners that are looked at again: so many of them, in turn; what is found is noted, and what says more about this network is
//! not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::ServerName;
use portreeve_core::partner::{
    HealthState, KeptCatalogue, PartnerHealth, PullOutcome, RegisteredPartner, Withdrawn, WithdrawnBy,
};
use portreeve_core::ports::{PartnerState, PartnerStore, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_registry::partners::{
    Carried, Evidence, Examiner, Level, Outcome, PartnerFinding, PartnerSettings, Partners, PartnersParts,
    PartnersQuery, ServerEvidence, Submitted, Tier, check_ids,
};
use portreeve_registry::{Approve, FindingSeverity as Severity};

use crate::world::{Locked, World, admin, remote};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is found, in memory. Nothing else happens here.
#[derive(Default)]
struct Noted {
    state: Mutex<PartnerState>,
    generation: AtomicI64,
    events: Mutex<Vec<String>>,
}

#[async_trait]
impl PartnerStore for Noted {
    async fn partner_generation(&self) -> Result<i64, StoreError> {
        Ok(self.generation.load(Ordering::SeqCst))
    }

    async fn partner_state(&self) -> Result<PartnerState, StoreError> {
        Ok(self.state.lock().unwrap().clone())
    }

    async fn partner_catalogue(&self) -> Result<Option<KeptCatalogue>, StoreError> {
        Ok(None)
    }

    async fn former_catalogues(&self) -> Result<Vec<KeptCatalogue>, StoreError> {
        unreachable!("nothing is pulled")
    }

    async fn drop_catalogue(
        &self,
        _: (u64, &str),
        _: (Option<&KeptCatalogue>, &[Withdrawn]),
        _: (&PullOutcome, &[AuditEvent]),
    ) -> Result<(), StoreError> {
        unreachable!("nothing is pulled")
    }

    async fn keep_catalogue(
        &self,
        _: &KeptCatalogue,
        _: &[Withdrawn],
        _: (&PullOutcome, &[AuditEvent]),
    ) -> Result<(), StoreError> {
        unreachable!("nothing is pulled")
    }

    async fn note_pull(&self, _: &PullOutcome, _: Option<AuditEvent>) -> Result<(), StoreError> {
        unreachable!("nothing is pulled")
    }

    async fn note_registered(&self, _: &RegisteredPartner, _: Option<AuditEvent>) -> Result<(), StoreError> {
        unreachable!("nothing is registered")
    }

    async fn forget_registered(&self, _: &ServerName) -> Result<(), StoreError> {
        unreachable!("nothing is registered")
    }

    async fn note_offer(&self, _: &ServerName, _: &str, _: AuditEvent) -> Result<bool, StoreError> {
        unreachable!("nothing is registered")
    }

    async fn note_health(&self, found: &[PartnerHealth], events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap();
        for one in found {
            state.health.retain(|before| before.place != one.place);
            state.health.push(one.clone());
        }
        let actions = events.iter().map(|event| event.action.clone());
        self.events.lock().unwrap().extend(actions);
        self.generation.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn withdraw_partner(&self, _: &Withdrawn, _: AuditEvent) -> Result<(), StoreError> {
        unreachable!("nothing is withdrawn")
    }

    async fn reinstate_partner(
        &self,
        _: (&str, Option<&str>),
        _: WithdrawnBy,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        unreachable!("nothing is withdrawn")
    }
}

/// Whose servers answer, and who was looked at.
#[derive(Default)]
struct Glance {
    is_dark: Mutex<bool>,
    tools: Mutex<String>,
    /// How every check ends, and the one that is refused.
    checks: Mutex<Option<Outcome>>,
    refused: Mutex<Option<&'static str>>,
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Examiner for Glance {
    async fn examine(&self, partner: &Submitted, now: Timestamp) -> Evidence {
        self.seen.lock().unwrap().push(partner.slug.clone());
        let is_dark = *self.is_dark.lock().unwrap();
        let tools_hash = (!is_dark).then(|| self.tools.lock().unwrap().clone());
        let servers = partner.servers.iter().map(|server| {
            let seen = ServerEvidence {
                tools_hash: tools_hash.clone(),
                ..ServerEvidence::default()
            };
            (server.stem.clone(), seen)
        });
        let refused = *self.refused.lock().unwrap();
        let ends = *self.checks.lock().unwrap();
        let all = ends
            .into_iter()
            .flat_map(|ends| check_ids().map(move |id| (id.to_owned(), ends)));
        let mut checks: BTreeMap<String, Outcome> = all.collect();
        checks.extend(refused.map(|check| (check.to_owned(), Outcome::Refused)));
        let findings = partner.servers.iter().map(|server| PartnerFinding {
            check: refused.unwrap_or("handshake").to_owned(),
            level: Level::Refused,
            file: format!("servers/{}.json", server.stem),
            field: "remotes[0].url".to_owned(),
            message: "does not answer".to_owned(),
            evidence: None,
            mend: "start it".to_owned(),
        });
        Evidence {
            name: partner.slug.clone(),
            content_hash: partner.content_hash.clone(),
            at: now,
            checks,
            servers: servers.collect(),
            findings: if is_dark || refused.is_some() {
                findings.collect()
            } else {
                Vec::new()
            },
            icon: None,
        }
    }
}

struct House {
    world: World,
    noted: Arc<Noted>,
    glance: Arc<Glance>,
    partners: Partners,
}

fn house(verify_listed: usize) -> House {
    let world = World::new();
    let (noted, glance) = (Arc::<Noted>::default(), Arc::<Glance>::default());
    let partners = Partners::new(PartnersParts {
        registry: Arc::clone(&world.registry),
        store: noted.clone(),
        locks: Arc::new(Locked::default()),
        examiner: glance.clone(),
        settings: PartnerSettings {
            carried: Carried::Shown,
            url: None,
            keys: Vec::new(),
            revoked_keys: Vec::new(),
            reviewers: Vec::new(),
            every: DAY,
            verify_every: Some(DAY),
            verify_listed,
        },
        holder: "one".to_owned(),
    });
    House {
        world,
        noted,
        glance,
        partners,
    }
}

impl House {
    fn seen(&self) -> Vec<String> {
        let mut seen = std::mem::take(&mut *self.glance.seen.lock().unwrap());
        seen.sort();
        seen
    }

    fn states(&self) -> Vec<HealthState> {
        let listed = self.partners.list(&admin(), &PartnersQuery::default());
        let found = listed.into_iter().filter_map(|one| one.health);
        found.map(|health| health.state).collect()
    }
}

#[tokio::test]
async fn so_many_are_looked_at_in_turn_and_nobody_twice_a_day() {
    let house = house(4);
    house.partners.verify_if_due().await.unwrap();
    let first = house.seen();
    house.partners.verify_if_due().await.unwrap();
    let second = house.seen();
    assert_eq!((first.len(), second.len()), (4, 4));
    assert!(
        first.iter().all(|name| !second.contains(name)),
        "{first:?} {second:?}"
    );
    for _ in 0..20 {
        house.partners.verify_if_due().await.unwrap();
    }
    house.seen();
    house.partners.verify_if_due().await.unwrap();
    assert_eq!(house.seen(), Vec::<String>::new());
    house.world.clock.pass(DAY);
    house.partners.verify_if_due().await.unwrap();
    assert_eq!(house.seen().len(), 4);
    assert_eq!(*house.noted.events.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn when_nobody_answers_it_is_this_network() {
    let house = house(5);
    *house.glance.is_dark.lock().unwrap() = true;
    house.partners.verify_if_due().await.unwrap();
    assert_eq!(house.seen().len(), 5);
    assert_eq!(house.states(), []);
}

#[tokio::test]
async fn what_fails_or_has_other_tools_is_noted_once_and_since_when() {
    let house = house(1);
    let round = async || {
        house.world.clock.pass(DAY * 60);
        house.partners.verify_if_due().await.unwrap();
        house.states()
    };
    // The one whose turn is longest ago is always another, so all of them are looked at first.
    for _ in 0..60 {
        house.partners.verify_if_due().await.unwrap();
    }
    let known = house.states().len();
    assert!(house.states().iter().all(|state| *state == HealthState::Healthy) && known > 10);
    *house.glance.is_dark.lock().unwrap() = true;
    for _ in 0..known {
        round().await;
    }
    assert!(house.states().iter().all(|state| *state == HealthState::Failing));
    *house.glance.is_dark.lock().unwrap() = false;
    *house.glance.tools.lock().unwrap() = "others".to_owned();
    for _ in 0..known {
        round().await;
    }
    assert!(
        house
            .states()
            .iter()
            .all(|state| *state == HealthState::ToolsChanged)
    );
    let events = house.noted.events.lock().unwrap();
    let count = |action: &str| events.iter().filter(|one| *one == action).count();
    assert_eq!(
        (count("partner.fail"), count("partner.change-tools")),
        (known, known)
    );
    let state = house.noted.state.lock().unwrap();
    assert!(
        state
            .health
            .iter()
            .all(|one| one.since == one.checked_at && one.detail.contains("others"))
    );
}

#[tokio::test]
async fn a_page_that_does_not_answer_once_takes_no_tier() {
    let house = house(usize::MAX);
    *house.glance.checks.lock().unwrap() = Some(Outcome::Passed);
    let round = async |refused: Option<&'static str>| {
        *house.glance.refused.lock().unwrap() = refused;
        house.world.clock.pass(DAY);
        house.partners.verify_if_due().await.unwrap();
        assert!(house.states().iter().all(|state| *state == HealthState::Healthy));
        let listed = house.partners.list(&admin(), &PartnersQuery::default());
        let mut tiers: Vec<Tier> = listed.into_iter().map(|one| one.standing.tier).collect();
        tiers.dedup();
        tiers
    };
    assert_eq!(round(None).await, [Tier::Verified]);
    for check in ["links", "icon"] {
        assert_eq!(round(Some(check)).await, [Tier::Verified], "{check}");
        assert_eq!(round(Some(check)).await, [Tier::Unverified], "{check}");
        assert_eq!(round(Some(check)).await, [Tier::Unverified], "{check}");
        assert_eq!(round(None).await, [Tier::Verified], "{check}");
    }
    // What is wrong with a server's tools counts at once.
    assert_eq!(round(Some("poisoning")).await, [Tier::Unverified]);
}

#[tokio::test]
async fn a_gw_8_who_looks_like_a_verified_partner_is_told_with_his_name() {
    let house = house(usize::MAX);
    // What is said of names and addresses, for a server of this name at this host.
    let said = async |name: &str, host: &str| {
        let document = remote(name, "1.0.0", &format!("https://{host}/mcp"));
        house.world.add(&document, Approve::No).await.unwrap();
        let name = name.parse().unwrap();
        let assessment = house.world.registry.assess(&admin(), &name, None).await;
        let findings = assessment.unwrap().findings.into_iter();
        let findings = findings.filter(|finding| finding.assessor == "near-names");
        findings
            .map(|finding| (finding.severity, finding.path, finding.message))
            .collect::<Vec<_>>()
    };
    let high = |path: &str, message: &str| vec![(Severity::High, path.to_owned(), message.to_owned())];
    let maker = "is easily taken for the namespace `com.github`";
    let namespace = "is easily taken for `com.github` of the verified partner `GitHub`";
    let domain = "is easily taken for `github.com` of the verified partner `GitHub`";
    // Nobody has looked at the partners yet.
    assert_eq!(
        said("com.gihtub/before", "mcp.near.example").await,
        high("name", maker)
    );
    assert_eq!(said("com.other/before", "mcp.githud.com").await, []);

    *house.glance.checks.lock().unwrap() = Some(Outcome::Passed);
    house.partners.verify_if_due().await.unwrap();
    assert_eq!(
        said("com.gihtub/x", "mcp.near.example").await,
        high("name", namespace)
    );
    for (name, host) in [
        ("com.other/edit", "mcp.githud.com"),
        ("com.other/front", "github.com.login.example"),
        ("com.other/letter", "mcp.g\u{131}thub.com"),
    ] {
        assert_eq!(said(name, host).await, high("remotes[0].url", domain), "{host}");
    }
    assert_eq!(said("com.other/short", "mcp.fox.com").await, []);
    assert_eq!(said("com.github/own", "mcp.github.com").await, []);
    // It was too long ago that they were looked at.
    house.world.clock.pass(DAY * 31);
    assert_eq!(said("com.other/after", "mcp.githud.com").await, []);
}
