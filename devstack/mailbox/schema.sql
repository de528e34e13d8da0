CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dedupe_key TEXT NOT NULL,
    message_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    attachment_count INTEGER NOT NULL,
    raw BLOB NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 1,
    received_at REAL NOT NULL,
    last_received_at REAL NOT NULL,
    -- The same mail to the same person is one mail, however often a sender retries; the retries are counted.
    UNIQUE (dedupe_key, recipient)
);
CREATE INDEX IF NOT EXISTS messages_recipient ON messages (recipient, id);
