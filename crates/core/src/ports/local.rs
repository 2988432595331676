//! An MCP server that is part of Portreeve: its route leads into this process, through the same corridor as every other.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::name::{RegistryName, ServerName};
use crate::tool::ToolDefinition;

/// What a server of our own says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalServer {
    /// Its name in records. Nobody can register it.
    pub name: ServerName,
    /// Its name for people.
    pub title: &'static str,
    /// Its version.
    pub version: &'static str,
    /// A word to the model.
    pub instructions: &'static str,
    /// Its tools.
    pub tools: Vec<LocalTool>,
}

/// A tool of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTool {
    /// Its definition.
    pub definition: ToolDefinition,
    /// Whether lists show it.
    pub listing: Listing,
}

/// Whether lists show a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// They do.
    Shown,
    /// They do not: it is another name of a tool that they show.
    Alias,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum LocalOutcome {
    /// The structured result, as the tool's `outputSchema` says.
    Done(Map<String, Value>),
    /// What was wrong and what to do about it, for the model.
    Complaint(String),
}

/// Whether somebody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Come in.
    Open,
    /// Only with a credential, whether there is such a server or not.
    NeedsCredential,
    /// For this caller there is no such server.
    NotThere,
}

/// The registries as servers of our own, by their names. There is one for each name: whether there is a registry of that
/// name is for its door to say, so that nobody learns it by asking.
pub trait LocalRegistries: Send + Sync {
    /// The registry of that name.
    fn of(&self, name: &RegistryName) -> Arc<dyn LocalTools>;
}

/// A server of our own. Implemented by `registry`, called by `gateway` after its policies let the call pass.
#[async_trait]
pub trait LocalTools: Send + Sync {
    /// What it is. The same for as long as the process runs.
    fn server(&self) -> LocalServer;

    /// Whether the caller is let in. Asked for every request, before anything of its body is read.
    fn door(&self, caller: &Caller) -> Door {
        let _ = caller;
        Door::Open
    }

    /// Calls a tool. What the caller may see is for the implementation to decide.
    async fn call(&self, caller: &Caller, tool: &str, arguments: Map<String, Value>) -> LocalOutcome;
}
