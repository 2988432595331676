-- How Portreeve logs in at servers when it looks at their tools. Names secrets, holds none.
CREATE TABLE server_logins (
    server TEXT COLLATE "C" NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    url TEXT COLLATE "C" NOT NULL,
    login TEXT COLLATE "C" NOT NULL, -- JSON
    set_by TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (server, url)
);

-- How a registry is read that is not open to everybody.
ALTER TABLE import_schedules ADD COLUMN login TEXT COLLATE "C"; -- JSON
