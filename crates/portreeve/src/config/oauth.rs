//! The section `[oauth]`: issuers whose access tokens routes may take directly.

use portreeve_access::{GroupRule, IssuerSettings, TokenTypes};
use portreeve_core::name::{GroupName, IssuerName};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::authorization::{Enterprise, Register};
use crate::cli::Failure;

/// OAuth in front of the routes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Oauth {
    /// Issuers whose access tokens a route may take besides those of this Portreeve: it does where
    /// `portreeve route set ROUTE --issuer NAME` says so.
    pub(crate) issuers: Vec<Issuer>,
    /// `open`: programs register themselves, as most hosts do. `off`: an administrator enters them, or they have a metadata
    /// document. Default: `open`.
    pub(crate) registration: Register,
    /// After how many days a program that registered itself is forgotten if nothing was allowed to it. Default: 30.
    pub(crate) unused_client_days: Option<u64>,
    /// How many days after its last use a program must ask its user again. Default: 30.
    pub(crate) refresh_days: Option<u64>,
    /// How many seconds an access token works, 600 at most. Default: 600.
    pub(crate) access_seconds: Option<u64>,
    /// Assertions of the company's identity provider instead of a page.
    pub(crate) enterprise: Enterprise,
}

/// An issuer of access tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    /// Its name here: `[a-z0-9-]`, 1 to 40 characters. People whom only its tokens name are `user:NAME:LABEL`.
    #[schemars(with = "String")]
    pub(crate) name: IssuerName,
    /// Its identifier, exactly as it stands in the claim `iss`.
    pub(crate) issuer: String,
    /// For whom its tokens must be made out: the claim `aud` must hold one of these. At least one.
    pub(crate) audiences: Vec<String>,
    /// Where its keys are. Default: its metadata at `ISSUER/.well-known/openid-configuration` say so.
    #[schemars(with = "Option<String>")]
    pub(crate) jwks_uri: Option<Url>,
    /// How its tokens may be signed: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA. Default: RS256, PS256,
    /// ES256.
    #[serde(default = "algorithms")]
    pub(crate) algorithms: Vec<String>,
    /// Which of its tokens are access tokens: `marked` (their header says `typ: at+jwt`, as RFC 9068 asks) or `unmarked`
    /// (the issuer does not mark them, as Entra and Keycloak: whatever is no ID token and no refresh token). Default:
    /// `marked`.
    #[serde(default)]
    pub(crate) token_types: Types,
    /// The claim that names the subject. Default: `sub`.
    #[serde(default = "subject")]
    pub(crate) subject: String,
    /// The claim that people know the subject by. Default: `preferred_username`; the subject itself where it is missing.
    #[serde(default = "label")]
    pub(crate) label: String,
    /// Which groups follow from which claims. Default: none.
    #[serde(default)]
    pub(crate) groups: Vec<Group>,
}

/// Which tokens are access tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Types {
    /// Those whose header says so.
    #[default]
    Marked,
    /// Those that are no ID tokens and no refresh tokens.
    Unmarked,
}

/// A group that follows from a claim.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// The claim; dots lead into objects, as in `realm_access.roles`.
    pub(crate) claim: String,
    /// What it must be, or hold; `*` is anything.
    pub(crate) value: String,
    /// The group. Default: the value is its name.
    #[schemars(with = "Option<String>")]
    pub(crate) group: Option<GroupName>,
}

fn algorithms() -> Vec<String> {
    ["RS256", "PS256", "ES256"].map(str::to_owned).to_vec()
}

fn subject() -> String {
    "sub".to_owned()
}

fn label() -> String {
    "preferred_username".to_owned()
}

// === impl Oauth ===

impl Oauth {
    /// The names of the issuers.
    pub(crate) fn names(&self) -> Vec<IssuerName> {
        self.issuers.iter().map(|issuer| issuer.name.clone()).collect()
    }

    /// The issuers, as `access` wants them. `own` is the public origin, which issues tokens of its own.
    pub(crate) fn issuers(&self, own: &str) -> Result<Vec<IssuerSettings>, Failure> {
        for (at, issuer) in self.issuers.iter().enumerate() {
            let former = self.issuers.iter().take(at);
            if former
                .clone()
                .any(|other| other.name == issuer.name || other.issuer == issuer.issuer)
            {
                return Err(issuer.refused("name", "its name or its identifier stands there twice"));
            }
            if issuer.issuer == own {
                return Err(
                    issuer.refused("issuer", "this Portreeve issues tokens under its own name itself")
                );
            }
        }
        self.issuers.iter().map(Issuer::settings).collect()
    }
}

// === impl Issuer ===

impl Issuer {
    fn settings(&self) -> Result<IssuerSettings, Failure> {
        let url = Url::parse(&self.issuer).map_err(|error| self.refused("issuer", &error.to_string()))?;
        for (key, url) in [("issuer", Some(&url)), ("jwks_uri", self.jwks_uri.as_ref())] {
            if url.is_some_and(|url| !super::registry::is_vouching(url)) {
                return Err(self.refused(
                    key,
                    "whoever answers there decides who is let in: it must be https",
                ));
            }
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(self.refused(
                "audiences",
                "it must name for whom tokens are made out, and never nobody",
            ));
        }
        if self.algorithms.is_empty() {
            return Err(self.refused("algorithms", "it must name one at least"));
        }
        let algorithms = self.algorithms.iter().map(|text| text.parse());
        let algorithms = algorithms
            .collect::<Result<Vec<_>, portreeve_access::NoSignature>>()
            .map_err(|error| self.refused("algorithms", &error.to_string()))?;
        Ok(IssuerSettings {
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            jwks_uri: self.jwks_uri.clone(),
            algorithms,
            types: match self.token_types {
                Types::Marked => TokenTypes::Marked,
                Types::Unmarked => TokenTypes::Unmarked,
            },
            subject: self.subject.clone(),
            label: self.label.clone(),
            groups: self
                .groups
                .iter()
                .map(|rule| GroupRule {
                    claim: rule.claim.clone(),
                    value: rule.value.clone(),
                    group: rule.group.clone(),
                })
                .collect(),
        })
    }

    fn refused(&self, key: &str, problem: &str) -> Failure {
        Failure::new(format!("`oauth.issuers` `{}`: `{key}`: {problem}", self.name))
            .hint("docs/oauth.md shows issuers as they are written")
    }
}
