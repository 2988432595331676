-- Every change of an entry counts here, whether decisions depend on it or not: what is kept in memory follows it.
ALTER TABLE catalogue_generation ADD COLUMN entries BIGINT NOT NULL DEFAULT 0;

-- When an entry changed last, as a count of `entries`. A removed entry keeps its row.
CREATE TABLE server_changes (
    server TEXT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL
);
CREATE INDEX server_changes_in_order ON server_changes (generation, server);
INSERT INTO server_changes (server, generation) SELECT name, 0 FROM servers;

-- One run of an import.
CREATE TABLE imports (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    mode TEXT NOT NULL,
    approval TEXT NOT NULL, -- JSON
    state TEXT NOT NULL,
    failure TEXT,
    started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    counts TEXT NOT NULL, -- JSON
    position TEXT
);
CREATE INDEX imports_by_time ON imports (started_at, id);
CREATE INDEX imports_by_origin ON imports (kind, origin, started_at);

-- What became of each record of a run. What nothing is to be said about is counted, not kept.
CREATE TABLE import_records (
    import TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    place TEXT NOT NULL,
    server TEXT,
    version TEXT,
    outcome TEXT NOT NULL,
    findings TEXT NOT NULL, -- JSON
    PRIMARY KEY (import, position)
);

-- Where a version came from, what was noticed about it, and how it came where that is not what is stored.
CREATE TABLE provenance (
    server TEXT NOT NULL,
    version TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    place TEXT NOT NULL,
    import TEXT NOT NULL,
    imported_at BIGINT NOT NULL,
    source_hash TEXT NOT NULL,
    source_status TEXT NOT NULL,
    findings TEXT NOT NULL, -- JSON
    raw TEXT,
    PRIMARY KEY (server, version),
    FOREIGN KEY (server, version) REFERENCES versions (server, version) ON DELETE CASCADE
);

-- Sources that are read again and again.
CREATE TABLE import_schedules (
    origin TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    every_seconds BIGINT NOT NULL,
    private_hosts TEXT NOT NULL, -- JSON
    approval TEXT NOT NULL, -- JSON
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_import TEXT,
    next_at BIGINT NOT NULL,
    synced_until BIGINT
);
