//! OpenID Connect, by the authorization code with PKCE. Discovery and keys are kept for ten minutes, and keys are fetched
//! again when a token names one that is not among them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::decode_header;
use jsonwebtoken::jwk::JwkSet;
use portreeve_core::secret::Secret;
use portreeve_core::user::ExternalIdentity;
use portreeve_inspect::sha256;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::http::Client;
use super::id_token::{self, Bound, Expected};
use super::settings::{ProviderSettings, SignOut};
use super::{
    IdentityProvider, Inbound, Logout, Outbound, ProviderError, ProviderParts, Vouched, admission, client,
};
use crate::claims::{self, Claims};
use crate::others_keys::{self, Missing, OthersKeys, Terms};

const TERMS: Terms = Terms {
    fresh: Duration::from_secs(10 * 60),
    longest: Duration::from_secs(60 * 60),
    pause: Duration::from_secs(30),
    retry: Duration::from_secs(2),
};
/// Bytes of a token.
const TOKEN_BYTES: usize = 32 * 1024;
/// Characters of what a provider says that are shown.
const SAID_CHARS: usize = 300;

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    /// Read when somebody wants to go there: one that is no address is no reason to sign nobody in.
    #[serde(default)]
    end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

struct Known {
    discovery: Discovery,
    keys: JwkSet,
}

/// Where that comes from.
struct Source {
    issuer: String,
    http: Client,
}

/// Tokens that a code was redeemed for.
struct Redeemed {
    id_token: Secret,
    access_token: Option<Secret>,
}

/// A provider that speaks OpenID Connect.
pub(super) struct Oidc {
    settings: ProviderSettings,
    http: Client,
    parts: ProviderParts,
    known: OthersKeys<Source>,
}

// === impl Oidc ===

impl Oidc {
    pub(super) fn new(settings: ProviderSettings, parts: ProviderParts) -> Self {
        let http = || Client::new(&settings.name, &settings.issuer, parts.clone());
        let source = Source {
            issuer: settings.issuer.clone(),
            http: http(),
        };
        Self {
            known: OthersKeys::new(source, TERMS, Arc::clone(&parts.clock)),
            http: http(),
            settings,
            parts,
        }
    }

