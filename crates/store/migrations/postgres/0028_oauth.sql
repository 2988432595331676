-- Clients of the authorization server: registered, described by a document of their own, or entered.
CREATE TABLE oauth_clients (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    redirect_uris TEXT COLLATE "C" NOT NULL, -- JSON list
    grants TEXT COLLATE "C" NOT NULL, -- JSON list
    auth TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C",
    jwks TEXT COLLATE "C",
    jwks_uri TEXT COLLATE "C",
    snapshot TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    fresh_until BIGINT
);
CREATE INDEX oauth_clients_unused ON oauth_clients (kind, created_at);

-- Requests that wait for somebody's decision.
CREATE TABLE oauth_pending (
    hash TEXT COLLATE "C" PRIMARY KEY,
    session TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    snapshot TEXT COLLATE "C" NOT NULL,
    redirect_uri TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C",
    challenge TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C",
    scopes TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_pending_expires ON oauth_pending (expires_at);

-- What users allowed clients.
CREATE TABLE oauth_consents (
    consent_key TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    snapshot TEXT COLLATE "C" NOT NULL,
    redirect_host TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    given_at BIGINT NOT NULL
);
CREATE INDEX oauth_consents_of ON oauth_consents (user_id, client);

-- What every token of a family rests on.
CREATE TABLE oauth_authorizations (
    id TEXT COLLATE "C" PRIMARY KEY,
    client TEXT COLLATE "C" NOT NULL,
    principal TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    granted_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX oauth_authorizations_of ON oauth_authorizations (principal, granted_at, id);
CREATE INDEX oauth_authorizations_by ON oauth_authorizations (client);

CREATE TABLE oauth_codes (
    hash TEXT COLLATE "C" PRIMARY KEY,
    authorization_id TEXT COLLATE "C" NOT NULL,
    redirect_uri TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT
);
CREATE INDEX oauth_codes_of ON oauth_codes (authorization_id);

CREATE TABLE oauth_refresh_tokens (
    hash TEXT COLLATE "C" PRIMARY KEY,
    authorization_id TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT,
    successor TEXT COLLATE "C" -- sealed; for who lost the answer
);
CREATE INDEX oauth_refresh_tokens_of ON oauth_refresh_tokens (authorization_id);
CREATE INDEX oauth_refresh_tokens_expires ON oauth_refresh_tokens (expires_at);

-- Assertions that were seen, so that none is taken twice.
CREATE TABLE oauth_assertions (
    issuer TEXT COLLATE "C" NOT NULL,
    jti TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX oauth_assertions_expires ON oauth_assertions (expires_at);
