-- Access policies: rules as text beside the grants.
CREATE TABLE access_policies (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    body        TEXT NOT NULL,
    tests       TEXT NOT NULL,
    enabled     BOOLEAN NOT NULL,
    revision    INTEGER NOT NULL,
    updated_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
