-- Calls that a person must allow first.
CREATE TABLE call_approvals (
    id          TEXT PRIMARY KEY,
    digest      TEXT NOT NULL,
    route       TEXT NOT NULL,
    slug        TEXT NOT NULL,
    server      TEXT NOT NULL,
    tool        TEXT NOT NULL,
    arguments   TEXT NOT NULL,
    principal   TEXT NOT NULL,
    caller      TEXT NOT NULL,
    approvers   TEXT NOT NULL,
    by_caller   BOOLEAN NOT NULL,
    asked_at    INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    state       TEXT NOT NULL,
    decided_by  TEXT,
    decided_at  INTEGER,
    reason      TEXT
);

CREATE INDEX call_approvals_digest ON call_approvals (digest, expires_at);
CREATE INDEX call_approvals_expiry ON call_approvals (expires_at);
CREATE INDEX call_approvals_principal ON call_approvals (principal, state, expires_at);
