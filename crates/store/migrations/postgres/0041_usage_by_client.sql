-- Usage by OAuth client; without one, the text is empty.
ALTER TABLE usage_minutes ADD COLUMN client TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE usage_minutes DROP CONSTRAINT usage_minutes_pkey;
ALTER TABLE usage_minutes ADD PRIMARY KEY (minute, server, method, tool, caller, client, outcome, node);

ALTER TABLE usage_latency ADD COLUMN client TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE usage_latency DROP CONSTRAINT usage_latency_pkey;
ALTER TABLE usage_latency ADD PRIMARY KEY (minute, server, method, tool, client, bucket, node);
