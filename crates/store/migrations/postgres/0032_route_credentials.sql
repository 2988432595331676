-- Which credentials a route takes: tokens of ours, keys, tokens of other issuers by name. Empty: what every route takes.
ALTER TABLE routes ADD COLUMN credentials TEXT COLLATE "C" NOT NULL DEFAULT '{}';
