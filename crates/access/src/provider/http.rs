//! Asks a provider for JSON. The operator vouched for the origin of its issuer; wherever else its document points must be a
//! public address.

use ::http::{HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use portreeve_net::{Reach, read_body};
use serde_json::Value;
use url::Url;

use super::{ProviderError, ProviderParts};

/// Asks one provider.
pub(super) struct Client {
    provider: String,
    issuer: Option<Url>,
    parts: ProviderParts,
}

impl Client {
    pub(super) fn new(provider: &str, issuer: &str, parts: ProviderParts) -> Self {
        Self {
            provider: provider.to_owned(),
            issuer: Url::parse(issuer).ok(),
            parts,
        }
    }

    pub(super) fn unreachable(&self, problem: impl ToString) -> ProviderError {
        ProviderError::Unreachable {
            provider: self.provider.clone(),
            problem: problem.to_string(),
        }
    }

    pub(super) fn misconfigured(&self, problem: impl Into<String>) -> ProviderError {
        ProviderError::Misconfigured {
            provider: self.provider.clone(),
            problem: problem.into(),
        }
    }

    fn reach(&self, url: &Url) -> Reach {
        match &self.issuer {
            Some(issuer) if issuer.origin() == url.origin() => Reach::Operator,
            _ => Reach::Public,
        }
    }

    /// The JSON at an address.
    pub(super) async fn get(&self, url: &Url, bearer: Option<&str>) -> Result<Value, ProviderError> {
        let mut request = Request::get(url.as_str());
        if let Some(token) = bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| self.unreachable("its access token cannot stand in a header"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|error| self.unreachable(error))?;
        match self.send(url, request).await? {
            (StatusCode::OK, body) => Ok(body),
            (status, _) => Err(self.unreachable(format!("`{}` answered {status}", url.path()))),
        }
    }

    /// What a form is answered with.
    pub(super) async fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        authorization: Option<HeaderValue>,
    ) -> Result<(StatusCode, Value), ProviderError> {
        let mut request =
            Request::post(url.as_str()).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Bytes::from(encoded(form)))
            .map_err(|error| self.unreachable(error))?;
        self.send(url, request).await
    }

    async fn send(
        &self,
        url: &Url,
        mut request: Request<Bytes>,
    ) -> Result<(StatusCode, Value), ProviderError> {
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("portreeve"));
        let limits = &self.parts.limits;
        let answer = self
            .parts
            .egress
            .send(request, &self.reach(url), limits.proof)
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        let bytes = read_body(answer.into_body(), limits.proof_bytes, limits.proof)
            .await
            .map_err(|error| self.unreachable(error))?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status == StatusCode::OK && body.is_null() {
            return Err(self.unreachable(format!("`{}` answered no JSON", url.path())));
        }
        Ok((status, body))
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    body.finish()
}
