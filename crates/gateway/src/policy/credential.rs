//! `credential`: what Portreeve shows to the REST API behind a route, from its vault. It decides nothing: a request that
//! the other policies let pass goes out with it. An API that asks for two has two of these.

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use portreeve_core::name::SecretName;
use portreeve_core::rest::{Place, is_reserved_header};
use serde::{Deserialize, Deserializer, de};

use super::{Explanation, Policy, Question, Verdict};
use crate::upstream::Way;

/// The kind that documents name.
pub(super) const KIND: &str = "credential";

/// The configuration: `{"kind":"credential","scheme":"bearer","secret":"secret:NAME"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// How it is shown: `bearer`, `basic`, `header`, `query` or `cookie`.
    scheme: Scheme,
    /// `basic`: the user's name. Without a colon, up to 256 visible ASCII characters.
    user: Option<String>,
    /// `header`, `query`, `cookie`: under which name. `Authorization` is allowed for a header; other fields that the gateway
    /// sets are not.
    name: Option<String>,
    /// The secret, `secret:NAME` of the vault.
    #[serde(deserialize_with = "secret")]
    secret: SecretName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    Bearer,
    Basic,
    Header,
    Query,
    Cookie,
}

/// Only secrets of the vault: no file of the server and nothing of its environment.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretName, D::Error> {
    let text = String::deserialize(deserializer)?;
    let name = text
        .strip_prefix("secret:")
        .ok_or_else(|| de::Error::custom("a secret is written `secret:NAME`"))?;
    name.parse().map_err(de::Error::custom)
}

/// What is shown to an API, and where; the secret itself is still in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Which secret.
    pub secret: SecretName,
    /// In which form.
    pub form: Form,
}

/// The form of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `Authorization: Bearer`
    Bearer,
    /// `Authorization: Basic`, with this user.
    Basic(String),
    /// A header field with the secret as it is.
    Header(HeaderName),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}

impl Credential {
    /// Where it stands. That is no argument's place.
    pub fn place(&self) -> (Place, &str) {
        match &self.form {
            Form::Bearer | Form::Basic(_) => (Place::Header, AUTHORIZATION.as_str()),
            Form::Header(name) => (Place::Header, name.as_str()),
            Form::Query(name) => (Place::Query, name),
            Form::Cookie(name) => (Place::Cookie, name),
        }
    }

    /// Whether the two cannot go with the same request.
    pub(super) fn is_in_the_way_of(&self, other: &Self) -> bool {
        let ((place, name), (others_place, others_name)) = (self.place(), other.place());
        place == others_place && name.eq_ignore_ascii_case(others_name)
    }
}

/// The compiled policy.
#[derive(Debug)]
pub(super) struct Shown(Credential);

impl Shown {
    pub(super) fn new(config: Config) -> Result<Self, String> {
        let Config {
            scheme,
            user,
            name,
            secret,
        } = config;
        let named = matches!(scheme, Scheme::Header | Scheme::Query | Scheme::Cookie);
        if user.is_some() != (scheme == Scheme::Basic) {
            return Err("`user` goes with the scheme `basic`, and with no other".to_owned());
        }
        if name.is_some() != named {
            return Err(
                "`name` goes with the schemes `header`, `query` and `cookie`, and with no other".to_owned(),
            );
        }
        let name = name.unwrap_or_default();
        let is_name = match scheme {
            Scheme::Header => HeaderName::from_bytes(name.as_bytes()).is_ok(),
            // It is written as it is, so it holds nothing that parts a query or a list of cookies.
            _ => name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'$')),
        };
        if named && (!is_name || name.is_empty() || name.len() > 256) {
            return Err(format!(
                "`{name}` is no name of a header, a parameter or a cookie"
            ));
        }
        let form = match scheme {
            Scheme::Bearer => Form::Bearer,
            Scheme::Basic => {
                let user = user.unwrap_or_default();
                if user.len() > 256 || user.contains(':') || HeaderValue::from_str(&user).is_err() {
                    return Err("`user` has a colon, or characters that a header does not hold".to_owned());
                }
                Form::Basic(user)
            }
            Scheme::Header => {
                if is_reserved_header(&name) && !name.eq_ignore_ascii_case("authorization") {
                    return Err(format!("the header `{name}` is the gateway's own"));
                }
                Form::Header(HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?)
            }
            Scheme::Query => Form::Query(name),
            Scheme::Cookie => Form::Cookie(name),
        };
        Ok(Self(Credential { secret, form }))
    }
}

