CREATE TABLE IF NOT EXISTS checkouts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL DEFAULT 'card',
    status TEXT NOT NULL CHECK (status IN ('open', 'processing', 'completed', 'failed', 'canceled')),
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
    customer_id TEXT NOT NULL DEFAULT '',
    save_method INTEGER NOT NULL DEFAULT 0,
    details TEXT NOT NULL DEFAULT '{}',
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
    kind TEXT NOT NULL DEFAULT 'card',
    -- The test card's token or the test account's key: from it comes everything that happens later.
    instrument TEXT NOT NULL DEFAULT '',
    wallet TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CHECK (status IN ('requires_action', 'processing', 'succeeded', 'failed', 'canceled')),
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    currency TEXT NOT NULL,
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    decline_code TEXT,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL CHECK (length(last4) IN (0, 4)),
    exp TEXT NOT NULL,
    label TEXT NOT NULL DEFAULT '',
    fee_minor_units INTEGER NOT NULL,
    customer_id TEXT NOT NULL DEFAULT '',
    method_id TEXT NOT NULL DEFAULT '',
    saved INTEGER NOT NULL DEFAULT 0,
    merchant_name TEXT NOT NULL DEFAULT '',
    return_url TEXT NOT NULL DEFAULT '',
    expected_on TEXT,
    settled_at REAL,
    return_code TEXT NOT NULL DEFAULT '',
    returned_at REAL,
    version INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS charges_attempt ON charges (attempt_id);
-- The promise of the whole program: a checkout is paid at most once.
CREATE UNIQUE INDEX IF NOT EXISTS charges_one_success ON charges (checkout_id) WHERE status IN ('processing', 'succeeded') AND checkout_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    charge_id TEXT NOT NULL REFERENCES charges (id),
    refund_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('processing', 'succeeded', 'failed')),
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    failure_code TEXT NOT NULL DEFAULT '',
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_charge ON refunds (charge_id);
CREATE INDEX IF NOT EXISTS refunds_refund ON refunds (refund_id);

CREATE TABLE IF NOT EXISTS disputes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    charge_id TEXT NOT NULL REFERENCES charges (id),
    status TEXT NOT NULL CHECK (status IN ('open', 'under_review', 'won', 'lost')),
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    currency TEXT NOT NULL,
    fee_minor_units INTEGER NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL DEFAULT '',
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    opened_at REAL NOT NULL,
    evidence_due_at REAL NOT NULL,
    closed_at REAL
);
CREATE INDEX IF NOT EXISTS disputes_charge ON disputes (charge_id);

CREATE TABLE IF NOT EXISTS methods (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    instrument TEXT NOT NULL,
    -- unsaved: for the one charge it was typed for.
    status TEXT NOT NULL CHECK (status IN ('unsaved', 'saved', 'detached')),
    set_up INTEGER NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    exp TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    mandate TEXT NOT NULL DEFAULT '{}',
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS setups (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    setup_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('requires_action', 'succeeded', 'failed')),
    failure_code TEXT NOT NULL DEFAULT '',
    customer_id TEXT NOT NULL,
    method_id TEXT NOT NULL DEFAULT '',
    merchant_name TEXT NOT NULL,
    return_url TEXT NOT NULL,
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    decline_code TEXT,
    challenge TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS setups_setup ON setups (setup_id);

CREATE TABLE IF NOT EXISTS wallet_tokens (
    id TEXT PRIMARY KEY,
    wallet TEXT NOT NULL,
    instrument TEXT NOT NULL,
    used_by TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

-- What moved the merchant's balance; a payout takes the lines that are not yet in one.
CREATE TABLE IF NOT EXISTS balance_lines (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    amount_minor_units INTEGER NOT NULL,
    fee_minor_units INTEGER NOT NULL,
    currency TEXT NOT NULL,
    payout_id TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS balance_lines_payout ON balance_lines (payout_id);

CREATE TABLE IF NOT EXISTS payouts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    net_minor_units INTEGER NOT NULL CHECK (net_minor_units > 0),
    arrives_on TEXT NOT NULL,
    reference TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    created_at REAL NOT NULL
);

-- What is still to happen, and when by the simulator's clock.
CREATE TABLE IF NOT EXISTS schedule (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at REAL NOT NULL,
    action TEXT NOT NULL,
    object_id TEXT NOT NULL,
    account TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS schedule_due ON schedule (due_at);
CREATE INDEX IF NOT EXISTS schedule_object ON schedule (object_id);

-- Accounts whose time stands still until somebody moves it.
CREATE TABLE IF NOT EXISTS account_clocks (
    account TEXT PRIMARY KEY,
    stands_at REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ahead_seconds REAL NOT NULL
);

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

-- The Stripe-shaped side: objects as Stripe shows them (document), and what it keeps to itself (inside).
CREATE TABLE IF NOT EXISTS stripe_objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    object TEXT NOT NULL,
    -- What lists of this kind are filtered by: the payment intent, the customer, the payout.
    parent TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL,
    attempt_id TEXT NOT NULL DEFAULT '',
    document TEXT NOT NULL,
    inside TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS stripe_objects_parent ON stripe_objects (object, parent, seq);
CREATE INDEX IF NOT EXISTS stripe_objects_attempt ON stripe_objects (attempt_id) WHERE attempt_id <> '';

CREATE TABLE IF NOT EXISTS stripe_keys (
    key TEXT PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS stripe_events (
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
CREATE INDEX IF NOT EXISTS stripe_events_due ON stripe_events (next_at) WHERE state = 'pending';
