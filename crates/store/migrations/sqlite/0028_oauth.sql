-- Clients of the authorization server: registered, described by a document of their own, or entered.
CREATE TABLE oauth_clients (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    redirect_uris TEXT NOT NULL, -- JSON list
    grants TEXT NOT NULL, -- JSON list
    auth TEXT NOT NULL,
    secret_hash TEXT,
    jwks TEXT,
    jwks_uri TEXT,
    snapshot TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    fresh_until INTEGER
);
CREATE INDEX oauth_clients_unused ON oauth_clients (kind, created_at);

-- Requests that wait for somebody's decision.
CREATE TABLE oauth_pending (
    hash TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    state TEXT,
    challenge TEXT NOT NULL,
    resource TEXT,
    scopes TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX oauth_pending_expires ON oauth_pending (expires_at);

-- What users allowed clients.
CREATE TABLE oauth_consents (
    consent_key TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    client TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    redirect_host TEXT NOT NULL,
    resource TEXT NOT NULL,
    scopes TEXT NOT NULL,
    given_at INTEGER NOT NULL
);
CREATE INDEX oauth_consents_of ON oauth_consents (user_id, client);

-- What every token of a family rests on.
CREATE TABLE oauth_authorizations (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    principal TEXT NOT NULL,
    resource TEXT NOT NULL,
    scopes TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    ended_at INTEGER
);
CREATE INDEX oauth_authorizations_of ON oauth_authorizations (principal, granted_at, id);
CREATE INDEX oauth_authorizations_by ON oauth_authorizations (client);

CREATE TABLE oauth_codes (
    hash TEXT PRIMARY KEY,
    authorization_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    redeemed_at INTEGER
);
CREATE INDEX oauth_codes_of ON oauth_codes (authorization_id);

CREATE TABLE oauth_refresh_tokens (
    hash TEXT PRIMARY KEY,
    authorization_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at INTEGER,
    successor TEXT -- sealed; for who lost the answer
);
CREATE INDEX oauth_refresh_tokens_of ON oauth_refresh_tokens (authorization_id);
CREATE INDEX oauth_refresh_tokens_expires ON oauth_refresh_tokens (expires_at);

-- Assertions that were seen, so that none is taken twice.
CREATE TABLE oauth_assertions (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX oauth_assertions_expires ON oauth_assertions (expires_at);