#[async_trait]
impl Policy for Shown {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn before(&self, _: &Question<'_>) -> Verdict {
        Verdict::Continue(Vec::new())
    }

    fn credential(&self) -> Option<&Credential> {
        Some(&self.0)
    }

    async fn explain(&self, question: &Question<'_>) -> Explanation {
        let name = &self.0.secret;
        let reason = match &question.route.upstream {
            Way::Rest(_) => format!("the API is shown `secret:{name}`"),
            _ => format!("`secret:{name}` is not used: this route leads to an MCP server"),
        };
        Explanation {
            policy: KIND,
            allowed: true,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn made(config: Value) -> Result<Credential, String> {
        let config = serde_json::from_value(config).map_err(|error| error.to_string())?;
        Shown::new(config).map(|shown| shown.0)
    }

    #[test]
    fn two_stand_beside_each_other_and_never_in_the_same_place() {
        let bearer = json!({"scheme": "bearer", "secret": "secret:a"});
        let basic = json!({"scheme": "basic", "user": "u", "secret": "secret:b"});
        let named = |scheme: &str, name: &str| json!({"scheme": scheme, "name": name, "secret": "secret:c"});
        for (one, other, is_in_the_way) in [
            (bearer.clone(), basic.clone(), true),
            (basic, named("header", "AUTHORIZATION"), true),
            (named("header", "X-Key"), named("header", "x-key"), true),
            (named("query", "key"), named("query", "Key"), true),
            (named("query", "key"), named("cookie", "key"), false),
            (bearer, named("header", "x-key"), false),
        ] {
            let (one, other) = (made(one).unwrap(), made(other).unwrap());
            assert_eq!(one.is_in_the_way_of(&other), is_in_the_way, "{one:?} {other:?}");
            assert_eq!(other.is_in_the_way_of(&one), is_in_the_way);
        }
    }

    #[test]
    fn each_scheme_has_its_fields_and_no_other() {
        for good in [
            json!({"scheme": "bearer", "secret": "secret:a"}),
            json!({"scheme": "basic", "user": "u", "secret": "secret:a"}),
            json!({"scheme": "header", "name": "X-Api-Key", "secret": "secret:a"}),
            json!({"scheme": "header", "name": "Authorization", "secret": "secret:a"}),
            json!({"scheme": "query", "name": "key", "secret": "secret:a"}),
            json!({"scheme": "cookie", "name": "sid", "secret": "secret:a"}),
        ] {
            assert!(made(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!({"scheme": "bearer", "secret": "a"}),
            json!({"scheme": "bearer", "secret": "file:/etc/passwd"}),
            json!({"scheme": "bearer", "secret": "env:HOME"}),
            json!({"scheme": "bearer", "user": "u", "secret": "secret:a"}),
            json!({"scheme": "basic", "secret": "secret:a"}),
            json!({"scheme": "basic", "user": "a:b", "secret": "secret:a"}),
            json!({"scheme": "basic", "user": "a\r\nb", "secret": "secret:a"}),
            json!({"scheme": "header", "secret": "secret:a"}),
            json!({"scheme": "header", "name": "Host", "secret": "secret:a"}),
            json!({"scheme": "header", "name": "a b", "secret": "secret:a"}),
            json!({"scheme": "query", "name": "a&b", "secret": "secret:a"}),
            json!({"scheme": "other", "secret": "secret:a"}),
            json!({"scheme": "bearer", "secret": "secret:a", "more": 1}),
        ] {
            assert!(made(bad.clone()).is_err(), "{bad}");
        }
    }
}
