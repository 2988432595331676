//! Which client asks at the token endpoint, and how it shows that (RFC 6749, section 2.3; RFC 7523).

use std::net::IpAddr;

use portreeve_core::oauth::{Client, ClientAuth, ClientId};
use portreeve_core::secret::Secret;
use portreeve_inspect::from_hex;
use subtle::ConstantTimeEq as _;

use super::AuthorizationServer;
use super::error::OauthError;
use crate::token;

/// The kind of assertion that is taken.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a request says about its client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// Identity and secret out of `Authorization: Basic`.
    pub basic: Option<(String, Secret)>,
    /// `client_id` of the form.
    pub client_id: Option<String>,
    /// `client_secret` of the form.
    pub client_secret: Option<Secret>,
    /// `client_assertion_type` of the form.
    pub assertion_type: Option<String>,
    /// `client_assertion` of the form.
    pub assertion: Option<Secret>,
    /// Where the request comes from.
    pub from: Option<IpAddr>,
}

impl Credential {
    /// The one way in which it authenticates. Two are one too many (RFC 6749, section 2.3).
    fn way(&self) -> Result<ClientAuth, OauthError> {
        let ways = [
            (self.basic.is_some(), ClientAuth::SecretBasic),
            (self.client_secret.is_some(), ClientAuth::SecretPost),
            (self.assertion.is_some(), ClientAuth::PrivateKeyJwt),
        ];
        let mut used = ways
            .into_iter()
            .filter(|(is_used, _)| *is_used)
            .map(|(_, way)| way);
        let way = used.next().unwrap_or(ClientAuth::None);
        if used.next().is_some() {
            return Err(OauthError::request(
                "the client authenticates in more than one way: use one",
            ));
        }
        Ok(way)
    }

    /// The identity, which every part that names one must name alike.
    fn id(&self, way: ClientAuth) -> Result<ClientId, OauthError> {
        let missing = || OauthError::client("`client_id` is missing");
        let unreadable = |_| OauthError::client("`client_id` cannot be read");
        let named = self.client_id.as_deref();
        let said = match (&self.basic, &self.assertion) {
            (Some((id, _)), _) => Some(id.clone()),
            (None, Some(assertion)) => super::assertion::issuer_of(assertion.expose()),
            (None, None) => None,
        };
        if let (Some(named), Some(said)) = (named, &said)
            && named != said
        {
            return Err(OauthError::client("the request names two clients"));
        }
        if way == ClientAuth::PrivateKeyJwt && said.is_none() {
            return Err(OauthError::client("`client_assertion` names no issuer"));
        }
        let id = said.as_deref().or(named).ok_or_else(missing)?;
        id.parse().map_err(unreadable)
    }
}

impl AuthorizationServer {
    /// The client, if it shows that it is itself.
    pub(super) async fn authenticated(&self, credential: &Credential) -> Result<Client, OauthError> {
        let way = credential.way()?;
        let client = self
            .client_of_token(&credential.id(way)?, credential.from)
            .await?;
        if client.auth != way {
            return Err(OauthError::client(format!(
                "the client must authenticate by `{}`, as it was registered",
                client.auth
            )));
        }
        match way {
            ClientAuth::None => {}
            ClientAuth::SecretBasic => {
                check_secret(&client, credential.basic.as_ref().map(|(_, secret)| secret))?;
            }
            ClientAuth::SecretPost => check_secret(&client, credential.client_secret.as_ref())?,
            ClientAuth::PrivateKeyJwt => {
                if credential.assertion_type.as_deref() != Some(ASSERTION) {
                    return Err(OauthError::client(format!(
                        "`client_assertion_type` must be `{ASSERTION}`"
                    )));
                }
                if let Some(assertion) = &credential.assertion {
                    self.check_client_assertion(&client, assertion.expose(), credential.from)
                        .await?;
                }
            }
        }
        Ok(client)
    }
}

fn check_secret(client: &Client, given: Option<&Secret>) -> Result<(), OauthError> {
    let wrong = || OauthError::client("the client's secret is wrong");
    let kept = client
        .secret_hash
        .as_deref()
        .and_then(from_hex)
        .ok_or_else(wrong)?;
    let given = given
        .and_then(|secret| token::hash(secret.expose()))
        .ok_or_else(wrong)?;
    if bool::from(kept.as_slice().ct_eq(&given)) {
        Ok(())
    } else {
        Err(wrong())
    }
}
