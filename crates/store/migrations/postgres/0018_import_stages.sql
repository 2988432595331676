-- The stage and message of a version before its source said that it is deprecated or deleted.
ALTER TABLE provenance ADD COLUMN stage_before TEXT; -- JSON
-- Whether the rule of its run approves it once it was judged.
ALTER TABLE provenance ADD COLUMN awaits_assessment BOOLEAN NOT NULL DEFAULT FALSE;
