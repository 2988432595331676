//! What a client says of itself, judged: in a registration, in a document, or in what an administrator entered.
//!
//! Fields that we do not know are left aside (RFC 7591, section 2), and so are grants that such a client cannot have:
//! what it gets, the answer says. Addresses of pictures and pages are never fetched.

use portreeve_core::oauth::{ClientAuth, ClientKeys, GrantKind};
use portreeve_inspect::sha256_hex;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::error::{OauthCode, OauthError};
use super::redirect::RedirectUri;

/// Redirects of one client.
const REDIRECTS: usize = 10;
/// Characters of a name.
const NAME: usize = 100;
/// Keys of one client.
const KEYS: usize = 20;

/// The fields that count.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    pub(super) client_id: Option<String>,
    client_name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
}

/// What is taken of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) grants: Vec<GrantKind>,
    pub(super) auth: ClientAuth,
    pub(super) keys: Option<ClientKeys>,
}

/// Reads the fields out of JSON text.
pub(super) fn read(bytes: &[u8]) -> Result<Said, OauthError> {
    serde_json::from_slice(bytes).map_err(|error| {
        wrong(format!(
            "the metadata is not a JSON object of the right form: {error}"
        ))
    })
}

fn wrong(description: impl Into<String>) -> OauthError {
    OauthError::new(OauthCode::InvalidClientMetadata, description)
}

impl Said {
    /// Judges the fields of a client that acts for people. Without a way to authenticate it gets `otherwise`.
    pub(super) fn judge(self, otherwise: ClientAuth) -> Result<Taken, OauthError> {
        let redirect_uris = self.redirect_uris.unwrap_or_default();
        check_redirects(&redirect_uris)?;
        if redirect_uris.is_empty() {
            return Err(OauthError::new(
                OauthCode::InvalidRedirectUri,
                "`redirect_uris` is required: name at least one address",
            ));
        }
        let auth = match self.token_endpoint_auth_method.as_deref() {
            None => otherwise,
            Some(word) => ClientAuth::from_word(word).ok_or_else(|| {
                wrong(format!(
                    "`token_endpoint_auth_method` cannot be `{word}`: use none, client_secret_basic, \
                     client_secret_post or private_key_jwt"
                ))
            })?,
        };
        let asked = self
            .grant_types
            .unwrap_or_else(|| vec!["authorization_code".to_owned()]);
        let may = |grant: GrantKind| asked.iter().any(|word| word == grant.as_str());
        if !may(GrantKind::AuthorizationCode) {
            return Err(wrong(
                "`grant_types` must name `authorization_code`: clients that act for themselves are entered by an administrator",
            ));
        }
        if self
            .response_types
            .is_some_and(|types| !types.iter().any(|word| word == "code"))
        {
            return Err(wrong("`response_types` must name `code`"));
        }
        let grants = [GrantKind::AuthorizationCode, GrantKind::RefreshToken];
        let keys = keys(self.jwks, self.jwks_uri, auth)?;
        Ok(Taken {
            name: name(self.client_name.as_deref()),
            redirect_uris,
            grants: grants.into_iter().filter(|grant| may(*grant)).collect(),
            auth,
            keys,
        })
    }
}

/// Refuses addresses that no code may be sent to.
pub(super) fn check_redirects(uris: &[String]) -> Result<(), OauthError> {
    let refused = |text: String| OauthError::new(OauthCode::InvalidRedirectUri, text);
    if uris.len() > REDIRECTS {
        return Err(refused("`redirect_uris` has more than 10 addresses".to_owned()));
    }
    for uri in uris {
        if let Err(error) = RedirectUri::parse(uri) {
            let shown: String = uri.chars().take(200).collect();
            return Err(refused(format!("`{shown}` cannot be a redirect: {error}")));
        }
    }
    Ok(())
}

