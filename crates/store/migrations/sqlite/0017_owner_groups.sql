-- The groups that own a server, one row each: rights hang on them, so they are read with the catalogue.
CREATE TABLE server_owner_groups (
    owner_group TEXT NOT NULL,
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    PRIMARY KEY (server, owner_group)
);
INSERT INTO server_owner_groups (owner_group, server)
    SELECT DISTINCT g.value, s.name FROM servers s, json_each(s.details, '$.ownerGroups') g;
