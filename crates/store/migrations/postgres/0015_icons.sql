-- Icons, checked and kept: pages show them from here and never from a stranger.
CREATE TABLE icons (
    hash TEXT COLLATE "C" PRIMARY KEY, -- SHA-256 of the bytes, hex
    id TEXT COLLATE "C" NOT NULL UNIQUE, -- in its address; nobody guesses it
    kind TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    bytes BYTEA NOT NULL
);

-- The icons that an entry names, and what became of them.
CREATE TABLE server_icons (
    server TEXT COLLATE "C" NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    theme TEXT COLLATE "C",
    hash TEXT COLLATE "C" REFERENCES icons (hash),
    problem TEXT COLLATE "C",
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (server, position)
);
CREATE INDEX server_icons_of ON server_icons (hash);

-- Which state of an entry was looked at for its icons.
CREATE TABLE icon_looks (
    server TEXT COLLATE "C" PRIMARY KEY REFERENCES servers (name) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    looked_at BIGINT NOT NULL,
    again_at BIGINT
);
