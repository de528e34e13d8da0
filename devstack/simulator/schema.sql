CREATE TABLE IF NOT EXISTS checkouts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('open', 'completed', 'failed', 'canceled')),
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    currency TEXT NOT NULL,
    reference TEXT NOT NULL,
    description TEXT NOT NULL,
    return_url TEXT NOT NULL,
    merchant_name TEXT NOT NULL,
    customer_name TEXT NOT NULL,
    line_items TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    charge_id TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    decline_code TEXT,
    cancel_reason TEXT,
    challenge TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    finished_at REAL
);
CREATE INDEX IF NOT EXISTS checkouts_attempt ON checkouts (attempt_id);

CREATE TABLE IF NOT EXISTS charges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    checkout_id TEXT REFERENCES checkouts (id),
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'failed')),
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    currency TEXT NOT NULL,
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    decline_code TEXT,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL CHECK (length(last4) = 4),
    exp TEXT NOT NULL,
    fee_minor_units INTEGER NOT NULL,
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS charges_attempt ON charges (attempt_id);
-- The promise of the whole program: a checkout is paid at most once.
CREATE UNIQUE INDEX IF NOT EXISTS charges_one_success ON charges (checkout_id) WHERE status = 'succeeded' AND checkout_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS idempotency_keys (
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    object_id TEXT NOT NULL,
    PRIMARY KEY (operation, key)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    position INTEGER NOT NULL,
    copies INTEGER NOT NULL DEFAULT 1,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up', 'withheld')),
    tries INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    last_answer TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS events_due ON events (next_at) WHERE state = 'pending';

CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fault TEXT NOT NULL,
    times_left INTEGER NOT NULL CHECK (times_left >= 0),
    times INTEGER NOT NULL,
    seconds REAL NOT NULL,
    match TEXT NOT NULL,
    gathered TEXT NOT NULL DEFAULT '[]',
    created_at REAL NOT NULL
);
