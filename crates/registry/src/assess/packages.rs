//! Whether the packages of a server say that they belong to it, as the official registry asks for at publishing: a name in
//! `package.json`, in the README, in a label of the image. Without it anybody could list somebody else's package.

pub(super) mod ask;
mod image;

use portreeve_core::name::ServerName;
use portreeve_net::Reach;
use url::Url;

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct Packages;

/// Where packages are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagePlaces {
    /// The registry of npm, or a mirror of it.
    pub npm: PackagePlace,
    /// The index of Python packages, or a mirror of it, with the JSON API.
    pub pypi: PackagePlace,
    /// The package content of NuGet.
    pub nuget: PackagePlace,
    /// The operator's registries of images, by their origin, besides the public ones.
    pub images: Vec<Url>,
}

/// Where packages of one kind are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackagePlace {
    /// On the public internet.
    Public(Url),
    /// Where the operator says, which may be anywhere.
    Own(Url),
}

/// What was seen of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Where it stands in the document.
    pub(super) path: String,
    /// Its registry's kind, its identifier and version.
    pub(super) package: String,
    pub(super) said: Said,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// These servers, perhaps none.
    Names(Vec<String>),
    /// There is no such package, or no such version of it.
    Missing,
    /// It could not be asked, and so says nothing.
    Unasked(String),
}

impl Assessor for Packages {
    fn id(&self) -> &'static str {
        "packages"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        for seen in &subject.packages {
            let path = &seen.path;
            match &seen.said {
                Said::Names(names) if names.iter().any(|name| is_of(name, subject.view.name.as_ref())) => {}
                Said::Names(names) if names.is_empty() => notes.show(
                    Severity::Medium,
                    path,
                    "does not say that it belongs to this server, so anybody could have listed it",
                    seen.package.clone(),
                ),
                Said::Names(names) => notes.show(
                    Severity::High,
                    path,
                    "says that it belongs to another server",
                    format!("{}: {}", seen.package, names.join(", ")),
                ),
                Said::Missing => notes.show(
                    Severity::High,
                    path,
                    "does not exist, so somebody else may publish it one day",
                    seen.package.clone(),
                ),
                // A registry that is away proves nothing: else an attacker would only have to wait for it.
                Said::Unasked(why) => notes.show(
                    Severity::Medium,
                    path,
                    "could not be asked whether it belongs to this server",
                    format!("{}: {why}", seen.package),
                ),
            }
        }
    }
}

/// Names of servers are one without regard to case.
fn is_of(said: &str, name: Option<&ServerName>) -> bool {
    name.is_some_and(|name| name.as_str().eq_ignore_ascii_case(said))
}

impl PackagePlace {
    fn url(&self) -> &Url {
        match self {
            Self::Public(url) | Self::Own(url) => url,
        }
    }

    fn reach(&self) -> Reach {
        match self {
            Self::Public(_) => Reach::Public,
            Self::Own(_) => Reach::Operator,
        }
    }
}

impl Default for PackagePlaces {
    #[expect(
        clippy::expect_used,
        reason = "the addresses are constants, and a test reads them"
    )]
    fn default() -> Self {
        let public = |text: &str| PackagePlace::Public(Url::parse(text).expect("an address"));
        Self {
            npm: public("https://registry.npmjs.org/"),
            pypi: public("https://pypi.org/"),
            nuget: public("https://api.nuget.org/"),
            images: Vec::new(),
        }
    }
}
