-- When a toolset was kept last: one that no version names is removed some time after that.
ALTER TABLE rest_toolsets ADD COLUMN kept_at BIGINT NOT NULL DEFAULT 0;
UPDATE rest_toolsets SET kept_at = created_at;
