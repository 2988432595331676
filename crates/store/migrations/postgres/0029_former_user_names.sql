-- Names of users who are gone. Labels hold names (`user:ada` reads a registry, approves calls), so nobody gets one unasked.
CREATE TABLE former_user_names (
    folded TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    removed_at BIGINT NOT NULL
);
