-- What becomes of what a legacy upstream asks of a modern host in the middle of a call.
ALTER TABLE routes ADD COLUMN server_requests TEXT NOT NULL DEFAULT 'refuse';
