-- Who wants to be told of what.
CREATE TABLE webhooks (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    url TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    events TEXT COLLATE "C" NOT NULL, -- JSON
    servers TEXT COLLATE "C" NOT NULL, -- JSON
    secret TEXT COLLATE "C" NOT NULL,
    former_secret TEXT COLLATE "C",
    enabled BOOLEAN NOT NULL,
    stopped_because TEXT COLLATE "C",
    private_hosts TEXT COLLATE "C" NOT NULL, -- JSON
    owner TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    -- One node at a time delivers to a webhook; '' is nobody.
    held_by TEXT COLLATE "C" NOT NULL,
    held_until BIGINT NOT NULL,
    rest_until BIGINT NOT NULL
);

-- Events, written in the transaction of the change that they tell of.
CREATE TABLE outbox (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    server TEXT COLLATE "C",
    at BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL -- JSON
);
CREATE INDEX outbox_by_age ON outbox (at);

CREATE TABLE webhook_deliveries (
    webhook TEXT COLLATE "C" NOT NULL REFERENCES webhooks (name) ON DELETE CASCADE,
    position BIGINT NOT NULL REFERENCES outbox (position) ON DELETE CASCADE,
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_at BIGINT,
    last_status BIGINT,
    last_error TEXT COLLATE "C",
    PRIMARY KEY (webhook, position)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook, position) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, webhook, position);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (position);

-- Who names which secret of the vault.
CREATE TABLE secret_uses (
    secret TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    used_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, used_by, secret)
);
CREATE INDEX secret_uses_by_secret ON secret_uses (secret);
