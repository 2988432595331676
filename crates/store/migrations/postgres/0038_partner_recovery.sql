-- Partners: which updates of registered servers were told of, each once; and the newest catalogue of every other key, to which a
-- registry falls back when the key of its catalogue is trusted no more.
CREATE TABLE partner_offers (
    server        TEXT COLLATE "C" NOT NULL,
    document_hash TEXT COLLATE "C" NOT NULL,
    told_at       BIGINT NOT NULL,
    PRIMARY KEY (server, document_hash)
);

-- Empty: taken before this was kept.
ALTER TABLE partner_catalogue ADD COLUMN signed_by TEXT COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE partner_former_catalogues (
    signed_by TEXT COLLATE "C" PRIMARY KEY,
    version   BIGINT NOT NULL,
    hash      TEXT COLLATE "C" NOT NULL,
    body      TEXT NOT NULL,
    etag      TEXT,
    pulled_at BIGINT NOT NULL
);
