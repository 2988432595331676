-- Tells this installation from every other one: a sealed secret opens nowhere else.
CREATE TABLE installation (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    identity TEXT COLLATE "C" NOT NULL
);
INSERT INTO installation (id, identity) VALUES (1, replace(gen_random_uuid()::text, '-', ''));

-- Values are sealed before they come here. Nothing in the database opens them.
CREATE TABLE secrets (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The last assessment of each version. It goes with its version.
CREATE TABLE assessments (
    server TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    assessed_at BIGINT NOT NULL,
    tools BIGINT NOT NULL,
    findings TEXT COLLATE "C" NOT NULL, -- JSON
    PRIMARY KEY (server, version),
    FOREIGN KEY (server, version) REFERENCES versions (server, version) ON DELETE CASCADE
);
CREATE INDEX assessments_by_age ON assessments (assessed_at);
