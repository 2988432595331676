-- Every change of an entry counts here, whether decisions depend on it or not: what is kept in memory follows it.
ALTER TABLE catalogue_generation ADD COLUMN entries BIGINT NOT NULL DEFAULT 0;

-- When an entry changed last, as a count of `entries`. A removed entry keeps its row.
CREATE TABLE server_changes (
    server TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL
);
CREATE INDEX server_changes_in_order ON server_changes (generation, server);
INSERT INTO server_changes (server, generation) SELECT name, 0 FROM servers;

-- One run of an import.
CREATE TABLE imports (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    approval TEXT COLLATE "C" NOT NULL, -- JSON
    state TEXT COLLATE "C" NOT NULL,
    failure TEXT COLLATE "C",
    started_by TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    counts TEXT COLLATE "C" NOT NULL, -- JSON
    position TEXT COLLATE "C"
);
CREATE INDEX imports_by_time ON imports (started_at, id);
CREATE INDEX imports_by_origin ON imports (kind, origin, started_at);

-- What became of each record of a run. What nothing is to be said about is counted, not kept.
CREATE TABLE import_records (
    import TEXT COLLATE "C" NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    server TEXT COLLATE "C",
    version TEXT COLLATE "C",
    outcome TEXT COLLATE "C" NOT NULL,
    findings TEXT COLLATE "C" NOT NULL, -- JSON
    PRIMARY KEY (import, position)
);

-- Where a version came from, what was noticed about it, and how it came where that is not what is stored.
CREATE TABLE provenance (
    server TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    import TEXT COLLATE "C" NOT NULL,
    imported_at BIGINT NOT NULL,
    source_hash TEXT COLLATE "C" NOT NULL,
    source_status TEXT COLLATE "C" NOT NULL,
    findings TEXT COLLATE "C" NOT NULL, -- JSON
    raw TEXT COLLATE "C",
    PRIMARY KEY (server, version),
    FOREIGN KEY (server, version) REFERENCES versions (server, version) ON DELETE CASCADE
);

-- Sources that are read again and again.
CREATE TABLE import_schedules (
    origin TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    every_seconds BIGINT NOT NULL,
    private_hosts TEXT COLLATE "C" NOT NULL, -- JSON
    approval TEXT COLLATE "C" NOT NULL, -- JSON
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_import TEXT COLLATE "C",
    next_at BIGINT NOT NULL,
    synced_until BIGINT
);
