-- Moments are milliseconds since 1970; texts that end in a JSON note hold JSON. Texts are compared byte by byte.

CREATE TABLE catalogue_generation (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL
);
INSERT INTO catalogue_generation (id, generation) VALUES (1, 0);

CREATE TABLE servers (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    registered_by TEXT COLLATE "C" NOT NULL,
    private_hosts TEXT NOT NULL, -- JSON
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX servers_by_folded_name ON servers (lower(name));

CREATE TABLE versions (
    server TEXT COLLATE "C" NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    version TEXT COLLATE "C" NOT NULL,
    document TEXT NOT NULL, -- JSON
    content_hash TEXT COLLATE "C" NOT NULL,
    folded_title TEXT COLLATE "C" NOT NULL,
    folded_description TEXT COLLATE "C" NOT NULL,
    approval TEXT COLLATE "C" NOT NULL,
    lifecycle TEXT COLLATE "C" NOT NULL,
    status_message TEXT COLLATE "C",
    submitted_by TEXT COLLATE "C" NOT NULL,
    decided_by TEXT COLLATE "C",
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
    slug TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    server TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    claimed_at BIGINT NOT NULL
);
CREATE INDEX slugs_by_owner ON slugs (lower(server), environment);

CREATE TABLE routes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES slugs (slug),
    server TEXT COLLATE "C" NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    environment TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    upstream_url TEXT COLLATE "C" NOT NULL,
    upstream_eras TEXT NOT NULL, -- JSON
    private_hosts TEXT NOT NULL, -- JSON
    access TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    pin_state TEXT COLLATE "C" NOT NULL,
    policies TEXT NOT NULL, -- JSON
    upstream_timeout_ms BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX routes_by_server ON routes (server, environment);

CREATE TABLE tools (
    route TEXT COLLATE "C" NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    era TEXT COLLATE "C" NOT NULL,
    approved_hash TEXT COLLATE "C",
    approved_definition TEXT, -- JSON
    approved_annotations TEXT, -- JSON
    live_hash TEXT COLLATE "C",
    live_definition TEXT, -- JSON
    live_annotations TEXT, -- JSON
    hidden BOOLEAN NOT NULL,
    approved_by TEXT COLLATE "C",
    approved_at BIGINT,
    seen_at BIGINT,
    PRIMARY KEY (route, name, era)
);

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" REFERENCES users (id),
    expires_at BIGINT,
    revoked_at BIGINT,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_keys_by_name ON api_keys (name);

CREATE TABLE access_grants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL, -- JSON
    rights TEXT COLLATE "C" NOT NULL,
    servers TEXT NOT NULL, -- JSON
    tools TEXT NOT NULL, -- JSON
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sign_in_links (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

-- A method that is not a tool call has the tool ''.
CREATE TABLE usage_minutes (
    node TEXT COLLATE "C" NOT NULL,
    minute BIGINT NOT NULL,
    server TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    PRIMARY KEY (minute, server, method, tool, caller, outcome, node)
);

CREATE TABLE usage_latency (
    node TEXT COLLATE "C" NOT NULL,
    minute BIGINT NOT NULL,
    server TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL,
    bucket BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (minute, server, method, tool, bucket, node)
);

-- `body` is exactly what was hashed; the columns after it repeat what questions ask for.
CREATE TABLE audit (
    node TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL, -- JSON
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    server TEXT COLLATE "C",
    PRIMARY KEY (node, sequence)
);
CREATE INDEX audit_by_time ON audit (at, node, sequence);
CREATE INDEX audit_by_actor ON audit (actor, at, node, sequence);
CREATE INDEX audit_by_server ON audit (server, at, node, sequence);

-- Events of changes, written in the transaction of the change, on their way into the journal of their node.
CREATE TABLE audit_outbox (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id TEXT COLLATE "C" NOT NULL UNIQUE,
    node TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL -- JSON
);
CREATE INDEX audit_outbox_by_node ON audit_outbox (node, position);

CREATE TABLE audit_checkpoints (
    node TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    public_key TEXT COLLATE "C" NOT NULL,
    signature TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (node, sequence, at)
);
