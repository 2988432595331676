-- Requests for access to a server. A grant may end, and names the request that it came of.
CREATE TABLE access_requests (
    id            TEXT PRIMARY KEY,
    server        TEXT NOT NULL,
    principal     TEXT NOT NULL,
    caller        TEXT NOT NULL,
    member_of     TEXT NOT NULL,
    tools         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    wished_ms     INTEGER,
    asked_at      INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    state         TEXT NOT NULL,
    decided_by    TEXT,
    decided_at    INTEGER,
    note          TEXT,
    grant_id      TEXT,
    granted_until INTEGER
);

CREATE INDEX access_requests_open ON access_requests (id) WHERE state = 'open';
CREATE INDEX access_requests_principal ON access_requests (principal, id);
CREATE INDEX access_requests_expiry ON access_requests (expires_at);

ALTER TABLE access_grants ADD COLUMN expires_at INTEGER;
ALTER TABLE access_grants ADD COLUMN request TEXT;
