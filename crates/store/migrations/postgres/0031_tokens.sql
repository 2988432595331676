-- What access tokens stand on: the keys that sign them, and the authorizations that ended before their tokens did.
CREATE TABLE signing_keys (
    number BIGINT PRIMARY KEY,
    kid TEXT COLLATE "C" NOT NULL UNIQUE,
    x TEXT COLLATE "C" NOT NULL,
    y TEXT COLLATE "C" NOT NULL,
    sealed TEXT COLLATE "C" NOT NULL, -- the private half
    signs_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE ended_authorizations (
    id TEXT COLLATE "C" PRIMARY KEY,
    until BIGINT NOT NULL
);
