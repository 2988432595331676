//! Keeps work for the store off the threads that serve calls: the registry, as a server of our own, answers on the other
//! runtime, and the caller's thread only waits.

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_core::caller::Caller;
use portreeve_core::name::RegistryName;
use portreeve_core::ports::{Door, LocalOutcome, LocalRegistries, LocalServer, LocalTools};
use portreeve_registry::McpFace;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// A server of our own, on another runtime.
pub(crate) struct Aside {
    inner: Arc<dyn LocalTools>,
    other: Handle,
}

impl Aside {
    /// Answers on this runtime.
    pub(crate) fn new(inner: Arc<dyn LocalTools>, other: Handle) -> Self {
        Self { inner, other }
    }
}

#[async_trait]
impl LocalTools for Aside {
    fn server(&self) -> LocalServer {
        self.inner.server()
    }

    /// Doors are judged from memory: no work for the other runtime.
    fn door(&self, caller: &Caller) -> Door {
        self.inner.door(caller)
    }

    async fn call(&self, caller: &Caller, tool: &str, arguments: Map<String, Value>) -> LocalOutcome {
        let (inner, caller, tool) = (Arc::clone(&self.inner), caller.clone(), tool.to_owned());
        let work = self
            .other
            .spawn(async move { inner.call(&caller, &tool, arguments).await });
        let _unless_nobody_waits = Unwanted(work.abort_handle());
        work.await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "the registry could not answer an agent");
            LocalOutcome::Complaint("the registry failed; try again in a moment".to_owned())
        })
    }
}

/// The registries as servers of our own, on another runtime.
pub(crate) struct Faces {
    main: McpFace,
    other: Handle,
}

impl Faces {
    /// Those beside this one, answering on this runtime.
    pub(crate) fn new(main: McpFace, other: Handle) -> Self {
        Self { main, other }
    }
}

impl LocalRegistries for Faces {
    fn of(&self, name: &RegistryName) -> Arc<dyn LocalTools> {
        Arc::new(Aside::new(Arc::new(self.main.of(name)), self.other.clone()))
    }
}

/// Stops work that nobody waits for any more.
struct Unwanted(AbortHandle);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
