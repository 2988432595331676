//! The section `[login]`: who signs in, and who vouches for whom.

use portreeve_access::{
    AdmitRule, ClaimNames, ClientCredential, GroupRule, LoginSettings, Passwords, ProviderSettings, SignOut,
};
use portreeve_core::name::GroupName;
use portreeve_core::secret::Secret;
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::resolve;
use crate::cli::Failure;

/// Who signs in, and who vouches for whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Login {
    /// Whether local users sign in with a password. One-time links work anyway. Default: true.
    pub(crate) passwords: bool,
    /// Identity providers, in the order of their buttons.
    pub(crate) providers: Vec<Provider>,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            passwords: true,
            providers: Vec::new(),
        }
    }
}

/// An identity provider that speaks OpenID Connect. Register `PUBLIC_URL/sign-in/NAME/callback` there as the redirect URI,
/// and `PUBLIC_URL/sign-in/NAME/logout` as the back-channel logout URI, where it knows one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// Its name, which stands in addresses: `[a-z0-9-]`, 1 to 40 characters.
    pub(crate) name: String,
    /// What its button says. Default: the name.
    pub(crate) title: Option<String>,
    /// What it is: `entra`, `keycloak`, `okta`, `google` or `oidc`. Default: `oidc`.
    #[serde(default)]
    pub(crate) preset: Preset,
    /// Its identifier, exactly as it writes it. Not for `entra`, which has a `tenant`, and not for `google`.
    pub(crate) issuer: Option<String>,
    /// The tenant of `entra`, by its identifier: never `common` or `organizations`, which anybody could be in.
    pub(crate) tenant: Option<String>,
    /// Our name there.
    pub(crate) client_id: String,
    /// The secret that proves that it is us: `env:NAME`, `file:PATH`, or `secret:NAME` of the vault.
    #[schemars(with = "Option<String>")]
    pub(crate) client_secret: Option<Secret>,
    /// A private key instead of a secret (`private_key_jwt`): `env:NAME` or `file:PATH` with a key on P-256, PKCS #8 in PEM.
    #[schemars(with = "Option<String>")]
    pub(crate) client_key: Option<Secret>,
    /// How the provider knows that key (`kid`).
    pub(crate) client_key_id: Option<String>,
    /// What is asked for. Default: `openid`, `profile`, `email`; for `okta` also `groups`.
    pub(crate) scopes: Option<Vec<String>>,
    /// Which claims say what of a user.
    #[serde(default)]
    pub(crate) claims: Claims,
    /// Who may sign in: whom one of these rules admits. Default: everybody whom the provider knows; `google`, which knows
    /// everybody, needs one.
    #[serde(default)]
    pub(crate) admit: Vec<Admit>,
    /// Which groups follow from which claims, anew at every sign-in.
    #[serde(default)]
    pub(crate) groups: Vec<Group>,
    /// How far signing out goes: `local` ends the session of Portreeve; `provider` then offers to sign out of the provider, too,
    /// which ends the sessions of other applications. Register `PUBLIC_URL/signed-out` there as the post-logout redirect URI.
    /// Default: `local`.
    #[serde(default)]
    pub(crate) logout: Logout,
}

/// How far signing out goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Logout {
    /// It ends the session of Portreeve.
    #[default]
    Local,
    /// Then it offers to sign out of the provider, too.
    Provider,
}

/// What a provider is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    /// Microsoft Entra ID.
    Entra,
    /// Keycloak.
    Keycloak,
    /// Okta.
    Okta,
    /// Google.
    Google,
    /// Any other.
    #[default]
    Oidc,
}

/// Which claims say what of a user. Dots lead into objects, as in `realm_access.roles`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Claims {
    /// The name that people know the user by, kept from the first sign-in on. Default: `preferred_username`; for `google`
    /// `email`.
    pub(crate) name: Option<String>,
    /// What the user is called. Default: `name`.
    pub(crate) display_name: Option<String>,
    /// Where mail goes. Default: `email`.
    pub(crate) email: Option<String>,
    /// Groups. Default: `groups`.
    pub(crate) groups: Option<String>,
}

/// Who may sign in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admit {
    /// The claim that is looked at, as in `hd` or `groups`.
    pub(crate) claim: String,
    /// It is, or holds, one of these.
    pub(crate) values: Vec<String>,
}

/// A group that follows from a claim.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// The claim that is looked at. Default: that of the groups.
    pub(crate) claim: Option<String>,
    /// It is, or holds, this; `*` means each of its values.
    pub(crate) value: String,
    /// The group. Default: the value itself.
    #[schemars(with = "Option<String>")]
    pub(crate) group: Option<GroupName>,
}

