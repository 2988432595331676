//! A key in a well-known file of the domain's web server. Who serves a host speaks for that host alone.

use std::sync::Arc;

use ::http::{Request, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use portreeve_core::limits::Limits;
use portreeve_net::{Egress, Reach, read_body};

use super::challenge::Challenges;
use super::none::publish_under;
use super::{Claim, Method, ProofError, Proven};

pub(super) struct WellKnown {
    pub(super) challenges: Challenges,
    pub(super) egress: Egress,
    pub(super) limits: Arc<Limits>,
}

impl WellKnown {
    /// The file. A redirect is not followed: it would let one host speak for another.
    async fn file(&self, domain: &str) -> Result<String, ProofError> {
        let url = format!("https://{domain}/.well-known/mcp-registry-auth");
        let what = format!("`{url}` could not be read");
        let unreachable = |cause: &dyn std::fmt::Display| ProofError::unreachable(&what, cause);
        let request = Request::get(&url)
            .header(::http::header::ACCEPT, "text/plain")
            .body(Bytes::new())
            .map_err(|error| unreachable(&error))?;
        let answer = self
            .egress
            .send(request, &Reach::Public, self.limits.proof)
            .await
            .map_err(|error| unreachable(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(ProofError::refused(format!(
                "`{url}` answered {}, not 200",
                answer.status().as_u16()
            )));
        }
        let bytes = read_body(answer.into_body(), self.limits.proof_bytes, self.limits.proof)
            .await
            .map_err(|error| unreachable(&error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[async_trait]
impl Method for WellKnown {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn prove(&self, claim: &Claim) -> Result<Proven, ProofError> {
        let challenge = self.challenges.read(claim)?;
        let domain = challenge.domain.as_str();
        let file = self.file(domain).await?;
        self.challenges
            .settle(&challenge, file.lines().map(str::trim))
            .await?;
        Ok(Proven {
            label: format!("http:{domain}"),
            permissions: publish_under(&[&challenge.domain.namespace()])?,
        })
    }
}