    fn untrusted(&self, problem: &'static str) -> ProviderError {
        ProviderError::Untrusted {
            provider: self.settings.name.clone(),
            problem,
        }
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            now: self.parts.clock.now(),
        }
    }

    /// What is known of the provider, with keys that serve if there are such.
    async fn known(&self, serves: impl Fn(&JwkSet) -> bool) -> Result<Arc<Known>, ProviderError> {
        let known = self.known.get(|known| serves(&known.keys)).await;
        known.map_err(|missing| match missing {
            Missing::Problem(problem) => problem,
            Missing::JustTried => self.http.unreachable("it was tried a moment ago"),
        })
    }

    /// The verified claims of a token of this provider for us.
    async fn claims(&self, token: &str) -> Result<(Claims, jsonwebtoken::Header), ProviderError> {
        if token.len() > TOKEN_BYTES {
            return Err(self.untrusted("its token is too long"));
        }
        let head = decode_header(token).map_err(|_| self.untrusted("what it sent is no token"))?;
        let known = self.known(|keys| id_token::names_key(keys, &head)).await?;
        let claims = id_token::verified(token, &head, &known.keys, &self.expected());
        Ok((claims.map_err(|problem| self.untrusted(problem))?, head))
    }

    async fn redeemed(
        &self,
        discovery: &Discovery,
        inbound: &Inbound<'_>,
    ) -> Result<Redeemed, ProviderError> {
        let endpoint = &discovery.token_endpoint;
        let methods = discovery.token_endpoint_auth_methods_supported.as_slice();
        let proof = client::proof(&self.settings, &self.parts, (endpoint.as_str(), methods)).await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", inbound.code),
            ("redirect_uri", inbound.redirect_uri),
            ("code_verifier", inbound.verifier),
            ("client_id", self.settings.client_id.as_str()),
        ];
        form.extend(proof.form.iter().map(|(name, value)| (*name, value.expose())));
        let (status, body) = self.http.post(endpoint, &form, proof.header).await?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if !status.is_success() {
            let said = match (text("error"), text("error_description")) {
                (Some(error), Some(description)) => format!("{error}: {description}"),
                (Some(error), None) => error.to_owned(),
                _ => format!("its token endpoint answered {status}"),
            };
            return Err(ProviderError::Said {
                provider: self.settings.name.clone(),
                said: said
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(SAID_CHARS)
                    .collect(),
            });
        }
        let id_token = text("id_token").ok_or_else(|| self.untrusted("it sent no ID token"))?;
        Ok(Redeemed {
            id_token: Secret::new(id_token),
            access_token: text("access_token").map(Secret::new),
        })
    }

    /// Adds what only the userinfo endpoint tells. What the ID token says stands.
    async fn complete(
        &self,
        claims: &mut Claims,
        discovery: &Discovery,
        token: Option<&Secret>,
    ) -> Result<(), ProviderError> {
        let names = &self.settings.claims;
        let asked = [&names.name, &names.display_name, &names.email]
            .into_iter()
            .chain(self.settings.admit.iter().map(|rule| &rule.claim))
            .chain(self.settings.groups.iter().map(|rule| &rule.claim));
        let is_complete = asked
            .into_iter()
            .all(|name| !claims::values(claims, name).is_empty());
        let (false, Some(endpoint), Some(token)) = (is_complete, &discovery.userinfo_endpoint, token) else {
            return Ok(());
        };
        let Value::Object(more) = self.http.get(endpoint, Some(token.expose())).await? else {
            return Err(self.untrusted("its userinfo endpoint answered no object"));
        };
        // Claims of somebody else must never complete these (section 5.3.2).
        if more.get("sub") != claims.get("sub") {
            return Err(self.untrusted("its userinfo endpoint spoke of another subject"));
        }
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        Ok(())
    }

    fn somebody(&self, claims: &Claims) -> Result<Vouched, ProviderError> {
        let provider = || self.settings.name.clone();
        if admission::left_groups_out(&self.settings, claims) {
            return Err(ProviderError::TooManyGroups { provider: provider() });
        }
        if !admission::is_admitted(&self.settings.admit, claims) {
            return Err(ProviderError::NotAdmitted { provider: provider() });
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let names = &self.settings.claims;
        let email = claims::line(claims, &names.email);
        Ok(Vouched {
            external: ExternalIdentity {
                issuer: self.settings.issuer.clone(),
                subject: text("sub").unwrap_or_default().to_owned(),
            },
            name: claims::line(claims, &names.name).or_else(|| email.clone()),
            display_name: claims::line(claims, &names.display_name),
            email,
            groups: claims::groups(&self.settings.groups, claims),
            authenticated_at: id_token::moment(claims, "auth_time"),
            session: text("sid").map(str::to_owned),
        })
    }
}

#[async_trait]
impl others_keys::Source for Source {
    type Keys = Known;
    type Problem = ProviderError;

    fn name(&self) -> &str {
        &self.issuer
    }

    async fn fetch(&self) -> Result<Known, ProviderError> {
        let misconfigured = |problem| self.http.misconfigured(problem);
        let base = self.issuer.trim_end_matches('/');
        let place = format!("{base}/.well-known/openid-configuration");
        let place = Url::parse(&place).map_err(|error| misconfigured(format!("its issuer: {error}")))?;
        let discovery: Discovery = serde_json::from_value(self.http.get(&place, None).await?)
            .map_err(|error| self.http.unreachable(format!("its discovery document: {error}")))?;
        if discovery.issuer != self.issuer {
            let said: String = discovery.issuer.chars().take(SAID_CHARS).collect();
            let problem = format!("it calls itself `{said}`, and `issuer` says `{}`", self.issuer);
            return Err(misconfigured(problem));
        }
        let keys: JwkSet = serde_json::from_value(usable(self.http.get(&discovery.jwks_uri, None).await?))
            .map_err(|error| self.http.unreachable(format!("its keys: {error}")))?;
        Ok(Known { discovery, keys })
    }
}

