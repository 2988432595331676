-- Calls that a person must allow first.
CREATE TABLE call_approvals (
    id          TEXT COLLATE "C" PRIMARY KEY,
    digest      TEXT COLLATE "C" NOT NULL,
    route       TEXT COLLATE "C" NOT NULL,
    slug        TEXT COLLATE "C" NOT NULL,
    server      TEXT COLLATE "C" NOT NULL,
    tool        TEXT COLLATE "C" NOT NULL,
    arguments   TEXT COLLATE "C" NOT NULL,
    principal   TEXT COLLATE "C" NOT NULL,
    caller      TEXT COLLATE "C" NOT NULL,
    approvers   TEXT COLLATE "C" NOT NULL,
    by_caller   BOOLEAN NOT NULL,
    asked_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    decided_by  TEXT COLLATE "C",
    decided_at  BIGINT,
    reason      TEXT COLLATE "C"
);

CREATE INDEX call_approvals_digest ON call_approvals (digest, expires_at);
CREATE INDEX call_approvals_expiry ON call_approvals (expires_at);
CREATE INDEX call_approvals_principal ON call_approvals (principal, state, expires_at);
