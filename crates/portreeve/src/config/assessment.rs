//! What a version is judged by before it is approved.

use std::time::Duration;

use portreeve_core::ports::Imported;
use portreeve_registry::{AssessmentPolicy, FindingSeverity as Severity, PackagePlace, PackagePlaces};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// What a version is judged by before it is approved.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Assessment {
    /// Findings of this severity or worse stop an approval: `low`, `medium`, `high`, or `off`. Default: `off`. With any
    /// other value an approval asks the server for its tools first.
    pub(crate) block: Block,
    /// A score below this stops an approval, as `block` does; 0 to 100. Default: 0, which stops nothing.
    pub(crate) least_score: u8,
    /// Whether certificate and version of TLS are judged; not where something in between shows a certificate of its own.
    /// Default: true.
    pub(crate) judge_tls: bool,
    /// Whether the links of a version are asked if they lead anywhere. Default: true.
    pub(crate) ask_links: bool,
    /// Whether and where packages are asked if they belong to their server.
    pub(crate) packages: Packages,
    /// Namespaces of yours, such as `com.acme`. Names that are easily taken for one of them are reported as `high`.
    pub(crate) protected_namespaces: Vec<String>,
    /// Whether proposals that came with an import are judged by themselves, too, which asks the servers of all of them.
    /// Default: false; they are judged when somebody asks for it, before an approval where `block` is set, and once they
    /// are approved.
    pub(crate) imported_proposals: bool,
    /// After how many hours what waits or is listed is judged again; 0 judges nothing by itself. Default: 24.
    pub(crate) every_hours: u64,
}

impl Default for Assessment {
    fn default() -> Self {
        Self {
            block: Block::Off,
            least_score: 0,
            judge_tls: true,
            ask_links: true,
            packages: Packages::default(),
            protected_namespaces: Vec::new(),
            imported_proposals: false,
            every_hours: 24,
        }
    }
}

/// Where packages are asked whether they belong to the server that lists them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Packages {
    /// Whether they are asked. Default: true.
    pub(crate) ask: bool,
    /// A mirror of the registry of npm. Default: the public one.
    #[schemars(with = "Option<String>")]
    pub(crate) npm: Option<Url>,
    /// A mirror of the Python package index, with its JSON API. Default: the public one.
    #[schemars(with = "Option<String>")]
    pub(crate) pypi: Option<Url>,
    /// A mirror of NuGet's package content. Default: the public one.
    #[schemars(with = "Option<String>")]
    pub(crate) nuget: Option<Url>,
    /// Registries of images of yours, as `https://registry.acme.example`, besides the public ones.
    #[schemars(with = "Vec<String>")]
    pub(crate) images: Vec<Url>,
}

impl Default for Packages {
    fn default() -> Self {
        Self {
            ask: true,
            npm: None,
            pypi: None,
            nuget: None,
            images: Vec::new(),
        }
    }
}

impl Packages {
    fn places(&self) -> Option<PackagePlaces> {
        let public = PackagePlaces::default();
        let place = |own: &Option<Url>, public| own.clone().map_or(public, PackagePlace::Own);
        let places = PackagePlaces {
            npm: place(&self.npm, public.npm),
            pypi: place(&self.pypi, public.pypi),
            nuget: place(&self.nuget, public.nuget),
            images: self.images.clone(),
        };
        self.ask.then_some(places)
    }
}

/// From which severity on findings stop an approval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Block {
    /// None does.
    #[default]
    Off,
    /// Every finding does.
    Low,
    /// What a reviewer should look at does.
    Medium,
    /// What is dangerous does.
    High,
}

impl Assessment {
    /// How old an assessment may become; `None` when nothing is judged by itself.
    pub(crate) fn repeat(&self) -> Option<Duration> {
        const HOUR: u64 = 60 * 60;
        let seconds = self.every_hours.saturating_mul(HOUR);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Which proposals are judged without being asked for.
    pub(crate) const fn imported(&self) -> Imported {
        if self.imported_proposals {
            Imported::Judged
        } else {
            Imported::Left
        }
    }

    /// The same in the registry's words.
    pub(crate) fn policy(&self) -> AssessmentPolicy {
        AssessmentPolicy {
            block: match self.block {
                Block::Off => None,
                Block::Low => Some(Severity::Low),
                Block::Medium => Some(Severity::Medium),
                Block::High => Some(Severity::High),
            },
            least_score: Some(self.least_score.min(100)).filter(|least| *least > 0),
            judge_tls: self.judge_tls,
            ask_links: self.ask_links,
            packages: self.packages.places(),
            protected: self.protected_namespaces.clone(),
        }
    }
}
