-- Partners: which updates of registered servers were told of, each once.
CREATE TABLE partner_offers (
    server        TEXT COLLATE "C" NOT NULL,
    document_hash TEXT COLLATE "C" NOT NULL,
    told_at       BIGINT NOT NULL,
    PRIMARY KEY (server, document_hash)
);
