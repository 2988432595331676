-- Moments are milliseconds since 1970; texts that end in a JSON note hold JSON. Texts are compared byte by byte.

CREATE TABLE catalogue_generation (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL
);
INSERT INTO catalogue_generation (id, generation) VALUES (1, 0);

CREATE TABLE servers (
    name TEXT NOT NULL PRIMARY KEY,
    registered_by TEXT NOT NULL,
    private_hosts TEXT NOT NULL, -- JSON
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX servers_by_folded_name ON servers (lower(name));

CREATE TABLE versions (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    version TEXT NOT NULL,
    document TEXT NOT NULL, -- JSON
    content_hash TEXT NOT NULL,
    folded_title TEXT NOT NULL,
    folded_description TEXT NOT NULL,
    approval TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    status_message TEXT,
    submitted_by TEXT NOT NULL,
    decided_by TEXT,
    is_latest BOOLEAN NOT NULL,
    published_at BIGINT NOT NULL,
    status_changed_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (server, version)
);
CREATE UNIQUE INDEX versions_latest ON versions (server) WHERE is_latest;
CREATE INDEX versions_by_change ON versions (updated_at);

-- A slug is claimed forever: claims outlive the entry, so they refer to nothing.
CREATE TABLE slugs (
    slug TEXT NOT NULL PRIMARY KEY,
    server TEXT NOT NULL,
    environment TEXT NOT NULL,
    claimed_at BIGINT NOT NULL
);
CREATE INDEX slugs_by_owner ON slugs (lower(server), environment);

CREATE TABLE routes (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE REFERENCES slugs (slug),
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    version TEXT NOT NULL,
    upstream_url TEXT NOT NULL,
    upstream_eras TEXT NOT NULL, -- JSON
    private_hosts TEXT NOT NULL, -- JSON
    access TEXT NOT NULL,
    state TEXT NOT NULL,
    pin_state TEXT NOT NULL,
    policies TEXT NOT NULL, -- JSON
    upstream_timeout_ms BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX routes_by_server ON routes (server, environment);

CREATE TABLE tools (
    route TEXT NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    era TEXT NOT NULL,
    approved_hash TEXT,
    approved_definition TEXT, -- JSON
    approved_annotations TEXT, -- JSON
    live_hash TEXT,
    live_definition TEXT, -- JSON
    live_annotations TEXT, -- JSON
    hidden BOOLEAN NOT NULL,
    approved_by TEXT,
    approved_at BIGINT,
    seen_at BIGINT,
    PRIMARY KEY (route, name, era)
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    owner TEXT REFERENCES users (id),
    expires_at BIGINT,
    revoked_at BIGINT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_keys_by_name ON api_keys (name);

CREATE TABLE access_grants (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL, -- JSON
    rights TEXT NOT NULL,
    servers TEXT NOT NULL, -- JSON
    tools TEXT NOT NULL, -- JSON
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sign_in_links (
    hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

-- A method that is not a tool call has the tool ''.
CREATE TABLE usage_minutes (
    node TEXT NOT NULL,
    minute BIGINT NOT NULL,
    server TEXT NOT NULL,
    method TEXT NOT NULL,
    tool TEXT NOT NULL,
    caller TEXT NOT NULL,
    outcome TEXT NOT NULL,
    calls BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    PRIMARY KEY (minute, server, method, tool, caller, outcome, node)
);

CREATE TABLE usage_latency (
    node TEXT NOT NULL,
    minute BIGINT NOT NULL,
    server TEXT NOT NULL,
    method TEXT NOT NULL,
    tool TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (minute, server, method, tool, bucket, node)
);

-- `body` is exactly what was hashed; the columns after it repeat what questions ask for.
CREATE TABLE audit (
    node TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL, -- JSON
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    server TEXT,
    PRIMARY KEY (node, sequence)
);
CREATE INDEX audit_by_time ON audit (at, node, sequence);
CREATE INDEX audit_by_actor ON audit (actor, at, node, sequence);
CREATE INDEX audit_by_server ON audit (server, at, node, sequence);

-- Events of changes, written in the transaction of the change, on their way into the journal of their node.
CREATE TABLE audit_outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    node TEXT NOT NULL,
    body TEXT NOT NULL -- JSON
);
CREATE INDEX audit_outbox_by_node ON audit_outbox (node, position);

CREATE TABLE audit_checkpoints (
    node TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL,
    public_key TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (node, sequence, at)
);
