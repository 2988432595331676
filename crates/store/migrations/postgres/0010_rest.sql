-- Versions that are REST APIs, and what their tools are: written once, named by its digest, never changed.
ALTER TABLE versions ADD COLUMN toolset TEXT COLLATE "C";
CREATE INDEX versions_by_toolset ON versions (toolset) WHERE toolset IS NOT NULL;

CREATE TABLE rest_toolsets (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    bindings TEXT COLLATE "C" NOT NULL, -- JSON
    details TEXT COLLATE "C" NOT NULL, -- JSON
    document TEXT COLLATE "C" NOT NULL,
    vanished TEXT COLLATE "C" NOT NULL, -- JSON
    created_at BIGINT NOT NULL
);
