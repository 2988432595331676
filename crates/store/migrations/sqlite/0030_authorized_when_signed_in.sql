-- When the user of an authorization had signed in: the claim `auth_time` of its tokens.
ALTER TABLE oauth_authorizations ADD COLUMN signed_in_at BIGINT;
