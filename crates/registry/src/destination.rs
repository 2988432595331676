//! Where the routes of an entry shall lead: one destination for each place, out of its deployments and its versions.
//!
//! Before: somebody changed versions or deployments. After: `settle` makes, moves, starts and stops routes.

use std::collections::BTreeMap;

use portreeve_core::deployment::{Deployment, DeploymentState, Major, Place};
use portreeve_core::name::VersionText;
use portreeve_core::server::{Server, Version};
use url::Url;

use crate::latest::{major_of, ranked};
use crate::validate::upstream_of;

/// Where a route shall lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) version: VersionText,
    pub(crate) url: Url,
}

/// The places that are served, and where each route leads. A document's own remote is the production deployment,
/// unless one is declared: a server that is tried in `test` does not leave production for that.
pub(crate) fn destinations(server: &Server, versions: &[Version]) -> BTreeMap<Place, Destination> {
    let listed: Vec<&Version> = ranked(versions)
        .into_iter()
        .filter_map(|index| versions.get(index))
        .filter(|version| version.is_listed())
        .collect();
    let deployments = &server.deployments.current;
    let mut found: BTreeMap<Place, Destination> = deployments
        .iter()
        .filter(|deployment| deployment.state == DeploymentState::Active)
        .filter_map(|deployment| Some((deployment.place(), declared(deployment, &listed)?)))
        .collect();
    let production = Place::production();
    if !deployments
        .iter()
        .any(|deployment| deployment.place() == production)
        && let Some(destination) = implied(&listed)
    {
        found.insert(production, destination);
    }
    found
}

/// The highest listed version that has a remote: a package-only version never takes a running route away.
fn implied(listed: &[&Version]) -> Option<Destination> {
    listed.iter().find_map(|version| {
        Some(Destination {
            version: version.version.clone(),
            url: upstream_of(&version.document)?,
        })
    })
}

fn declared(deployment: &Deployment, listed: &[&Version]) -> Option<Destination> {
    Some(Destination {
        version: listed
            .iter()
            .find(|version| runs(deployment, version))?
            .version
            .clone(),
        url: Url::parse(&deployment.url).ok()?,
    })
}

/// Whether a deployment may serve a version, once that is the highest one that it may.
pub(crate) fn runs(deployment: &Deployment, version: &Version) -> bool {
    match (&deployment.version, deployment.major) {
        (Some(pinned), _) => version.version == *pinned,
        (None, Some(major)) => is_of(version, major),
        (None, None) => true,
    }
}

fn is_of(version: &Version, major: Major) -> bool {
    major_of(version.version.as_str()) == Some(major)
}
