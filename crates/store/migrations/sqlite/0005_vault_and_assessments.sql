-- Tells this installation from every other one: a sealed secret opens nowhere else.
CREATE TABLE installation (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL
);
INSERT INTO installation (id, identity) VALUES (1, lower(hex(randomblob(16))));

-- Values are sealed before they come here. Nothing in the database opens them.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    revision BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The last assessment of each version. It goes with its version.
CREATE TABLE assessments (
    server TEXT NOT NULL,
    version TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    assessed_at BIGINT NOT NULL,
    tools BIGINT NOT NULL,
    findings TEXT NOT NULL, -- JSON
    PRIMARY KEY (server, version),
    FOREIGN KEY (server, version) REFERENCES versions (server, version) ON DELETE CASCADE
);
CREATE INDEX assessments_by_age ON assessments (assessed_at);
