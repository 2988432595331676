-- The names that virtual servers gave to what their members have. They are kept when the server or the member goes.
CREATE TABLE given_names (
    server TEXT NOT NULL,
    kind TEXT NOT NULL,
    folded TEXT NOT NULL,
    name TEXT NOT NULL,
    member TEXT NOT NULL,
    own TEXT NOT NULL,
    PRIMARY KEY (server, kind, folded)
);
CREATE UNIQUE INDEX given_names_by_own ON given_names (server, kind, member, own);

-- Virtual servers are few among many routes.
CREATE INDEX routes_virtual ON routes (slug) WHERE upstream_url LIKE 'virtual:%';
