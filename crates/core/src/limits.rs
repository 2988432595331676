//! Every limit on what comes from outside, in one place.

mod rest;

use std::time::Duration;

pub use rest::RestLimits;

/// Limits in bytes, items and time. One value per installation; the defaults are what is tested.
///
/// There is no limit on compression, since nothing is decompressed: a compressed answer of a server is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request head.
    pub head_bytes: usize,
    /// Fields of a request head.
    pub head_fields: usize,
    /// Time for a request head to arrive, from its first byte; also for a new connection to begin.
    pub head_read: Duration,
    /// Bytes of the body of a request to an MCP endpoint.
    pub mcp_body_bytes: usize,
    /// Messages of one batch (2025-03-26).
    pub batch_messages: usize,
    /// Bytes of the body of any other request.
    pub api_body_bytes: usize,
    /// Longest time for a request body to arrive. Small ones get less: ten seconds and one for each KiB.
    pub body_read: Duration,
    /// Time without a request after which a host's connection is closed.
    pub idle_connection: Duration,
    /// Time in which a host must take something of what waits for it.
    pub host_write: Duration,
    /// Streams of one HTTP/2 connection that are open at once.
    pub http2_streams: u32,
    /// Time for a call that somebody makes from a page.
    pub console_wait: Duration,
    /// Calls from pages of everybody that are under way on a node at once.
    pub console_runs: usize,
    /// Calls from pages of one caller that are under way on a node at once.
    pub console_runs_each: usize,
    /// Bytes of a result or an event that must be held whole (JSON answers, lists).
    pub held_result_bytes: usize,
    /// Filtered tool lists that a node keeps ready, in bytes.
    pub ready_list_bytes: usize,
    /// Copies of lists, resources and descriptions of servers that a node keeps, in bytes; one takes an eighth at most.
    pub copied_bytes: usize,
    /// The longest time for which such a copy is good, whatever its server says.
    pub copy_life: Duration,
    /// How much longer a list is served whose server cannot be reached.
    pub stale_copy: Duration,
    /// Bytes of an answer that streams, all its events together.
    pub streamed_result_bytes: usize,
    /// Pages of a tool list when the gateway discovers tools.
    pub tool_list_pages: usize,
    /// Bytes of a tool list when the gateway discovers tools, all pages together; and of all lists that were seen and
    /// wait to be compared with the pins.
    pub tool_list_bytes: usize,
    /// Tools of one server.
    pub tools_per_server: usize,
    /// Bytes of one tool definition.
    pub tool_definition_bytes: usize,
    /// Bytes of a description of a REST API, all its files together.
    pub openapi_bytes: usize,
    /// Values in a description of a REST API, what aliases unfold to included.
    pub openapi_nodes: usize,
    /// Drafts of REST APIs that are kept at once: descriptions that somebody looks at before they become versions.
    pub rest_drafts: usize,
    /// Files that one description of a REST API may be spread over.
    pub openapi_files: usize,
    /// Schemas that one tool is made of. What is beyond is left out, with a note.
    pub openapi_tool_schemas: usize,
    /// Fields that one tool of a GraphQL API asks for.
    pub graphql_fields: usize,
    /// What one query may cost a GraphQL API: fields, each as often as it is thought to come, with ten elements to a list.
    pub graphql_cost: u64,
    /// Bytes of the stored bindings of one REST server, all tools together.
    pub rest_bindings_bytes: usize,
    /// Bytes of a page of a tool list that the gateway answers itself, in front of a REST API.
    pub tool_page_bytes: usize,
    /// Compiled schemas of arguments of REST tools that a node keeps, in bytes, about.
    pub rest_schema_bytes: usize,
    /// What concerns calls of REST APIs.
    pub rest: RestLimits,
    /// Bytes of a server.json document.
    pub document_bytes: usize,
    /// Problems of one document that are told, of each kind.
    pub document_problems: usize,
    /// Remotes in a document that is published over the registry API.
    pub document_remotes: usize,
    /// Versions of one server.
    pub versions_per_server: usize,
    /// Names of servers that are read at once, to compare others with.
    pub names_at_once: u32,
    /// Versions of one server that are listed at once, the newest.
    pub versions_listed: u32,
    /// Versions of one publisher that wait for an approver. Managers have no such limit.
    pub waiting_per_publisher: u32,
    /// What one publisher may write over the registry API at once: publish, edit, change a status.
    pub writes_per_publisher: u32,
    /// The time in which a publisher who used that up may write once more.
    pub write_interval: Duration,
    /// Proofs of namespaces by which one publisher may sign in at once.
    pub sign_ins_per_publisher: u32,
    /// The time in which a publisher who used that up may sign in once more.
    pub sign_in_interval: Duration,
    /// Proofs of namespaces of one kind that one node looks into at once.
    pub proofs_at_once: usize,
    /// Time to look into a proof: the DNS, a well-known file, an issuer, GitHub.
    pub proof: Duration,
    /// Bytes of an answer that is read for a proof.
    pub proof_bytes: usize,
    /// Environments of an installation.
    pub environments: usize,
    /// Registries of an installation, the default one included.
    pub registries: usize,
    /// Custom properties of an installation.
    pub properties: usize,
    /// Bytes of the JSON Schema of a custom property.
    pub property_schema_bytes: usize,
    /// Bytes of all values of custom properties of one server, environment or deployment.
    pub metadata_bytes: usize,
    /// Items of each list of a profile: owners, contacts, use cases, tags and the like.
    pub profile_items: usize,
    /// Characters of a name, a label or a tag in a profile.
    pub profile_name_chars: usize,
    /// Characters of the one sentence of a profile.
    pub profile_summary_chars: usize,
    /// Characters of a few sentences in a profile.
    pub profile_text_chars: usize,
    /// Bytes of the README in a profile.
    pub profile_readme_bytes: usize,
    /// Bytes of an address that people give: of a page, a picture, a server.
    pub url_bytes: usize,
    /// Deployments of one server, proposed ones not counted.
    pub deployments_per_server: usize,
    /// Versions that are approved with one request.
    pub approvals_at_once: usize,
    /// Records of one upload of an import, those within lists included.
    pub import_batch_records: usize,
    /// Bytes of one upload of an import.
    pub import_batch_bytes: usize,
    /// Bytes of all files of an import that are uploaded in the portal.
    pub import_file_bytes: usize,
    /// Records of one file of an import that is uploaded in the portal.
    pub import_file_records: usize,
    /// Records of one page of a registry that is imported.
    pub import_page_records: usize,
    /// Bytes of one page of a registry that is imported.
    pub import_page_bytes: usize,
    /// Time for one page of a registry that is imported.
    pub import_page: Duration,
    /// Pages of one run over a registry that is imported.
    pub import_pages: usize,
    /// Time before a page that failed is asked for again; doubled each time.
    pub import_retry: Duration,
    /// Bytes of an icon.
    pub icon_bytes: usize,
    /// Pixels of an icon, in width and in height.
    pub icon_pixels: usize,
    /// Time to fetch an icon, redirects included.
    pub icon_fetch: Duration,
    /// Redirects that are followed to an icon.
    pub icon_redirects: usize,
    /// Icons of one server, those of its profile first.
    pub icons_per_server: usize,
    /// Longest time that a search waits: for the index after a start, or for changes that are being read into it.
    pub search_wait: Duration,
    /// Longest time that a list waits for changes that are being read into memory, before the store is asked instead.
    pub list_wait: Duration,
    /// Bytes of the lists that a node keeps in memory, packed. Lists of more are read from the store.
    pub shelf_bytes: usize,
    /// Bytes of one secret in the vault.
    pub secret_bytes: usize,
    /// Secrets in the vault.
    pub secrets: usize,
    /// Webhooks of an installation.
    pub webhooks: usize,
    /// Patterns of one webhook: kinds of events, and servers, each.
    pub webhook_patterns: usize,
    /// Time for one attempt to deliver an event, connecting included.
    pub webhook_attempt: Duration,
    /// Webhooks that one node delivers to at once.
    pub webhooks_at_once: usize,
    /// Open streams of one node.
    pub streams_per_node: usize,
    /// Open streams of one caller.
    pub streams_per_caller: usize,
    /// Time that a stream lives.
    pub stream_lifetime: Duration,
    /// Legacy sessions that one node has in memory.
    pub sessions_per_node: usize,
    /// Legacy sessions of one caller.
    pub sessions_per_caller: usize,
    /// Sessions of one node with legacy servers, for hosts of the modern era.
    pub pooled_sessions: usize,
    /// Time that such a session is kept without a request.
    pub pooled_idle: Duration,
    /// Bytes of what a host declares of its capabilities, where its server is of the other era.
    pub declared_bytes: usize,
    /// Bytes of what a server answers to `initialize`, where it is kept for hosts of the other era.
    pub handshake_bytes: usize,
    /// Calls of one node that wait at legacy servers while their modern hosts are asked something.
    pub parked_calls: usize,
    /// Those of one caller.
    pub parked_per_caller: usize,
    /// Bytes of what such a host is asked.
    pub question_bytes: usize,
    /// How often a server may ask a legacy host something before one call is answered.
    pub call_rounds: usize,
    /// Time that a legacy host has to answer what a server asks in the middle of a call.
    pub host_answer: Duration,
    /// Time in which a host may bring back the state of a call in several rounds.
    pub request_state: Duration,
    /// Time that a legacy session lives without a request.
    pub session_idle: Duration,
    /// Sessions of one node with servers of HTTP+SSE (2024-11-05), each of which is a stream that is open.
    pub sse_lines: usize,
    /// Time without a message after which such a stream is closed; the next message opens it again.
    pub sse_line_idle: Duration,
    /// Time that a legacy session lives, used or not.
    pub session_lifetime: Duration,
    /// Time without a request after which a node keeps a legacy session in the store alone.
    pub session_rest: Duration,
    /// Bytes of what a host says when it opens a legacy session that are kept, to be said again to a server that forgot
    /// the session. With more, the host itself must begin anew then.
    pub session_hello_bytes: usize,
    /// Resources that one legacy session subscribed to which are kept, to be subscribed to again.
    pub subscriptions_per_session: usize,
    /// Bytes of all of them together, so that what is written for one small request is small, too.
    pub subscription_bytes_per_session: usize,
    /// Bytes of what a host says through one node about something that is under way on another, and that is handed over.
    pub handed_bytes: usize,
    /// Bytes of that which one session may have lying between nodes at once.
    pub handed_bytes_per_session: usize,
    /// Silence on a stream after which a comment is sent.
    pub keep_alive: Duration,
    /// Time for a tool discovery as a whole.
    pub probe: Duration,
    /// Time that one member of a virtual server has to show a list, or to say that it can be listened to.
    pub member_wait: Duration,
    /// Lists of members of virtual servers that a node remembers, for when they are away, in bytes.
    pub member_lists_bytes: usize,
    /// Requests of one legacy session that are under way at once.
    pub requests_per_session: usize,
}

