-- Legacy sessions of hosts: any node serves any of them, and a restart ends none.
CREATE TABLE host_sessions (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    route TEXT NOT NULL,
    sealed TEXT NOT NULL, -- what may change, the server's own session among it
    revision INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
);
CREATE INDEX host_sessions_of ON host_sessions (principal, used_at, id);