/// The public keys of a client that signs; of others they are left aside.
pub(super) fn keys(
    inline: Option<Value>,
    place: Option<String>,
    auth: ClientAuth,
) -> Result<Option<ClientKeys>, OauthError> {
    if auth != ClientAuth::PrivateKeyJwt {
        return Ok(None);
    }
    match (inline, place) {
        (Some(set), None) => {
            let keys = set.get("keys").and_then(Value::as_array);
            if keys.is_none_or(|keys| keys.is_empty() || keys.len() > KEYS) {
                return Err(wrong("`jwks` must be a JWK set of 1 to 20 keys"));
            }
            if keys.is_some_and(|keys| {
                keys.iter()
                    .any(|key| key.get("d").is_some() || key.get("k").is_some())
            }) {
                return Err(wrong(
                    "`jwks` holds a private or shared key: send public keys only",
                ));
            }
            Ok(Some(ClientKeys::Inline(set.to_string())))
        }
        (None, Some(place)) => match Url::parse(&place) {
            Ok(url) if url.scheme() == "https" && url.username().is_empty() => {
                Ok(Some(ClientKeys::At(place)))
            }
            _ => Err(wrong("`jwks_uri` must be an https address")),
        },
        (Some(_), Some(_)) => Err(wrong("`jwks` and `jwks_uri` exclude each other")),
        (None, None) => Err(wrong("`private_key_jwt` needs `jwks` or `jwks_uri`")),
    }
}

/// A name without what could pretend to be something else on a page.
pub(super) fn name(said: Option<&str>) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let kept: String = said
        .unwrap_or_default()
        .chars()
        .filter(|c| !hidden(*c))
        .take(NAME)
        .collect();
    let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    if kept.is_empty() {
        "A client without a name".to_owned()
    } else {
        kept
    }
}

/// A digest of what people see of a client.
pub(super) fn snapshot(name: &str, redirect_uris: &[String]) -> String {
    let mut hosts: Vec<String> = redirect_uris
        .iter()
        .filter_map(|uri| RedirectUri::parse(uri).ok())
        .map(|uri| uri.host())
        .collect();
    hosts.sort();
    hosts.dedup();
    sha256_hex(json!([name, hosts]).to_string().as_bytes())
}

