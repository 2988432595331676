-- Users as providers and administrators know them. `provider_groups` follow from the last sign-in.
ALTER TABLE users ADD COLUMN display_name TEXT;
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT 'local';
ALTER TABLE users ADD COLUMN issuer TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN subject TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN member_of TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE users ADD COLUMN provider_groups TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE users ADD COLUMN disabled_at BIGINT;
ALTER TABLE users ADD COLUMN signed_in_at BIGINT;

ALTER TABLE sign_in_links ADD COLUMN purpose TEXT COLLATE "C" NOT NULL DEFAULT 'sign-in';

-- Sessions of before know neither how they began nor when they were used: their holders sign in once more.
DROP TABLE sessions;
CREATE TABLE sessions (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    method TEXT COLLATE "C" NOT NULL,
    authenticated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    issuer TEXT COLLATE "C",
    provider_session TEXT COLLATE "C",
    agent TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_provider ON sessions (issuer, provider_session);

-- Which authorizations of clients were made in which session. They outlive it: a provider may end them later on.
CREATE TABLE session_authorizations (
    authorization_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    issuer TEXT COLLATE "C",
    provider_session TEXT COLLATE "C",
    created_at BIGINT NOT NULL
);
CREATE INDEX session_authorizations_by_session ON session_authorizations (session_id);
CREATE INDEX session_authorizations_by_user ON session_authorizations (user_id);
