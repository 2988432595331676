//! What can be said about deployments before they are saved. All problems, not the first.

use std::collections::BTreeSet;

use portreeve_core::deployment::Deployment;
use portreeve_core::limits::Limits;
use portreeve_core::property::PropertyOwner;
use portreeve_mcp::server_json::Problem;
use serde_json::json;
use url::Url;

use crate::error::RegistryError;
use crate::latest::major_of;
use crate::registry::Registry;
use crate::validate::check_endpoint;
use crate::work::Work;

impl Registry {
    /// Deployments that may be saved: each in an environment that exists, each place once.
    pub(crate) async fn checked_deployments(
        &self,
        deployments: Vec<Deployment>,
    ) -> Result<Vec<Deployment>, RegistryError> {
        let environments = self.parts.governance.environments().await?;
        let known: BTreeSet<&str> = environments.iter().map(|record| record.name.as_str()).collect();
        let properties = self.known_properties().await?;
        let mut problems = Vec::new();
        too_many(&deployments, &self.parts.limits, &mut problems);
        let mut places = BTreeSet::new();
        for (index, deployment) in deployments.iter().enumerate() {
            let path = |field: &str| format!("deployments[{index}].{field}");
            if !known.contains(deployment.environment.as_str()) {
                let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                problems.push(Problem {
                    path: path("environment"),
                    message: format!(
                        "there is no environment `{}`; there are {}",
                        deployment.environment,
                        names.join(", ")
                    ),
                });
            }
            let values = properties.strictly(PropertyOwner::Deployment, &deployment.metadata);
            problems.extend(values.into_iter().map(|problem| Problem {
                path: path(&problem.path),
                ..problem
            }));
            if !places.insert(deployment.place()) {
                problems.push(Problem {
                    path: path("environment"),
                    message: format!("`{}` stands there twice", deployment.place()),
                });
            }
            if let (Some(version), Some(major)) = (&deployment.version, deployment.major)
                && major_of(version.as_str()) != Some(major)
            {
                problems.push(Problem {
                    path: path("version"),
                    message: format!("`{version}` is not a version of `{major}`"),
                });
            }
            check_endpoint(
                &path("url"),
                &deployment.url,
                &self.parts.public_url,
                &mut problems,
            );
        }
        if problems.is_empty() {
            Ok(deployments)
        } else {
            Err(RegistryError::Invalid(problems))
        }
    }
}

fn too_many(deployments: &[Deployment], limits: &Limits, problems: &mut Vec<Problem>) {
    if deployments.len() > limits.deployments_per_server {
        problems.push(Problem {
            path: "deployments".to_owned(),
            message: format!("a server has at most {} of them", limits.deployments_per_server),
        });
    }
}

/// A version that a deployment is pinned to must be there.
pub(crate) fn pins(work: &Work, deployments: &[Deployment]) -> Result<(), RegistryError> {
    let unknown = |(index, deployment): (usize, &Deployment)| {
        let version = deployment.version.as_ref()?;
        work.version(version).is_none().then(|| Problem {
            path: format!("deployments[{index}].version"),
            message: format!("server `{}` has no version `{version}`", work.server.name),
        })
    };
    let problems: Vec<Problem> = deployments.iter().enumerate().filter_map(unknown).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RegistryError::Invalid(problems))
    }
}

/// Where deployments lead. They were checked, so all of them are addresses.
pub(crate) fn urls(deployments: &[Deployment]) -> Vec<Url> {
    let parsed = deployments.iter().map(|deployment| Url::parse(&deployment.url));
    parsed.filter_map(Result::ok).collect()
}

/// What the audit log says of a deployment: the host, not the path and the query.
pub(super) fn shown(deployment: &Deployment) -> serde_json::Value {
    let origin = Url::parse(&deployment.url).map(|url| url.origin().ascii_serialization());
    json!({
        "environment": deployment.environment,
        "major": deployment.major,
        "version": deployment.version,
        "upstream": origin.ok(),
        "state": deployment.state,
    })
}
