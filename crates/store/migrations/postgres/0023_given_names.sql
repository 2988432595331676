-- The names that virtual servers gave to what their members have. They are kept when the server or the member goes.
CREATE TABLE given_names (
    server TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    folded TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    member TEXT COLLATE "C" NOT NULL,
    own TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (server, kind, folded)
);
CREATE UNIQUE INDEX given_names_by_own ON given_names (server, kind, member, own);

-- Virtual servers are few among many routes.
CREATE INDEX routes_virtual ON routes (slug) WHERE upstream_url LIKE 'virtual:%';