// === impl Login ===

impl Login {
    /// The same as `access` wants it.
    pub(crate) fn settings(&self) -> Result<LoginSettings, Failure> {
        let mut providers: Vec<ProviderSettings> = Vec::with_capacity(self.providers.len());
        for provider in &self.providers {
            let settings = provider.settings()?;
            if providers.iter().any(|other| other.name == settings.name) {
                return Err(wrong(&settings.name, "name", "it stands there twice"));
            }
            if providers.iter().any(|other| other.issuer == settings.issuer) {
                return Err(wrong(
                    &settings.name,
                    "issuer",
                    "two providers of one issuer would be one user's two ways in, under different rules",
                ));
            }
            providers.push(settings);
        }
        Ok(LoginSettings {
            providers,
            passwords: if self.passwords {
                Passwords::Taken
            } else {
                Passwords::Refused
            },
        })
    }
}

fn wrong(provider: &str, key: &str, problem: &str) -> Failure {
    Failure::new(format!("`login.providers`: `{key}` of `{provider}`: {problem}"))
        .hint("docs/login.md shows each provider")
}

// === impl Provider ===

impl Provider {
    fn settings(&self) -> Result<ProviderSettings, Failure> {
        self.check_name()?;
        let issuer = self.issuer()?;
        check_issuer(&self.name, &issuer)?;
        if self.preset == Preset::Google && self.admit.is_empty() {
            let problem = "Google knows everybody: say who may sign in, as in `{ claim = \"hd\", values = [\"acme.example\"] }`";
            return Err(wrong(&self.name, "admit", problem));
        }
        if let Some(rule) = self.admit.iter().find(|rule| rule.values.is_empty()) {
            let problem = format!("the rule about `{}` admits nobody", rule.claim);
            return Err(wrong(&self.name, "admit", &problem));
        }
        let claims = self.claim_names();
        let rule = |rule: &Group| GroupRule {
            claim: rule.claim.clone().unwrap_or_else(|| claims.groups.clone()),
            value: rule.value.clone(),
            group: rule.group.clone(),
        };
        Ok(ProviderSettings {
            name: self.name.clone(),
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            issuer,
            client_id: self.client_id.clone(),
            credential: self.credential()?,
            scopes: self.scopes(),
            admit: self
                .admit
                .iter()
                .map(|rule| AdmitRule {
                    claim: rule.claim.clone(),
                    values: rule.values.clone(),
                })
                .collect(),
            groups: self.groups.iter().map(rule).collect(),
            sign_out: self.sign_out()?,
            claims,
        })
    }

    fn check_name(&self) -> Result<(), Failure> {
        // Addresses of our own stand beside those of providers.
        const TAKEN: [&str; 3] = ["password", "code", "new-password"];
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let name = self.name.as_str();
        if name.is_empty() || name.len() > 40 || !name.bytes().all(is_plain) || TAKEN.contains(&name) {
            let problem = "it has 1 to 40 of `[a-z0-9-]`, and is none of `password`, `code`, `new-password`";
            return Err(wrong(name, "name", problem));
        }
        Ok(())
    }

    fn issuer(&self) -> Result<String, Failure> {
        match (self.preset, &self.issuer, &self.tenant) {
            (Preset::Entra, None, Some(tenant)) => {
                let is_one = !matches!(tenant.as_str(), "common" | "organizations" | "consumers")
                    && !tenant.is_empty()
                    && tenant
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                if !is_one {
                    let problem =
                        "write the identifier of your tenant: `common` and its like admit everybody's";
                    return Err(wrong(&self.name, "tenant", problem));
                }
                Ok(format!("https://login.microsoftonline.com/{tenant}/v2.0"))
            }
            (Preset::Google, None, None) => Ok("https://accounts.google.com".to_owned()),
            (Preset::Google, Some(issuer), None) | (_, Some(issuer), None) => Ok(issuer.clone()),
            (Preset::Entra, ..) => Err(wrong(&self.name, "tenant", "`entra` needs it, or an `issuer`")),
            _ => Err(wrong(
                &self.name,
                "issuer",
                "it is needed, and without a `tenant`",
            )),
        }
    }

    fn sign_out(&self) -> Result<SignOut, Failure> {
        match (self.logout, self.preset) {
            (Logout::Local, _) => Ok(SignOut::Local),
            (Logout::Provider, Preset::Google) => Err(wrong(
                &self.name,
                "logout",
                "Google has no place where an application sends people to sign out: leave it at `local`",
            )),
            (Logout::Provider, _) => Ok(SignOut::Provider),
        }
    }

