-- Each minute every node looks for sessions that nobody used for long.
CREATE INDEX host_sessions_used ON host_sessions (used_at, id);
