-- Requests for access to a server. A grant may end, and names the request that it came of.
CREATE TABLE access_requests (
    id            TEXT COLLATE "C" PRIMARY KEY,
    server        TEXT COLLATE "C" NOT NULL,
    principal     TEXT COLLATE "C" NOT NULL,
    caller        TEXT COLLATE "C" NOT NULL,
    member_of     TEXT COLLATE "C" NOT NULL,
    tools         TEXT COLLATE "C" NOT NULL,
    reason        TEXT COLLATE "C" NOT NULL,
    wished_ms     BIGINT,
    asked_at      BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    decided_by    TEXT COLLATE "C",
    decided_at    BIGINT,
    note          TEXT COLLATE "C",
    grant_id      TEXT COLLATE "C",
    granted_until BIGINT
);

CREATE INDEX access_requests_open ON access_requests (id) WHERE state = 'open';
CREATE INDEX access_requests_principal ON access_requests (principal, id);
CREATE INDEX access_requests_expiry ON access_requests (expires_at);

ALTER TABLE access_grants ADD COLUMN expires_at BIGINT;
ALTER TABLE access_grants ADD COLUMN request TEXT COLLATE "C";
