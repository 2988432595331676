-- Access policies: rules as text beside the grants.
CREATE TABLE access_policies (
    name        TEXT COLLATE "C" PRIMARY KEY,
    description TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,
    tests       TEXT COLLATE "C" NOT NULL,
    enabled     BOOLEAN NOT NULL,
    revision    BIGINT NOT NULL,
    updated_by  TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
