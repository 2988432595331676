-- Legacy sessions of hosts: any node serves any of them, and a restart ends none.
CREATE TABLE host_sessions (
    id TEXT COLLATE "C" PRIMARY KEY,
    principal TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    sealed TEXT COLLATE "C" NOT NULL, -- what may change, the server's own session among it
    revision BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX host_sessions_of ON host_sessions (principal, used_at, id);
