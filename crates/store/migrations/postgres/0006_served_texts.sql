-- A version as hosts read it, cut where its remotes belong, and the moment of the version that this is the text of. Only
-- approved versions have one.
ALTER TABLE versions ADD COLUMN served_head TEXT;
ALTER TABLE versions ADD COLUMN served_tail TEXT;
ALTER TABLE versions ADD COLUMN served_of BIGINT;

-- Lists for hosts go through approved versions in the order of names, and leave out what is retired.
CREATE INDEX versions_approved ON versions (server, version, lifecycle, updated_at) WHERE approval = 'approved';
-- Mostly empty: what has to be written anew.
CREATE INDEX versions_unready ON versions (server, version)
    WHERE approval = 'approved' AND (served_of IS NULL OR served_of <> updated_at);

-- The routes of a version, with everything that a list shows of them.
CREATE INDEX routes_serving ON routes (server, version, environment, major, slug, access) WHERE state = 'active';
