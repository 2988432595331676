-- Browsers that were sent to an identity provider and have not come back.
CREATE TABLE sign_in_attempts (
    state_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    browser_hash TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    next TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
