//! Reads a description over the network: through the egress guard, and only from where it lies itself.

use bytes::Bytes;
use http::{Method, Request, header};
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_net::{Reach, read_body};
use serde_json::json;
use url::Url;

use crate::error::RegistryError;
use crate::import::openapi::{Bundle, INTROSPECTION};
use crate::publish::Internal;
use crate::registry::Registry;

/// Other files of a description that are fetched. More than that are for the command line to bring together.
const MOST_FILES: usize = 50;

impl Registry {
    /// The description at a URL, with the files of the same origin that it refers to, as one text.
    pub(super) async fn fetch_description(
        &self,
        caller: &Caller,
        url: &Url,
        internal: Internal,
    ) -> Result<String, RegistryError> {
        let reach = self.reach_of(caller, url, internal).await?;
        self.in_time(self.collect(url, &reach)).await
    }

    /// The schema of an API of GraphQL: its own answer, or else what lies there as a file.
    pub(super) async fn introspect(
        &self,
        caller: &Caller,
        url: &Url,
        internal: Internal,
    ) -> Result<String, RegistryError> {
        let reach = self.reach_of(caller, url, internal).await?;
        let asked = async {
            let body = json!({"query": INTROSPECTION, "operationName": "IntrospectionQuery"}).to_string();
            let request = Request::builder()
                .method(Method::POST)
                .uri(url.as_str())
                .header(
                    header::ACCEPT,
                    "application/graphql-response+json, application/json",
                )
                .header(header::CONTENT_TYPE, "application/json")
                .body(Bytes::from(body))
                .map_err(|error| error.to_string())?;
            let refused = match self.answer(url, request, &reach).await {
                Ok(text) if text.contains("__schema") => return Ok(text),
                Ok(text) => {
                    let said: String = text.chars().take(200).collect();
                    format!("`{url}` does not tell its schema, it says: {said}")
                }
                Err(reason) => reason,
            };
            // What is no API may be a schema.
            self.file(url, &reach).await.map_err(|_| refused)
        };
        self.in_time(asked).await
    }

    /// What may be reached to read a description at this URL.
    async fn reach_of(&self, caller: &Caller, url: &Url, internal: Internal) -> Result<Reach, RegistryError> {
        let hosts = match internal {
            Internal::Grant => {
                let what = "read a description of an API from a private host";
                self.require_here(caller, Action::Manage, what)?;
                self.private_hosts(url).await?
            }
            Internal::No => Vec::new(),
        };
        let reach = Reach::granted(&hosts);
        self.parts
            .egress
            .check(url, &reach)
            .map_err(RegistryError::Refused)?;
        Ok(reach)
    }

    async fn in_time(
        &self,
        whole: impl Future<Output = Result<String, String>> + Send,
    ) -> Result<String, RegistryError> {
        match tokio::time::timeout(self.parts.limits.import_page, whole).await {
            Ok(text) => text.map_err(|reason| RegistryError::invalid("url", reason)),
            Err(_) => Err(RegistryError::invalid(
                "url",
                "the description did not arrive in time",
            )),
        }
    }

    async fn collect(&self, url: &Url, reach: &Reach) -> Result<String, String> {
        let limits = &self.parts.limits;
        let first = self.file(url, reach).await?;
        let mut bundle = Bundle::begin(url.clone(), &first, limits).map_err(|error| error.to_string())?;
        let mut fetched = 0;
        loop {
            let missing = bundle.missing();
            if missing.is_empty() {
                break;
            }
            for place in missing {
                if place.origin() != url.origin() || fetched >= MOST_FILES {
                    // What refers to it is skipped, and the report says why.
                    bundle.refuse(place);
                    continue;
                }
                fetched += 1;
                match self.file(&place, reach).await {
                    Ok(text) => bundle
                        .add(place, &text, limits)
                        .map_err(|error| error.to_string())?,
                    Err(reason) => {
                        tracing::debug!(%place, reason, "A file of a description could not be read.");
                        bundle.refuse(place);
                    }
                }
            }
        }
        if bundle.is_single() {
            return Ok(first);
        }
        Ok(bundle.finish().to_string())
    }

    async fn file(&self, url: &Url, reach: &Reach) -> Result<String, String> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(
                header::ACCEPT,
                "application/json, application/yaml, text/yaml, */*;q=0.1",
            )
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        self.answer(url, request, reach).await
    }

    async fn answer(&self, url: &Url, request: Request<Bytes>, reach: &Reach) -> Result<String, String> {
        let limits = &self.parts.limits;
        let answer = self.parts.egress.send(request, reach, limits.import_page).await;
        let (head, body) = answer
            .map_err(|error| format!("`{url}` cannot be read: {error}"))?
            .into_parts();
        if !head.status.is_success() {
            return Err(format!("`{url}` answers {}", head.status.as_u16()));
        }
        let bytes = read_body(body, limits.openapi_bytes, limits.import_page)
            .await
            .map_err(|error| format!("`{url}` cannot be read: {error}"))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| format!("`{url}` is no text"))
    }
}
