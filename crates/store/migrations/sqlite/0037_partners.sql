-- Partners: the catalogue that was pulled last, what was registered from it, how servers were found, what was withdrawn.
ALTER TABLE catalogue_generation ADD COLUMN partners BIGINT NOT NULL DEFAULT 0;

CREATE TABLE partner_catalogue (
    id        BIGINT PRIMARY KEY,
    version   BIGINT NOT NULL,
    hash      TEXT NOT NULL,
    body      TEXT NOT NULL,
    etag      TEXT,
    pulled_at BIGINT NOT NULL
);

CREATE TABLE partner_pulls (
    id      BIGINT PRIMARY KEY,
    outcome TEXT NOT NULL -- JSON
);

CREATE TABLE partner_servers (
    server            TEXT PRIMARY KEY,
    partner           TEXT NOT NULL,
    name              TEXT NOT NULL,
    version           TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL,
    content_hash      TEXT NOT NULL,
    document_hash     TEXT NOT NULL,
    signed_by         TEXT,
    variables         TEXT NOT NULL, -- JSON
    registered_by     TEXT NOT NULL,
    registered_at     BIGINT NOT NULL
);

CREATE TABLE partner_health (
    partner      TEXT NOT NULL,
    name         TEXT NOT NULL,
    state        TEXT NOT NULL,
    since        BIGINT NOT NULL,
    checked_at   BIGINT NOT NULL,
    detail       TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    tools_hash   TEXT,
    evidence     TEXT NOT NULL, -- JSON
    PRIMARY KEY (partner, name)
);

CREATE TABLE partner_withdrawals (
    partner TEXT NOT NULL,
    name    TEXT NOT NULL, -- empty: all of the partner's
    side    TEXT NOT NULL,
    what    TEXT NOT NULL,
    reason  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (partner, name, side)
);
