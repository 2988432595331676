-- Who wants to be told of what.
CREATE TABLE webhooks (
    name TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    events TEXT NOT NULL, -- JSON
    servers TEXT NOT NULL, -- JSON
    secret TEXT NOT NULL,
    former_secret TEXT,
    enabled BOOLEAN NOT NULL,
    stopped_because TEXT,
    private_hosts TEXT NOT NULL, -- JSON
    owner TEXT NOT NULL,
    revision BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- One node at a time delivers to a webhook; '' is nobody.
    held_by TEXT NOT NULL,
    held_until BIGINT NOT NULL,
    rest_until BIGINT NOT NULL
);

-- Events, written in the transaction of the change that they tell of.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    server TEXT,
    at BIGINT NOT NULL,
    body TEXT NOT NULL -- JSON
);
CREATE INDEX outbox_by_age ON outbox (at);

CREATE TABLE webhook_deliveries (
    webhook TEXT NOT NULL REFERENCES webhooks (name) ON DELETE CASCADE,
    position BIGINT NOT NULL REFERENCES outbox (position) ON DELETE CASCADE,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_at BIGINT,
    last_status BIGINT,
    last_error TEXT,
    PRIMARY KEY (webhook, position)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook, position) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, webhook, position);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (position);

-- Who names which secret of the vault.
CREATE TABLE secret_uses (
    secret TEXT NOT NULL,
    kind TEXT NOT NULL,
    used_by TEXT NOT NULL,
    PRIMARY KEY (kind, used_by, secret)
);
CREATE INDEX secret_uses_by_secret ON secret_uses (secret);