/// What must hold for any bytes that say they are a client's metadata: asked by a property test and by the fuzz target.
pub fn law(bytes: &[u8]) {
    let Ok(said) = read(bytes) else {
        return;
    };
    let Ok(taken) = said.judge(ClientAuth::None) else {
        return;
    };
    let count = taken.redirect_uris.len();
    assert!((1..=REDIRECTS).contains(&count), "{count} redirects");
    for uri in &taken.redirect_uris {
        let read = RedirectUri::parse(uri);
        assert!(read.is_ok_and(|read| read.admits(&read)), "{uri}");
    }
    let shown = &taken.name;
    assert!(
        !shown.trim().is_empty() && shown.chars().count() <= NAME,
        "{shown:?}"
    );
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert_eq!(
        name(Some(shown)),
        *shown,
        "a name that was shown is shown as it is"
    );
    assert!(taken.grants.contains(&GrantKind::AuthorizationCode), "{taken:?}");
    assert!(!taken.grants.contains(&GrantKind::ClientCredentials), "{taken:?}");
    let signs = taken.auth == ClientAuth::PrivateKeyJwt;
    assert_eq!(taken.keys.is_some(), signs, "{taken:?}");
    if let Some(ClientKeys::Inline(text)) = &taken.keys {
        let set: Value = serde_json::from_str(text).unwrap_or_default();
        let keys = set.get("keys").and_then(Value::as_array);
        let is_public = |key: &Value| key.get("d").is_none() && key.get("k").is_none();
        assert!(keys.is_some_and(|keys| keys.iter().all(is_public)), "{text}");
    }
    let mut turned = taken.redirect_uris.clone();
    turned.reverse();
    let digest = |uris: &[String]| snapshot(shown, uris);
    assert_eq!(digest(&taken.redirect_uris), digest(&turned));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metadata() -> impl Strategy<Value = Value> {
        let word = || {
            prop_oneof![
                Just("https://host.example/cb".to_owned()),
                Just("http://127.0.0.1:7/cb".to_owned()),
                Just("com.acme.app:/cb".to_owned()),
                Just("http://host.example/cb".to_owned()),
                Just("authorization_code".to_owned()),
                Just("refresh_token".to_owned()),
                Just("private_key_jwt".to_owned()),
                Just("none".to_owned()),
                Just(" a\u{202e}\u{0}\n b ".to_owned()),
                any::<String>(),
            ]
        };
        let key = prop_oneof![
            Just(json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})),
            Just(json!({"kty": "EC", "d": "AA"})),
            Just(json!({"kty": "oct", "k": "AA"})),
            Just(json!([])),
        ];
        let words = || prop::option::of(prop::collection::vec(word(), 0..12));
        let text = || prop::option::of(word());
        let keys = prop::option::of(prop::collection::vec(key, 0..22));
        (words(), words(), (text(), text(), text()), keys).prop_map(
            |(redirects, grants, (name, auth, place), keys)| {
                json!({
                    "redirect_uris": redirects, "grant_types": grants, "client_name": name,
                    "token_endpoint_auth_method": auth, "jwks_uri": place,
                    "jwks": keys.map(|keys| json!({ "keys": keys })),
                })
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        #[test]
        fn metadata_is_refused_or_taken_as_the_law_says(said in metadata()) {
            law(said.to_string().as_bytes());
        }

        #[test]
        fn any_bytes_are_refused_or_taken_as_the_law_says(bytes in any::<Vec<u8>>()) {
            law(&bytes);
        }
    }

    fn judged(said: Value) -> Result<Taken, OauthError> {
        read(said.to_string().as_bytes())?.judge(ClientAuth::SecretBasic)
    }

    #[test]
    fn a_client_gets_what_it_can_have() {
        let taken = judged(json!({
            "redirect_uris": ["http://127.0.0.1/cb"], "client_name": " Ed\u{202e}itor\n2 ", "logo_uri": "https://x/y.png",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "unknown": {"a": 1},
        }))
        .unwrap();
        assert_eq!(taken.name, "Editor2");
        assert_eq!(taken.auth, ClientAuth::SecretBasic);
        assert_eq!(
            taken.grants,
            [GrantKind::AuthorizationCode, GrantKind::RefreshToken]
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_the_rfc() {
        let code = |said| judged(said).unwrap_err().code;
        let cb = "https://host.example/cb";
        for said in [
            json!({}),
            json!({"redirect_uris": []}),
            json!({"redirect_uris": ["javascript:alert(1)"]}),
            json!({"redirect_uris": vec![cb; 11]}),
        ] {
            assert_eq!(code(said), OauthCode::InvalidRedirectUri);
        }
        for said in [
            json!([]),
            json!({"redirect_uris": cb}),
            json!({"redirect_uris": [cb], "token_endpoint_auth_method": "tls_client_auth"}),
            json!({"redirect_uris": [cb], "grant_types": ["client_credentials"]}),
            json!({"redirect_uris": [cb], "response_types": ["token"]}),
            json!({"redirect_uris": [cb], "token_endpoint_auth_method": "private_key_jwt"}),
            json!({"redirect_uris": [cb], "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://x/"}),
            json!({"redirect_uris": [cb], "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}),
            json!({"redirect_uris": [cb], "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [{"kty": "EC", "d": "x"}]}}),
        ] {
            assert_eq!(code(said), OauthCode::InvalidClientMetadata);
        }
    }

    #[test]
    fn a_snapshot_changes_with_what_people_see() {
        let of =
            |name, uris: &[&str]| snapshot(name, &uris.iter().map(ToString::to_string).collect::<Vec<_>>());
        let one = of("Editor", &["http://127.0.0.1/a", "https://x.example/b"]);
        assert_eq!(
            one,
            of("Editor", &["https://x.example/c", "http://127.0.0.1:3/b"])
        );
        assert_ne!(one, of("Editor", &["https://x.example/c"]));
        assert_ne!(
            one,
            of("Editor 2", &["http://127.0.0.1/a", "https://x.example/b"])
        );
    }
}
