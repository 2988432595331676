-- How long lists of an upstream are kept that does not say it itself, in milliseconds.
ALTER TABLE routes ADD COLUMN list_cache_ms BIGINT NOT NULL DEFAULT 0;
