//! How we prove to a provider's token endpoint that it is us: a secret in a header or in the form, or an assertion that a
//! private key signs (RFC 7523).

use ::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portreeve_core::ports::Purpose;
use portreeve_core::secret::Secret;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::settings::{ClientCredential, ProviderSettings};
use super::{ProviderError, ProviderParts};

/// How long an assertion works.
const ASSERTION_SECONDS: i64 = 60;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What goes along with a request for tokens.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) form: Vec<(&'static str, Secret)>,
    pub(super) header: Option<HeaderValue>,
}

/// The proof that this token endpoint takes. `methods` are those that it names, or none.
pub(super) async fn proof(
    settings: &ProviderSettings,
    parts: &ProviderParts,
    (audience, methods): (&str, &[String]),
) -> Result<Proof, ProviderError> {
    let wrong = |problem: String| ProviderError::Misconfigured {
        provider: settings.name.clone(),
        problem,
    };
    let secret = match &settings.credential {
        ClientCredential::None => return Ok(Proof::default()),
        ClientCredential::Key { pem, key_id } => {
            let assertion = assertion(settings, parts, (pem, key_id.as_deref(), audience))?;
            return Ok(Proof {
                form: vec![
                    ("client_assertion_type", Secret::new(ASSERTION_TYPE)),
                    ("client_assertion", assertion),
                ],
                header: None,
            });
        }
        ClientCredential::Secret(secret) => secret.clone(),
        ClientCredential::Vault(name) => {
            let opened = parts.outgoing.open(name, Purpose::Call).await;
            opened.map_err(|error| wrong(error.to_string()))?
        }
    };
    // Basic is what every server takes that names none (RFC 8414, section 2).
    let takes = |method: &str| methods.iter().any(|one| one == method);
    if !methods.is_empty() && !takes("client_secret_basic") && takes("client_secret_post") {
        return Ok(Proof {
            form: vec![("client_secret", secret)],
            header: None,
        });
    }
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!(
        "{}:{}",
        encoded(&settings.client_id),
        encoded(secret.expose())
    ));
    let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.expose())))
        .map_err(|_| wrong("its secret cannot stand in a header".to_owned()))?;
    header.set_sensitive(true);
    Ok(Proof {
        form: Vec::new(),
        header: Some(header),
    })
}

fn assertion(
    settings: &ProviderSettings,
    parts: &ProviderParts,
    (pem, key_id, audience): (&Secret, Option<&str>, &str),
) -> Result<Secret, ProviderError> {
    let wrong = |problem: &str| ProviderError::Misconfigured {
        provider: settings.name.clone(),
        problem: problem.to_owned(),
    };
    let body: String = pem
        .expose()
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    let der = STANDARD
        .decode(body)
        .map_err(|_| wrong("`client_key` is not a key in PEM"))?;
    let now = parts.clock.now().as_millis() / 1_000;
    let mut id = [0; 16];
    parts.rng.fill(&mut id);
    let claims = json!({
        "iss": settings.client_id, "sub": settings.client_id, "aud": audience, "iat": now,
        "exp": now + ASSERTION_SECONDS, "jti": URL_SAFE_NO_PAD.encode(id),
    });
    let mut header = Header::new(Algorithm::ES256);
    header.kid = key_id.map(str::to_owned);
    encode(&header, &claims, &EncodingKey::from_ec_der(&der))
        .map(Secret::new)
        .map_err(|_| wrong("`client_key` is not a private key on P-256 in PKCS #8"))
}
