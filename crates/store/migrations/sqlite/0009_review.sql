-- What waits for somebody is found without a look at everything else.
CREATE INDEX versions_in_review ON versions (status_changed_at, server, version)
    WHERE approval = 'submitted' AND lifecycle <> 'retired';
CREATE INDEX servers_waiting ON servers (updated_at, name) WHERE proposed_by IS NOT NULL;
CREATE INDEX tools_waiting ON tools (route)
    WHERE NOT hidden AND live_hash IS NOT NULL AND (approved_hash IS NULL OR approved_hash <> live_hash);

-- Values of custom properties of one version, over those of its server.
ALTER TABLE versions ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}'; -- JSON

-- The groups that the holder of a key belongs to.
ALTER TABLE api_keys ADD COLUMN member_of TEXT NOT NULL DEFAULT '[]'; -- JSON
