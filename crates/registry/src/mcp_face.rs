//! Served, as an MCP server: `registry_search` and `registry_fetch`, for agents that look for a server to use.
//!
//! Before: `serve`, whose view of the registry this is. After: the gateway calls it like any other server, through the
//! port `LocalTools`.

mod arguments;
mod definitions;

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::name::{InvalidName, RegistryName, ServerName};
use portreeve_core::ports::{Door, LocalOutcome, LocalServer, LocalTool, LocalTools};
use portreeve_inspect::InspectError;
use serde_json::{Map, Value, json};

use self::arguments::{Fetch, Search};
use crate::error::RegistryError;
use crate::install::{self, Setup, Snippet, SnippetKind};
use crate::registry::Registry;
use crate::search::Sought;
use crate::serve::{ListParams, Served, read_search};
use crate::views::View;

/// How the registry is named in records. Nobody can register it, see [`is_reserved`].
pub(crate) const NAME: &str = "portreeve/registry";
/// How it is named for people.
pub(crate) const TITLE: &str = "Portreeve registry";
/// Longest installation data of one server in a list, in bytes. What is longer is fetched.
const INSTALL_BYTES: usize = 16 * 1024;

/// The registry as an MCP server.
#[derive(Debug)]
pub struct McpFace {
    registry: Arc<Registry>,
    about: LocalServer,
    /// The registry that it is the face of, if that is not the default one.
    name: Option<RegistryName>,
}

/// Why the registry cannot be an MCP server: its own words are broken.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// Its name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A tool.
    #[error("a tool of the registry cannot be read")]
    Tool(#[from] InspectError),
}

