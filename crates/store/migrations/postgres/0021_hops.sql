-- How the gateway speaks with the upstream of a route: in which era, and with which sessions for hosts of the modern one.
ALTER TABLE routes ADD COLUMN protocol TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE routes ADD COLUMN session_affinity TEXT NOT NULL DEFAULT 'per_request';
