-- Usage by OAuth client; without one, the text is empty. SQLite gives a table no other key, so both are made anew.
CREATE TABLE usage_minutes_by_client (
    node TEXT NOT NULL,
    minute BIGINT NOT NULL,
    server TEXT NOT NULL,
    method TEXT NOT NULL,
    tool TEXT NOT NULL,
    caller TEXT NOT NULL,
    outcome TEXT NOT NULL,
    calls BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    client TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (minute, server, method, tool, caller, client, outcome, node)
);
INSERT INTO usage_minutes_by_client (node, minute, server, method, tool, caller, outcome, calls, bytes_in, bytes_out)
    SELECT node, minute, server, method, tool, caller, outcome, calls, bytes_in, bytes_out FROM usage_minutes;
DROP TABLE usage_minutes;
ALTER TABLE usage_minutes_by_client RENAME TO usage_minutes;

CREATE TABLE usage_latency_by_client (
    node TEXT NOT NULL,
    minute BIGINT NOT NULL,
    server TEXT NOT NULL,
    method TEXT NOT NULL,
    tool TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    client TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (minute, server, method, tool, client, bucket, node)
);
INSERT INTO usage_latency_by_client (node, minute, server, method, tool, bucket, calls)
    SELECT node, minute, server, method, tool, bucket, calls FROM usage_latency;
DROP TABLE usage_latency;
ALTER TABLE usage_latency_by_client RENAME TO usage_latency;
