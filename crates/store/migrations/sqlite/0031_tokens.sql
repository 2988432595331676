-- What access tokens stand on: the keys that sign them, and the authorizations that ended before their tokens did.
CREATE TABLE signing_keys (
    number INTEGER PRIMARY KEY,
    kid TEXT NOT NULL UNIQUE,
    x TEXT NOT NULL,
    y TEXT NOT NULL,
    sealed TEXT NOT NULL, -- the private half
    signs_from INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE ended_authorizations (
    id TEXT PRIMARY KEY,
    until INTEGER NOT NULL
);
