"""The SQL that makes the shared tables. Applied versions rely on it: add new statements, never edit these."""

ORGANIZATION_DOMAIN = (
    # A transaction that ended leaves the setting as '': the cast raises there instead of matching nothing.
    "CREATE DOMAIN organization_setting AS text CONSTRAINT organization_is_set CHECK (VALUE <> '')",
)

IMMUTABLE = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only: write a correction instead of %', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
)

TRANSPORT = (
    """
    CREATE TABLE outbox (
        outbox_id bigint GENERATED ALWAYS AS IDENTITY,
        event_id uuid NOT NULL,
        organization_id text NOT NULL,
        stream_seq bigint NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        aggregate_version bigint NOT NULL,
        type text NOT NULL,
        schema_version smallint NOT NULL,
        payload bytea NOT NULL,
        traceparent text NOT NULL,
        request_id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        published_at timestamptz,
        puback_seq bigint,
        CONSTRAINT pk_outbox PRIMARY KEY (outbox_id),
        CONSTRAINT uq_outbox_stream_seq UNIQUE (organization_id, stream_seq),
        CONSTRAINT uq_outbox_version UNIQUE (organization_id, aggregate_id, aggregate_version),
        CONSTRAINT uq_outbox_event_id UNIQUE (event_id)
    )
    """,
    "CREATE INDEX ix_outbox_unpublished ON outbox (outbox_id) WHERE published_at IS NULL",
    """
    CREATE TABLE outbox_counters (
        organization_id text NOT NULL,
        last_seq bigint NOT NULL,
        CONSTRAINT pk_outbox_counters PRIMARY KEY (organization_id)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE relay_state (
        stream text NOT NULL,
        stream_created_at timestamptz NOT NULL,
        last_seq bigint NOT NULL,
        CONSTRAINT pk_relay_state PRIMARY KEY (stream)
    )
    """,
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id uuid NOT NULL,
        organization_id text NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
    )
    """,
    """
    CREATE TABLE inbox_positions (
        consumer text NOT NULL,
        source text NOT NULL,
        organization_id text NOT NULL,
        aggregate_id text NOT NULL,
        aggregate_type text NOT NULL,
        last_version bigint NOT NULL,
        blocked boolean NOT NULL DEFAULT false,
        CONSTRAINT pk_inbox_positions PRIMARY KEY (consumer, source, organization_id, aggregate_id)
    )
    """,
    """
    CREATE TABLE dead_letters (
        consumer text NOT NULL,
        source text NOT NULL,
        event_id text NOT NULL,
        organization_id text NOT NULL,
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        aggregate_version bigint NOT NULL,
        stream_seq bigint NOT NULL,
        type text NOT NULL,
        payload bytea NOT NULL,
        occurred_at timestamptz NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL,
        error text NOT NULL,
        failed_at timestamptz NOT NULL,
        CONSTRAINT pk_dead_letters PRIMARY KEY (consumer, source, event_id)
    )
    """,
    (
        "CREATE INDEX ix_dead_letters_aggregate"
        " ON dead_letters (organization_id, aggregate_id, aggregate_version)"
    ),
    """
    CREATE TABLE idempotency_keys (
        organization_id text NOT NULL,
        principal text NOT NULL,
        method text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        state text NOT NULL,
        object_id text,
        response bytea,
        created_at timestamptz NOT NULL,
        locked_until timestamptz NOT NULL,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (organization_id, principal, method, key),
        CONSTRAINT ck_idempotency_keys_state CHECK (state IN ('started', 'finished'))
    )
    """,
)

AUDIT = (
    """
    CREATE TABLE audit_log (
        organization_id text NOT NULL,
        seq bigint NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        object_id text NOT NULL,
        request_id text NOT NULL,
        record bytea NOT NULL,
        prev_hash bytea NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_audit_log PRIMARY KEY (organization_id, seq)
    )
    """,
    "CREATE INDEX ix_audit_log_object_id ON audit_log (organization_id, object_id)",
    """
    CREATE TABLE audit_heads (
        organization_id text NOT NULL,
        seq bigint NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_audit_heads PRIMARY KEY (organization_id)
    ) WITH (fillfactor = 50)
    """,
)

LEDGER = (
    """
    CREATE TABLE ledger_entries (
        organization_id text NOT NULL,
        entry_id text NOT NULL,
        source text NOT NULL,
        source_id text NOT NULL,
        kind text NOT NULL,
        corrects_entry_id text,
        description text NOT NULL DEFAULT '',
        occurred_at timestamptz NOT NULL,
        posted_at timestamptz NOT NULL,
        CONSTRAINT pk_ledger_entries PRIMARY KEY (organization_id, entry_id),
        CONSTRAINT uq_ledger_entries_source UNIQUE (organization_id, source, source_id, kind),
        CONSTRAINT fk_ledger_entries_corrects FOREIGN KEY (organization_id, corrects_entry_id)
            REFERENCES ledger_entries (organization_id, entry_id)
    )
    """,
    """
    CREATE TABLE ledger_lines (
        organization_id text NOT NULL,
        entry_id text NOT NULL,
        line_no smallint NOT NULL,
        account text NOT NULL,
        owner text NOT NULL,
        currency text NOT NULL,
        side text NOT NULL,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_ledger_lines PRIMARY KEY (organization_id, entry_id, line_no),
        CONSTRAINT fk_ledger_lines_entry FOREIGN KEY (organization_id, entry_id)
            REFERENCES ledger_entries (organization_id, entry_id),
        CONSTRAINT ck_ledger_lines_amount CHECK (amount_minor_units > 0),
        CONSTRAINT ck_ledger_lines_side CHECK (side IN ('D', 'C'))
    )
    """,
    "CREATE INDEX ix_ledger_lines_account ON ledger_lines (organization_id, account, owner, currency)",
    """
    CREATE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        lines bigint;
        unbalanced boolean;
    BEGIN
        SELECT coalesce(sum(count), 0), coalesce(bool_or(total <> 0), false) INTO lines, unbalanced FROM (
            SELECT count(*), sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) AS total
            FROM ledger_lines
            WHERE organization_id = NEW.organization_id AND entry_id = NEW.entry_id
            GROUP BY currency
        ) AS sums;
        IF lines < 2 THEN
            RAISE EXCEPTION 'ledger entry % has fewer than two lines', NEW.entry_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
        END IF;
        IF unbalanced THEN
            RAISE EXCEPTION 'ledger entry % does not balance', NEW.entry_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
        END IF;
        RETURN NULL;
    END $$
    """,
    (
        "CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entries"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry()"
    ),
    (
        "CREATE CONSTRAINT TRIGGER ledger_lines_balance AFTER INSERT ON ledger_lines"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry()"
    ),
)

BOOKS = (
    """
    CREATE TABLE books_state (
        organization_id text NOT NULL,
        frozen_at timestamptz,
        checked_at timestamptz NOT NULL,
        next_check_at timestamptz NOT NULL,
        check_milliseconds integer NOT NULL,
        broken jsonb NOT NULL,
        CONSTRAINT pk_books_state PRIMARY KEY (organization_id)
    )
    """,
    """
    CREATE FUNCTION refuse_when_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM books_state
            WHERE organization_id = current_setting('app.organization_id', true) AND frozen_at IS NOT NULL
        ) THEN
            RAISE EXCEPTION 'the books of this organization are frozen' USING ERRCODE = 'TPF01';
        END IF;
        RETURN NULL;
    END
    $$
    """,
)

PERIOD_LOCKS = (
    """
    CREATE TABLE period_locks (
        organization_id text NOT NULL,
        until date NOT NULL,
        locked_before timestamptz NOT NULL,
        locked_by text NOT NULL,
        locked_at timestamptz NOT NULL,
        CONSTRAINT pk_period_locks PRIMARY KEY (organization_id, until)
    )
    """,
    """
    CREATE FUNCTION book_after_lock() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.occurred_at := greatest(NEW.occurred_at, (
            SELECT max(locked_before) FROM period_locks WHERE organization_id = NEW.organization_id
        ));
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE TRIGGER book_after_lock BEFORE INSERT ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION book_after_lock()
    """,
)

# One check for a statement instead of one for a line: each INSERT of lines balances by itself, so every entry does.
LEDGER_BY_STATEMENT = (
    """
    CREATE FUNCTION check_ledger_lines() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        wrong text;
    BEGIN
        SELECT entry_id INTO wrong FROM written
        GROUP BY organization_id, entry_id, currency
        HAVING sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) <> 0
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'ledger entry % does not balance', wrong
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM ledger_lines
        WHERE organization_id = NEW.organization_id AND entry_id = NEW.entry_id OFFSET 1 LIMIT 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'ledger entry % has fewer than two lines', NEW.entry_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
        END IF;
        RETURN NULL;
    END $$
    """,
    "DROP TRIGGER IF EXISTS ledger_lines_balance ON ledger_lines",
    (
        "CREATE TRIGGER ledger_lines_balance AFTER INSERT ON ledger_lines REFERENCING NEW TABLE AS written"
        " FOR EACH STATEMENT EXECUTE FUNCTION check_ledger_lines()"
    ),
)

CLOCKS = (
    """
    CREATE TABLE organization_clocks (
        organization_id text NOT NULL,
        frozen_at timestamptz NOT NULL,
        held boolean NOT NULL,
        round bigint NOT NULL,
        rounds_done bigint NOT NULL,
        handled bigint NOT NULL,
        next_due_at timestamptz,
        failure text NOT NULL,
        live_mode boolean NOT NULL,
        CONSTRAINT pk_organization_clocks PRIMARY KEY (organization_id),
        CONSTRAINT ck_organization_clocks_live_mode CHECK (NOT live_mode)
    )
    """,
    # In PL/pgSQL so that it is not made a part of the plan of every question to a table with a sweep policy.
    """
    CREATE FUNCTION follows_machine_time(asked text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
    BEGIN
        RETURN NOT EXISTS (SELECT 1 FROM organization_clocks WHERE organization_id = asked);
    END $$
    """,
)
