-- Versions that are REST APIs, and what their tools are: written once, named by its digest, never changed.
ALTER TABLE versions ADD COLUMN toolset TEXT;
CREATE INDEX versions_by_toolset ON versions (toolset) WHERE toolset IS NOT NULL;

CREATE TABLE rest_toolsets (
    digest TEXT NOT NULL PRIMARY KEY,
    bindings TEXT NOT NULL, -- JSON
    details TEXT NOT NULL, -- JSON
    document TEXT NOT NULL,
    vanished TEXT NOT NULL, -- JSON
    created_at BIGINT NOT NULL
);
