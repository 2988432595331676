-- What a version was before it was deprecated or retired; it returns to that.
ALTER TABLE versions ADD COLUMN former_lifecycle TEXT COLLATE "C";

-- How many versions of a publisher wait.
CREATE INDEX versions_waiting ON versions (submitted_by) WHERE approval = 'submitted';

-- Where the documents lead: a URL belongs to one name.
CREATE TABLE remotes (
    server TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (server, version, position),
    FOREIGN KEY (server, version) REFERENCES versions (server, version) ON DELETE CASCADE
);
CREATE INDEX remotes_by_url ON remotes (substr(url, 1, 400));

-- PostgreSQL cannot read the escape of NUL, so documents that have it are left out.
INSERT INTO remotes (server, version, position, url)
SELECT v.server, v.version, r.place - 1, r.value ->> 'url'
FROM versions v, json_array_elements(CASE
    WHEN position('\u0000' IN v.document) > 0 THEN '[]'::json
    WHEN json_typeof(v.document::json -> 'remotes') = 'array' THEN v.document::json -> 'remotes'
    ELSE '[]'::json END) WITH ORDINALITY AS r (value, place)
WHERE CASE WHEN json_typeof(r.value) = 'object' THEN json_typeof(r.value -> 'url') = 'string' ELSE FALSE END;