/// Keys of a kind that nobody here knows are left out, and not a reason to take none of them.
fn usable(mut document: Value) -> Value {
    if let Some(keys) = document.get_mut("keys").and_then(Value::as_array_mut) {
        keys.retain(|key| serde_json::from_value::<jsonwebtoken::jwk::Jwk>(key.clone()).is_ok());
    }
    document
}

#[async_trait]
impl IdentityProvider for Oidc {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn title(&self) -> &str {
        &self.settings.title
    }

    fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    fn sign_out(&self) -> SignOut {
        self.settings.sign_out
    }

    async fn address(&self, outbound: &Outbound<'_>) -> Result<Url, ProviderError> {
        let known = self.known(|_| true).await?;
        let challenge = URL_SAFE_NO_PAD.encode(sha256(outbound.verifier.as_bytes()));
        let mut address = known.discovery.authorization_endpoint.clone();
        let is_web = matches!(address.scheme(), "https" | "http") && address.fragment().is_none();
        if !is_web {
            return Err(self
                .http
                .misconfigured("its authorization endpoint is no web address"));
        }
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", outbound.redirect_uri)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", outbound.state)
            .append_pair("nonce", outbound.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if outbound.is_anew {
            // The second has it say when that was, too.
            let anew = [("prompt", "login"), ("max_age", "0")];
            address.query_pairs_mut().extend_pairs(anew);
        }
        Ok(address)
    }

    async fn vouched(&self, inbound: &Inbound<'_>) -> Result<Vouched, ProviderError> {
        let known = self.known(|_| true).await?;
        match inbound.issuer {
            Some(issuer) if issuer != self.settings.issuer => {
                return Err(self.untrusted("another provider answered (`iss`)"));
            }
            None if known.discovery.authorization_response_iss_parameter_supported => {
                return Err(self.untrusted("it says that it names itself (`iss`), and did not"));
            }
            _ => {}
        }
        let redeemed = self.redeemed(&known.discovery, inbound).await?;
        let (mut claims, head) = self.claims(redeemed.id_token.expose()).await?;
        let access_token = redeemed.access_token.as_ref();
        let bound = Bound {
            nonce: inbound.nonce,
            access_token: access_token.map(|token| token.expose()),
        };
        id_token::check_id_token(&claims, &head, &self.expected(), &bound)
            .map_err(|problem| self.untrusted(problem))?;
        self.complete(&mut claims, &known.discovery, access_token).await?;
        self.somebody(&claims)
    }

    async fn logout(&self, token: &str) -> Result<Logout, ProviderError> {
        let (claims, _) = self.claims(token).await?;
        id_token::check_logout_token(&claims).map_err(|problem| self.untrusted(problem))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Logout {
            issuer: self.settings.issuer.clone(),
            session: text("sid"),
            subject: text("sub"),
            issued_at: id_token::moment(&claims, "iat").unwrap_or_else(|| self.parts.clock.now()),
        })
    }

    async fn departure(&self, back_to: &str, state: &str) -> Result<Option<Url>, ProviderError> {
        let known = self.known(|_| true).await?;
        let Some(place) = &known.discovery.end_session_endpoint else {
            return Ok(None);
        };
        let is_web = |url: &Url| matches!(url.scheme(), "https" | "http") && url.fragment().is_none();
        let mut address = Url::parse(place).ok().filter(is_web).ok_or_else(|| {
            self.http
                .misconfigured("its end session endpoint is no web address")
        })?;
        // No `id_token_hint`: ID tokens are not kept. The provider knows by `client_id` whose address to come back to that is,
        // and may ask the person.
        address
            .query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back_to)
            .append_pair("state", state);
        Ok(Some(address))
    }
}