    fn scopes(&self) -> Vec<String> {
        let mut scopes = self.scopes.clone().unwrap_or_else(|| {
            let mut usual: Vec<String> = ["openid", "profile", "email"].map(str::to_owned).into();
            if self.preset == Preset::Okta {
                usual.push("groups".to_owned());
            }
            usual
        });
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        scopes
    }

    fn claim_names(&self) -> ClaimNames {
        let usual = match self.preset {
            Preset::Google => "email",
            _ => "preferred_username",
        };
        let or = |claim: &Option<String>, usual: &str| claim.clone().unwrap_or_else(|| usual.to_owned());
        ClaimNames {
            name: or(&self.claims.name, usual),
            display_name: or(&self.claims.display_name, "name"),
            email: or(&self.claims.email, "email"),
            groups: or(&self.claims.groups, "groups"),
        }
    }

    fn credential(&self) -> Result<ClientCredential, Failure> {
        let referred = |key: &str, secret: &Secret| {
            let text = secret.expose();
            if text.starts_with("env:") || text.starts_with("file:") {
                resolve(secret)
            } else {
                Err(wrong(
                    &self.name,
                    key,
                    "write `env:NAME` or `file:PATH`, and never the secret itself",
                ))
            }
        };
        match (&self.client_secret, &self.client_key) {
            (Some(_), Some(_)) => Err(wrong(&self.name, "client_key", "there is a `client_secret`, too")),
            (None, None) => Ok(ClientCredential::None),
            (None, Some(key)) => Ok(ClientCredential::Key {
                pem: referred("client_key", key)?,
                key_id: self.client_key_id.clone(),
            }),
            (Some(secret), None) => match secret.expose().strip_prefix("secret:") {
                Some(name) => name
                    .parse()
                    .map(ClientCredential::Vault)
                    .map_err(|_| wrong(&self.name, "client_secret", "that is no name of a secret")),
                None => referred("client_secret", secret).map(ClientCredential::Secret),
            },
        }
    }
}

/// Who vouches for people is asked over TLS, unless it is this machine.
fn check_issuer(provider: &str, issuer: &str) -> Result<(), Failure> {
    let is_here = |url: &Url| match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let is_good = |url: &Url| {
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_here(url)))
    };
    match Url::parse(issuer) {
        Ok(url) if is_good(&url) => Ok(()),
        _ => Err(wrong(provider, "issuer", "write an https URL without a query")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LoginSettings, String> {
        let login: Login = toml::from_str(text).map_err(|error| error.to_string())?;
        login.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn presets_fill_in_what_is_usual() {
        let settings = read(
            "[[providers]]\nname = \"entra\"\npreset = \"entra\"\ntenant = \"1b2c\"\nclient_id = \"c\"\n\
             [[providers]]\nname = \"g\"\npreset = \"google\"\nclient_id = \"c\"\nadmit = [{ claim = \"hd\", values = [\"a.b\"] }]\n",
        )
        .unwrap();
        let shown: Vec<_> = settings
            .providers
            .iter()
            .map(|provider| (provider.issuer.as_str(), provider.claims.name.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "https://login.microsoftonline.com/1b2c/v2.0",
                    "preferred_username"
                ),
                ("https://accounts.google.com", "email")
            ]
        );
    }

    #[test]
    fn what_would_let_anybody_in_is_refused() {
        for (wrong, about) in [
            ("preset = \"entra\"\ntenant = \"common\"", "tenant"),
            ("preset = \"google\"", "admit"),
            ("issuer = \"http://idp.example\"", "issuer"),
            ("issuer = \"https://idp.example?x\"", "issuer"),
            (
                "issuer = \"https://idp.example\"\nclient_secret = \"s3cret\"",
                "client_secret",
            ),
            (
                "issuer = \"https://idp.example\"\nadmit = [{ claim = \"hd\", values = [] }]",
                "admit",
            ),
            ("", "issuer"),
            (
                "preset = \"google\"\nadmit = [{ claim = \"hd\", values = [\"a.b\"] }]\nlogout = \"provider\"",
                "logout",
            ),
        ] {
            let text = format!("[[providers]]\nname = \"one\"\nclient_id = \"c\"\n{wrong}\n");
            let error = read(&text).map(drop).unwrap_err();
            assert!(error.contains(&format!("`{about}`")), "{wrong}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