/// Whether a name stands for the registry itself.
pub(crate) fn is_reserved(name: &ServerName) -> bool {
    let name = name.as_str().to_ascii_lowercase();
    name.strip_prefix(NAME)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

// === impl McpFace ===

impl McpFace {
    /// The face of a registry, in this version of the product.
    ///
    /// # Errors
    ///
    /// When its own words are broken.
    pub fn new(registry: Arc<Registry>, version: &'static str) -> Result<Self, FaceError> {
        let tools = definitions::all()
            .into_iter()
            .map(|(definition, listing)| {
                let definition = portreeve_inspect::tool_definition(&definition.to_string())?;
                Ok(LocalTool { definition, listing })
            })
            .collect::<Result<_, InspectError>>()?;
        let about = LocalServer {
            name: NAME.parse()?,
            title: TITLE,
            version,
            instructions: "The register of approved MCP servers. Search by what a server is for, then fetch one to \
                           see its document and how each host installs it.",
            tools,
        };
        Ok(Self {
            registry,
            about,
            name: None,
        })
    }

    /// The face of another registry, whether there is one of that name or not.
    #[must_use]
    pub fn of(&self, name: &RegistryName) -> Self {
        let mut about = self.about.clone();
        // Names in records: one that ends in a dash is told by the default one's.
        if let Ok(own) = format!("{NAME}.{name}").parse() {
            about.name = own;
        }
        Self {
            registry: Arc::clone(&self.registry),
            about,
            name: Some(name.clone()),
        }
    }

    /// The registry as the caller reads it.
    fn view(&self, caller: &Caller) -> Result<View, RegistryError> {
        let known = Some(caller).filter(|caller| caller.principal != Principal::Anonymous);
        self.registry.view(self.name.as_ref(), known)
    }

    async fn search(
        &self,
        caller: &Caller,
        arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, RegistryError> {
        let view = self.view(caller)?;
        let Search { query, limit, cursor } = Search::read(arguments)?;
        let page = self.sought((caller, &view), &query, &cursor, limit).await?;
        let page = match page {
            Some(page) => page,
            None => self.listed(&view, (query, cursor), limit).await?,
        };
        let (servers, next) = page;
        let setups = self.registry.setups_of(&servers).await?;
        let pairs = servers.iter().zip(&setups);
        let servers: Vec<Value> = pairs
            .map(|(served, setup)| found(served, setup.as_ref()))
            .collect();
        let mut result = Map::new();
        result.insert("servers".to_owned(), servers.into());
        if let Some(cursor) = next {
            result.insert("nextCursor".to_owned(), cursor.into());
        }
        Ok(result)
    }

    /// What was looked for, best first. `None` where nothing was, and while the index does not know everything yet.
    async fn sought(
        &self,
        reading: (&Caller, &View),
        query: &Option<String>,
        cursor: &Option<String>,
        limit: u32,
    ) -> Result<Option<(Vec<Served>, Option<String>)>, RegistryError> {
        let sought = match (query, cursor) {
            (Some(_), Some(_)) => return Err(RegistryError::BadCursor),
            (Some(words), None) => Sought::Words(read_search(words.trim())?),
            (None, Some(cursor)) => Sought::More(cursor.clone()),
            (None, None) => return Ok(None),
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        match self.registry.seek(reading, sought, limit).await {
            Ok(page) => Ok(Some(page)),
            // A cursor may be one of the list.
            Err(RegistryError::BadCursor | RegistryError::Warming { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All of it by name, or what contains a text.
    async fn listed(
        &self,
        view: &View,
        (query, cursor): (Option<String>, Option<String>),
        limit: u32,
    ) -> Result<(Vec<Served>, Option<String>), RegistryError> {
        let params = ListParams {
            search: query,
            limit: Some(limit.to_string()),
            // A cursor knows what it was made for; a filter beside it could only contradict it.
            version: cursor.is_none().then(|| "latest".to_owned()),
            cursor,
            ..ListParams::default()
        };
        let page = self.registry.serve_list_in(view, &params).await?;
        Ok((page.servers, page.metadata.next_cursor))
    }

    async fn fetch(
        &self,
        caller: &Caller,
        arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, RegistryError> {
        let view = self.view(caller)?;
        let Fetch { name, version } = Fetch::read(arguments)?;
        let version = version.as_deref().unwrap_or("latest");
        let served = self
            .registry
            .serve_version_in(&view, (&name, version), false)
            .await?;
        let mut result = summary(&served);
        let entry = self.registry.load(&name).await?;
        let found = self.registry.installation_of(&served, &entry, Some(view.name()));
        result.extend(
            found
                .offers
                .first()
                .map(|offer| to_install(&offer.setup))
                .unwrap_or_default(),
        );
        let snippets: Vec<Value> = install::snippets(&found).iter().map(snippet).collect();
        result.insert("hosts".to_owned(), snippets.into());
        result.insert("server".to_owned(), Value::Object(served.server.to_map()));
        Ok(result)
    }
}

#[async_trait]
impl LocalTools for McpFace {
    fn server(&self) -> LocalServer {
        self.about.clone()
    }

    /// The default registry lets everybody in and says itself when it is for members; any other one does not exist for
    /// who may not read it.
    fn door(&self, caller: &Caller) -> Door {
        match self.name.as_ref().map(|_| self.view(caller)) {
            None | Some(Ok(_)) => Door::Open,
            Some(Err(RegistryError::Unauthenticated)) => Door::NeedsCredential,
            Some(Err(_)) => Door::NotThere,
        }
    }

    /// Every reader has the same view of a registry: what is approved and not retired. It never shows more
    /// than that, to administrators neither, since an agent should not be led to what nobody may use yet.
    async fn call(&self, caller: &Caller, tool: &str, arguments: Map<String, Value>) -> LocalOutcome {
        let outcome = match definitions::meant(tool) {
            Some(definitions::Tool::Search) => self.search(caller, arguments).await,
            Some(definitions::Tool::Fetch) => self.fetch(caller, arguments).await,
            None => return LocalOutcome::Complaint(format!("there is no tool `{tool}`")),
        };
        match outcome {
            Ok(result) => LocalOutcome::Done(result),
            Err(error) => {
                if let RegistryError::Store(cause) = &error {
                    tracing::error!(error = %cause, "the registry cannot be read for an agent");
                }
                LocalOutcome::Complaint(format!("{error}\n{}", hint(&error)))
            }
        }
    }
}

/// What an agent does next, in its words.
fn hint(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::NotFound { .. } => {
            "Search for it by what it does; the name must be exactly as listed."
        }
        RegistryError::Unauthenticated => {
            "This registry is for members: the person connects with a Portreeve key."
        }
        RegistryError::BadCursor => "Start the search again without a cursor.",
        RegistryError::Store(_) | RegistryError::Warming { .. } => "Try again in a moment.",
        _ => "Mend the arguments and call the tool again.",
    }
}

/// A server in a list: what tells it from others, and what is needed to use it.
fn found(served: &Served, setup: Option<&Setup>) -> Value {
    let mut result = summary(served);
    let installation = setup.map(to_install).unwrap_or_default();
    let is_short = serde_json::to_vec(&installation).is_ok_and(|bytes| bytes.len() <= INSTALL_BYTES);
    if is_short {
        result.extend(installation);
    }
    Value::Object(result)
}

fn summary(served: &Served) -> Map<String, Value> {
    let mut result = Map::new();
    for field in ["name", "title", "description", "version"] {
        if let Some(text) = served.server.text(field) {
            result.insert(field.to_owned(), text.into());
        }
    }
    result.insert("status".to_owned(), served.meta.official.status.into());
    if let Some(message) = &served.meta.official.status_message {
        result.insert("statusMessage".to_owned(), message.clone().into());
    }
    result
}

/// Where the server is, or how it is started, with the names of what the person is asked for.
fn to_install(setup: &Setup) -> Map<String, Value> {
    let mut result = Map::new();
    let (config, inputs) = install::config(setup);
    if let Some(url) = config.get("url") {
        result.insert("url".to_owned(), url.clone());
    }
    result.insert("install".to_owned(), json!({"config": config, "inputs": inputs}));
    result
}

fn snippet(snippet: &Snippet) -> Value {
    let mut shown = json!({
        "host": snippet.host,
        "title": snippet.title,
        "kind": snippet.kind.as_str(),
        "text": snippet.text,
    });
    if let SnippetKind::File { path } = snippet.kind {
        shown["path"] = json!(path);
    }
    shown
}
