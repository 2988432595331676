//! The methods that the gateway knows, and what it must know about each.

use portreeve_core::protocol::Era;

/// A request method that a host may send to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `initialize` (legacy)
    Initialize,
    /// `ping` (legacy)
    Ping,
    /// `server/discover` (modern)
    Discover,
    /// `tools/list`
    ListTools,
    /// `tools/call`
    CallTool,
    /// `resources/list`
    ListResources,
    /// `resources/templates/list`
    ListTemplates,
    /// `resources/read`
    ReadResource,
    /// `resources/subscribe` (legacy)
    Subscribe,
    /// `resources/unsubscribe` (legacy)
    Unsubscribe,
    /// `prompts/list`
    ListPrompts,
    /// `prompts/get`
    GetPrompt,
    /// `completion/complete`
    Complete,
    /// `logging/setLevel` (legacy)
    SetLevel,
    /// `subscriptions/listen` (modern)
    Listen,
    /// `tasks/get` (modern, extension)
    GetTask,
    /// `tasks/update` (modern, extension)
    UpdateTask,
    /// `tasks/cancel` (modern, extension)
    CancelTask,
}

/// Which mirrored field of `params` names the thing that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// `params.name`
    Name,
    /// `params.uri`
    Uri,
    /// `params.taskId`
    Task,
}

impl Method {
    const ALL: [Self; 18] = [
        Self::Initialize,
        Self::Ping,
        Self::Discover,
        Self::ListTools,
        Self::CallTool,
        Self::ListResources,
        Self::ListTemplates,
        Self::ReadResource,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::ListPrompts,
        Self::GetPrompt,
        Self::Complete,
        Self::SetLevel,
        Self::Listen,
        Self::GetTask,
        Self::UpdateTask,
        Self::CancelTask,
    ];

    /// Whether its answer may ask something first (2026-07-28, multi round-trip requests).
    pub const fn has_rounds(self) -> bool {
        matches!(self, Self::CallTool | Self::GetPrompt | Self::ReadResource)
    }

    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Ping => "ping",
            Self::Discover => "server/discover",
            Self::ListTools => "tools/list",
            Self::CallTool => "tools/call",
            Self::ListResources => "resources/list",
            Self::ListTemplates => "resources/templates/list",
            Self::ReadResource => "resources/read",
            Self::Subscribe => "resources/subscribe",
            Self::Unsubscribe => "resources/unsubscribe",
            Self::ListPrompts => "prompts/list",
            Self::GetPrompt => "prompts/get",
            Self::Complete => "completion/complete",
            Self::SetLevel => "logging/setLevel",
            Self::Listen => "subscriptions/listen",
            Self::GetTask => "tasks/get",
            Self::UpdateTask => "tasks/update",
            Self::CancelTask => "tasks/cancel",
        }
    }

    /// The method of that name, if it is served in that era. Names are case-sensitive.
    pub fn find(name: &str, era: Era) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str() == name && method.is_served_in(era))
    }

    fn is_served_in(self, era: Era) -> bool {
        match self {
            Self::Initialize | Self::Ping | Self::Subscribe | Self::Unsubscribe | Self::SetLevel => {
                era == Era::Legacy
            }
            Self::Discover | Self::Listen => era == Era::Modern,
            task if task.is_about_a_task() => era == Era::Modern,
            _ => true,
        }
    }

    /// Whether it asks for a task that a call has made.
    pub const fn is_about_a_task(self) -> bool {
        matches!(self, Self::GetTask | Self::UpdateTask | Self::CancelTask)
    }

    /// The field that `Mcp-Name` mirrors, for methods that have one (protocol 2026-07-28, L8).
    pub const fn named(self) -> Option<Named> {
        match self {
            Self::CallTool | Self::GetPrompt => Some(Named::Name),
            Self::ReadResource => Some(Named::Uri),
            Self::GetTask | Self::UpdateTask | Self::CancelTask => Some(Named::Task),
            _ => None,
        }
    }
}
