-- Icons, checked and kept: pages show them from here and never from a stranger.
CREATE TABLE icons (
    hash TEXT PRIMARY KEY, -- SHA-256 of the bytes, hex
    id TEXT NOT NULL UNIQUE, -- in its address; nobody guesses it
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB NOT NULL
);

-- The icons that an entry names, and what became of them.
CREATE TABLE server_icons (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    path TEXT NOT NULL,
    url TEXT NOT NULL,
    theme TEXT,
    hash TEXT REFERENCES icons (hash),
    problem TEXT,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (server, position)
);
CREATE INDEX server_icons_of ON server_icons (hash);

-- Which state of an entry was looked at for its icons.
CREATE TABLE icon_looks (
    server TEXT PRIMARY KEY REFERENCES servers (name) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    looked_at INTEGER NOT NULL,
    again_at INTEGER
);
