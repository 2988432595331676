-- Partners: the catalogue that was pulled last, what was registered from it, how servers were found, what was withdrawn.
ALTER TABLE catalogue_generation ADD COLUMN partners BIGINT NOT NULL DEFAULT 0;

CREATE TABLE partner_catalogue (
    id        BIGINT PRIMARY KEY,
    version   BIGINT NOT NULL,
    hash      TEXT COLLATE "C" NOT NULL,
    body      TEXT NOT NULL,
    etag      TEXT,
    pulled_at BIGINT NOT NULL
);

CREATE TABLE partner_pulls (
    id      BIGINT PRIMARY KEY,
    outcome TEXT NOT NULL -- JSON
);

CREATE TABLE partner_servers (
    server            TEXT COLLATE "C" PRIMARY KEY,
    partner           TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    version           TEXT COLLATE "C" NOT NULL,
    catalogue_version BIGINT NOT NULL,
    content_hash      TEXT COLLATE "C" NOT NULL,
    document_hash     TEXT COLLATE "C" NOT NULL,
    signed_by         TEXT COLLATE "C",
    variables         TEXT NOT NULL, -- JSON
    registered_by     TEXT COLLATE "C" NOT NULL,
    registered_at     BIGINT NOT NULL
);

CREATE TABLE partner_health (
    partner      TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    since        BIGINT NOT NULL,
    checked_at   BIGINT NOT NULL,
    detail       TEXT NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    tools_hash   TEXT COLLATE "C",
    evidence     TEXT NOT NULL, -- JSON
    PRIMARY KEY (partner, name)
);

CREATE TABLE partner_withdrawals (
    partner TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL, -- empty: all of the partner's
    side    TEXT COLLATE "C" NOT NULL,
    what    TEXT COLLATE "C" NOT NULL,
    reason  TEXT NOT NULL,
    actor   TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (partner, name, side)
);
