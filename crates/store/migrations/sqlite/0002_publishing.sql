-- What a version was before it was deprecated or retired; it returns to that.
ALTER TABLE versions ADD COLUMN former_lifecycle TEXT;

-- How many versions of a publisher wait.
CREATE INDEX versions_waiting ON versions (submitted_by) WHERE approval = 'submitted';

-- Where the documents lead: a URL belongs to one name.
CREATE TABLE remotes (
    server TEXT NOT NULL,
    version TEXT NOT NULL,
    position BIGINT NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (server, version, position),
    FOREIGN KEY (server, version) REFERENCES versions (server, version) ON DELETE CASCADE
);
CREATE INDEX remotes_by_url ON remotes (substr(url, 1, 400));

INSERT INTO remotes (server, version, position, url)
SELECT v.server, v.version, r.key, json_extract(r.value, '$.url')
FROM versions v, json_each(CASE WHEN json_type(v.document, '$.remotes') = 'array'
    THEN json_extract(v.document, '$.remotes') ELSE '[]' END) r
WHERE CASE WHEN r.type = 'object' THEN json_type(r.value, '$.url') = 'text' ELSE FALSE END;
