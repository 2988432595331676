-- By which right a version was deprecated or retired: what a manager ended, a publisher does not bring back.
ALTER TABLE versions ADD COLUMN ended_by TEXT COLLATE "C";