impl Default for Limits {
    #[expect(clippy::too_many_lines, reason = "each limit is a line")]
    fn default() -> Self {
        Self {
            head_bytes: 16 * 1024,
            head_fields: 64,
            head_read: Duration::from_secs(10),
            mcp_body_bytes: 4 * 1024 * 1024,
            batch_messages: 50,
            api_body_bytes: 1024 * 1024,
            body_read: Duration::from_secs(60),
            idle_connection: Duration::from_secs(60),
            host_write: Duration::from_secs(30),
            http2_streams: 100,
            console_wait: Duration::from_secs(60),
            console_runs: 64,
            console_runs_each: 4,
            held_result_bytes: 8 * 1024 * 1024,
            ready_list_bytes: 32 * 1024 * 1024,
            copied_bytes: 64 * 1024 * 1024,
            copy_life: Duration::from_secs(60 * 60),
            stale_copy: Duration::from_secs(5 * 60),
            streamed_result_bytes: 64 * 1024 * 1024,
            tool_list_pages: 100,
            tool_list_bytes: 16 * 1024 * 1024,
            tools_per_server: 5_000,
            tool_definition_bytes: 256 * 1024,
            openapi_bytes: 8 * 1024 * 1024,
            openapi_nodes: 1_500_000,
            rest_drafts: 50,
            openapi_files: 1_000,
            openapi_tool_schemas: 20_000,
            graphql_fields: 150,
            graphql_cost: 5_000,
            rest_bindings_bytes: 16 * 1024 * 1024,
            tool_page_bytes: 512 * 1024,
            rest_schema_bytes: 64 * 1024 * 1024,
            rest: RestLimits::default(),
            document_bytes: 256 * 1024,
            document_problems: 500,
            document_remotes: 100,
            versions_per_server: 10_000,
            names_at_once: 20_000,
            versions_listed: 1_000,
            waiting_per_publisher: 100,
            writes_per_publisher: 200,
            write_interval: Duration::from_secs(5),
            sign_ins_per_publisher: 60,
            sign_in_interval: Duration::from_secs(10),
            proofs_at_once: 32,
            proof: Duration::from_secs(10),
            proof_bytes: 256 * 1024,
            environments: 20,
            registries: 100,
            properties: 40,
            property_schema_bytes: 16 * 1024,
            metadata_bytes: 64 * 1024,
            profile_items: 50,
            profile_name_chars: 100,
            profile_summary_chars: 500,
            profile_text_chars: 4_000,
            profile_readme_bytes: 64 * 1024,
            url_bytes: 2_048,
            deployments_per_server: 40,
            approvals_at_once: 50,
            import_batch_records: 1_000,
            import_batch_bytes: 8 * 1024 * 1024,
            import_file_bytes: 32 * 1024 * 1024,
            import_file_records: 200_000,
            import_page_records: 1_000,
            import_page_bytes: 16 * 1024 * 1024,
            import_page: Duration::from_secs(30),
            import_pages: 100_000,
            import_retry: Duration::from_secs(1),
            icon_bytes: 256 * 1024,
            icon_pixels: 2_048,
            icon_fetch: Duration::from_secs(10),
            icon_redirects: 3,
            icons_per_server: 10,
            search_wait: Duration::from_secs(5),
            list_wait: Duration::from_millis(200),
            shelf_bytes: 64 * 1024 * 1024,
            secret_bytes: 16 * 1024,
            secrets: 1_000,
            webhooks: 50,
            webhook_patterns: 100,
            webhook_attempt: Duration::from_secs(15),
            webhooks_at_once: 8,
            streams_per_node: 20_000,
            streams_per_caller: 64,
            stream_lifetime: Duration::from_secs(60 * 60),
            sessions_per_node: 50_000,
            sessions_per_caller: 1_000,
            session_idle: Duration::from_secs(24 * 60 * 60),
            pooled_sessions: 10_000,
            pooled_idle: Duration::from_secs(15 * 60),
            declared_bytes: 64 * 1024,
            handshake_bytes: 128 * 1024,
            parked_calls: 1_000,
            parked_per_caller: 16,
            question_bytes: 256 * 1024,
            call_rounds: 8,
            request_state: Duration::from_secs(60 * 60),
            host_answer: Duration::from_secs(5 * 60),
            sse_lines: 2_000,
            sse_line_idle: Duration::from_secs(30 * 60),
            session_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            session_rest: Duration::from_secs(10 * 60),
            session_hello_bytes: 32 * 1024,
            subscriptions_per_session: 256,
            subscription_bytes_per_session: 32 * 1024,
            handed_bytes: 64 * 1024,
            handed_bytes_per_session: 1024 * 1024,
            keep_alive: Duration::from_secs(15),
            probe: Duration::from_secs(10),
            member_wait: Duration::from_secs(5),
            member_lists_bytes: 32 * 1024 * 1024,
            requests_per_session: 256,
        }
    }
}

impl Limits {
    /// Deepest nesting of arrays and objects in JSON. As deep as the parser itself goes, so it cannot be chosen.
    pub const JSON_DEPTH: usize = 128;
    /// Members of a virtual server. Each is asked whenever the server's lists are read.
    pub const MEMBERS: usize = 32;
    /// Most values (array elements and object members, roughly) in one JSON document.
    pub const JSON_NODES: usize = 100_000;

    /// Small limits, so that a test reaches them.
    pub fn for_tests() -> Self {
        Self {
            names_at_once: 50,
            mcp_body_bytes: 64 * 1024,
            api_body_bytes: 64 * 1024,
            body_read: Duration::from_secs(2),
            held_result_bytes: 256 * 1024,
            streamed_result_bytes: 1024 * 1024,
            tool_list_bytes: 512 * 1024,
            streams_per_node: 100,
            streams_per_caller: 8,
            sessions_per_node: 100,
            sessions_per_caller: 16,
            keep_alive: Duration::from_millis(200),
            probe: Duration::from_secs(2),
            ..Self::default()
        }
    }
}
