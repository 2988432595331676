-- Environments and deployments, custom properties, what people say about a server, and several registries.

CREATE TABLE environments (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    onboarding TEXT NOT NULL,
    position BIGINT NOT NULL,
    metadata TEXT NOT NULL, -- JSON
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO environments (name, title, kind, description, onboarding, position, metadata, revision, created_at, updated_at)
VALUES
    ('production', 'Production', 'production', 'What people rely on.', '', 10, '{}', 1, 0, 0),
    ('test', 'Test', 'testing', 'What is tried before it goes to production.', '', 20, '{}', 1, 0, 0),
    ('development', 'Development', 'development', 'What is being built.', '', 30, '{}', 1, 0, 0);

-- A route is the way to (server, environment, major version); '' stands for no major version.
ALTER TABLE routes ADD COLUMN major TEXT NOT NULL DEFAULT '';
ALTER TABLE slugs ADD COLUMN major TEXT NOT NULL DEFAULT '';

-- Registries select by what routes and latest versions are.
CREATE INDEX routes_by_environment ON routes (environment, state, server);
CREATE INDEX versions_latest_by_lifecycle ON versions (lifecycle, server) WHERE is_latest;

-- What is in force, and what waits for an approval.
CREATE TABLE deployments (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    proposed BOOLEAN NOT NULL,
    environment TEXT NOT NULL REFERENCES environments (name),
    major TEXT NOT NULL,
    version TEXT,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    metadata TEXT NOT NULL, -- JSON
    PRIMARY KEY (server, proposed, environment, major)
);
CREATE INDEX deployments_by_environment ON deployments (environment);

ALTER TABLE servers ADD COLUMN details TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE servers ADD COLUMN proposed_by TEXT;

CREATE TABLE server_tags (
    tag TEXT NOT NULL,
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    PRIMARY KEY (server, tag)
);
CREATE INDEX server_tags_by_tag ON server_tags (tag, server);

CREATE TABLE metadata_schemas (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    json_schema TEXT NOT NULL, -- JSON
    assignments TEXT NOT NULL, -- JSON
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE registries (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    visibility TEXT NOT NULL, -- JSON
    selection TEXT NOT NULL, -- JSON
    auto_approve TEXT NOT NULL, -- JSON
    approver_differs BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO registries (name, title, description, visibility, selection, auto_approve, approver_differs, revision,
    created_at, updated_at)
VALUES ('default', 'Default', 'Everything that is approved.', '"anonymous"', '{}', '[]', FALSE, 1, 0, 0);
