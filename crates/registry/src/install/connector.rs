//! A custom connector of Power Platform: a Swagger 2.0 file with one operation that Copilot Studio takes for a server.
//!
//! Before: a setup that leads to the gateway. After: a maker imports the file, and each person connects for themselves.

use portreeve_core::oauth::Scopes;
use serde_json::{Map, Value, json};
use url::Url;

use super::words::{pretty, yaml};
use super::{Auth, Launch, Setup};

/// The header in which the gateway takes a key that stands alone.
pub(super) const KEY_HEADER: &str = "X-Api-Key";
/// Characters of a connector's name.
const TITLE: usize = 30;

/// A connector file.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector(Value);

/// The places of this Portreeve's OAuth, for hosts that do not look for them.
pub(super) struct OAuth {
    pub(super) authorization: String,
    pub(super) token: String,
    pub(super) scopes: Vec<String>,
}

/// Where one signs in for a setup, if that is here.
pub(super) fn oauth(setup: &Setup) -> Option<OAuth> {
    if setup.auth != (Auth::SignIn { own: true }) {
        return None;
    }
    let origin = setup.origin.as_deref()?;
    let scopes = Scopes::all_of(setup.slug.as_ref()?);
    Some(OAuth {
        authorization: format!("{origin}/authorize"),
        token: format!("{origin}/token"),
        scopes: scopes.iter().map(ToString::to_string).collect(),
    })
}

// === impl Connector ===

impl Connector {
    /// The connector of a setup; nothing for one that does not lead to the gateway.
    pub(super) fn of(setup: &Setup) -> Option<Self> {
        let Launch::Http { url, .. } = &setup.launch else {
            return None;
        };
        let url = Url::parse(url).ok()?;
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str()?),
            None => url.host_str()?.to_owned(),
        };
        let title: String = setup.title.chars().take(TITLE).collect();
        let mut operation = json!({
            "summary": title.trim(),
            "description": setup.description,
            "operationId": "InvokeMCP",
            "x-ms-agentic-protocol": "mcp-streamable-1.0",
            "responses": {"200": {"description": "What the server answered"}},
        });
        let (definitions, security) = security(setup);
        if let Some(security) = &security {
            operation["security"] = security.clone();
        }
        let mut document = json!({
            "swagger": "2.0",
            "info": {"title": title.trim(), "description": setup.description, "version": setup.version},
            "host": host,
            "basePath": "/",
            "schemes": [url.scheme()],
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": {url.path(): {"post": operation}},
            "definitions": {},
            "parameters": {},
            "responses": {},
            "securityDefinitions": definitions,
        });
        document["security"] = security.unwrap_or_else(|| json!([]));
        document["tags"] = json!([]);
        Some(Self(document))
    }

    /// It as JSON.
    pub fn json(&self) -> String {
        pretty(&self.0)
    }

    /// It as YAML.
    pub fn yaml(&self) -> String {
        yaml(&self.0)
    }
}

fn security(setup: &Setup) -> (Map<String, Value>, Option<Value>) {
    let (name, definition, scopes) = match (setup.auth, oauth(setup)) {
        (Auth::Open, _) => return (Map::new(), None),
        (Auth::SignIn { .. }, Some(oauth)) => {
            let scopes: Map<String, Value> = oauth
                .scopes
                .iter()
                .map(|scope| (scope.clone(), json!(format!("Use this server: {scope}"))))
                .collect();
            let definition = json!({
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": oauth.authorization,
                "tokenUrl": oauth.token,
                "scopes": scopes,
            });
            ("portreeve_oauth", definition, oauth.scopes)
        }
        // Another issuer's places are not known here; its tokens stand where a key would.
        (Auth::SignIn { .. }, None) => (
            "bearer_token",
            json!({"type": "apiKey", "in": "header", "name": "Authorization",
                "description": "`Bearer ` and an access token"}),
            Vec::new(),
        ),
        (Auth::Key, _) => (
            "portreeve_key",
            json!({"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": "Your Portreeve key"}),
            Vec::new(),
        ),
    };
    let mut definitions = Map::new();
    definitions.insert(name.to_owned(), definition);
    (definitions, Some(json!([{name: scopes}])))
}
