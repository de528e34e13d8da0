"""The tables of the first journey: customers, invoices, reservations, allocations, imports, ledger."""

from alembic import op

from chassis import migrations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "organizations",
    "customers",
    "items",
    "invoices",
    "invoice_lines",
    "number_series",
    "pay_links",
    "reservations",
    "payment_applications",
    "allocations",
    "customer_credits",
    "imports",
    "import_rows",
)
SWEEP_TABLES = ("reservations", "imports")

TABLES = (
    """
    CREATE TABLE customers (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        name text NOT NULL,
        email text NOT NULL,
        external_id text,
        currency text NOT NULL,
        locale text NOT NULL,
        address_lines text[] NOT NULL,
        country text NOT NULL,
        tax_id text NOT NULL,
        payment_terms_days integer NOT NULL,
        version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_customers PRIMARY KEY (organization_id, customer_id),
        CONSTRAINT uq_customers_external_id UNIQUE (organization_id, external_id)
    )
    """,
    "CREATE INDEX ix_customers_name ON customers (organization_id, lower(name), customer_id)",
    """
    CREATE TABLE imports (
        organization_id text NOT NULL,
        import_id text NOT NULL,
        file_name text NOT NULL,
        state text NOT NULL,
        notify boolean NOT NULL,
        total_rows integer NOT NULL,
        handled_rows integer NOT NULL,
        created_rows integer NOT NULL,
        unchanged_rows integer NOT NULL,
        failed_rows integer NOT NULL,
        errors jsonb NOT NULL,
        actor text NOT NULL,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        CONSTRAINT pk_imports PRIMARY KEY (organization_id, import_id),
        CONSTRAINT ck_imports_state CHECK (state IN ('preview', 'running', 'done'))
    )
    """,
    "CREATE INDEX ix_imports_running ON imports (organization_id, created_at) WHERE state = 'running'",
    """
    CREATE TABLE items (
        organization_id text NOT NULL,
        item_id text NOT NULL,
        sku text NOT NULL,
        name text NOT NULL,
        unit_price_minor_units bigint NOT NULL,
        currency text NOT NULL,
        tax_rate_percent numeric(7, 4) NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_items PRIMARY KEY (organization_id, item_id),
        CONSTRAINT uq_items_sku UNIQUE (organization_id, sku)
    )
    """,
    "CREATE INDEX ix_items_name ON items (organization_id, lower(name), item_id)",
    """
    CREATE TABLE number_series (
        organization_id text NOT NULL,
        last_number bigint NOT NULL,
        CONSTRAINT pk_number_series PRIMARY KEY (organization_id)
    )
    """,
    """
    CREATE TABLE organizations (
        organization_id text NOT NULL,
        name text NOT NULL,
        display_name text NOT NULL,
        currency text NOT NULL,
        time_zone text NOT NULL,
        locale text NOT NULL,
        address_lines text[] NOT NULL,
        city text NOT NULL,
        region text NOT NULL,
        postal_code text NOT NULL,
        country text NOT NULL,
        tax_id text NOT NULL,
        contact_email text NOT NULL,
        contact_phone text NOT NULL,
        brand_color text NOT NULL,
        logo bytea NOT NULL,
        logo_media_type text NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_organizations PRIMARY KEY (organization_id)
    )
    """,
    """
    CREATE TABLE import_rows (
        organization_id text NOT NULL,
        import_id text NOT NULL,
        line integer NOT NULL,
        external_id text NOT NULL,
        customer_external_id text NOT NULL,
        customer_name text NOT NULL,
        customer_email text NOT NULL,
        invoice_date date NOT NULL,
        due_date date NOT NULL,
        total_minor_units bigint NOT NULL,
        currency text NOT NULL,
        description text NOT NULL,
        disputed boolean NOT NULL,
        settled_date date,
        handled boolean NOT NULL,
        CONSTRAINT pk_import_rows PRIMARY KEY (organization_id, import_id, line),
        CONSTRAINT fk_import_rows_imports FOREIGN KEY (organization_id, import_id)
            REFERENCES imports (organization_id, import_id)
    )
    """,
    """
    CREATE TABLE invoices (
        organization_id text NOT NULL,
        invoice_id text NOT NULL,
        customer_id text NOT NULL,
        status text NOT NULL,
        number text,
        currency text NOT NULL,
        invoice_date date NOT NULL,
        due_date date NOT NULL,
        subtotal_minor_units bigint NOT NULL,
        tax_minor_units bigint NOT NULL,
        total_minor_units bigint NOT NULL,
        paid_minor_units bigint NOT NULL,
        reserved_minor_units bigint NOT NULL,
        customer_name text NOT NULL,
        customer_address_lines text[] NOT NULL,
        customer_country text NOT NULL,
        customer_tax_id text NOT NULL,
        purchase_order_number text NOT NULL,
        memo text NOT NULL,
        external_id text,
        disputed boolean NOT NULL,
        version bigint NOT NULL,
        event_version bigint NOT NULL,
        created_at timestamptz NOT NULL,
        finalized_at timestamptz,
        paid_at timestamptz,
        CONSTRAINT pk_invoices PRIMARY KEY (organization_id, invoice_id),
        CONSTRAINT fk_invoices_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT uq_invoices_number UNIQUE (organization_id, number),
        CONSTRAINT uq_invoices_external_id UNIQUE (organization_id, external_id),
        CONSTRAINT ck_invoices_status CHECK (status IN ('draft', 'open', 'partly_paid', 'paid', 'void')),
        CONSTRAINT ck_invoices_number CHECK ((status = 'draft') = (number IS NULL)),
        CONSTRAINT ck_invoices_guard
            CHECK (paid_minor_units >= 0 AND reserved_minor_units >= 0
                AND (status = 'draft' OR paid_minor_units + reserved_minor_units <= total_minor_units)),
        CONSTRAINT ck_invoices_paid_at CHECK ((status = 'paid') = (paid_at IS NOT NULL))
    )
    """,
    """
    CREATE INDEX ix_invoices_customer
        ON invoices (organization_id, customer_id, invoice_date DESC, invoice_id DESC)
    """,
    """
    CREATE INDEX ix_invoices_customer_payable
        ON invoices (organization_id, customer_id, due_date, invoice_id)
        WHERE status IN ('open', 'partly_paid')
    """,
    "CREATE INDEX ix_invoices_newest ON invoices (organization_id, invoice_date DESC, invoice_id DESC)",
    """
    CREATE INDEX ix_invoices_payable
        ON invoices (organization_id, due_date, invoice_id)
        WHERE status IN ('open', 'partly_paid')
    """,
    """
    CREATE TABLE payment_applications (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        receipt_number text NOT NULL,
        received_minor_units bigint NOT NULL,
        credited_minor_units bigint NOT NULL,
        currency text NOT NULL,
        received_on date NOT NULL,
        applied_at timestamptz NOT NULL,
        CONSTRAINT pk_payment_applications PRIMARY KEY (organization_id, payment_id),
        CONSTRAINT fk_payment_applications_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id)
    )
    """,
    """
    CREATE TABLE allocations (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        invoice_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_allocations PRIMARY KEY (organization_id, payment_id, invoice_id),
        CONSTRAINT fk_allocations_payment_applications FOREIGN KEY (organization_id, payment_id)
            REFERENCES payment_applications (organization_id, payment_id),
        CONSTRAINT fk_allocations_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_allocations_amount CHECK (amount_minor_units > 0)
    )
    """,
    "CREATE INDEX ix_allocations_invoice ON allocations (organization_id, invoice_id)",
    """
    CREATE TABLE customer_credits (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        customer_id text NOT NULL,
        currency text NOT NULL,
        amount_minor_units bigint NOT NULL,
        remaining_minor_units bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_customer_credits PRIMARY KEY (organization_id, payment_id),
        CONSTRAINT fk_customer_credits_payment_applications FOREIGN KEY (organization_id, payment_id)
            REFERENCES payment_applications (organization_id, payment_id),
        CONSTRAINT fk_customer_credits_customers FOREIGN KEY (organization_id, customer_id)
            REFERENCES customers (organization_id, customer_id),
        CONSTRAINT ck_customer_credits_remaining
            CHECK (remaining_minor_units >= 0 AND remaining_minor_units <= amount_minor_units)
    )
    """,
    """
    CREATE INDEX ix_customer_credits_customer
        ON customer_credits (organization_id, customer_id, currency)
    """,
    """
    CREATE TABLE invoice_lines (
        organization_id text NOT NULL,
        invoice_id text NOT NULL,
        line_no integer NOT NULL,
        item_id text,
        description text NOT NULL,
        quantity numeric(13, 4) NOT NULL,
        unit_price_minor_units bigint NOT NULL,
        tax_rate_percent numeric(7, 4) NOT NULL,
        amount_minor_units bigint NOT NULL,
        CONSTRAINT pk_invoice_lines PRIMARY KEY (organization_id, invoice_id, line_no),
        CONSTRAINT fk_invoice_lines_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT fk_invoice_lines_items FOREIGN KEY (organization_id, item_id)
            REFERENCES items (organization_id, item_id)
    )
    """,
    """
    CREATE TABLE pay_links (
        organization_id text NOT NULL,
        pay_link_id text NOT NULL,
        invoice_id text NOT NULL,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        revoked_at timestamptz,
        CONSTRAINT pk_pay_links PRIMARY KEY (organization_id, pay_link_id),
        CONSTRAINT fk_pay_links_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_pay_links_live
        ON pay_links (organization_id, invoice_id)
        WHERE revoked_at IS NULL
    """,
    """
    CREATE TABLE reservations (
        organization_id text NOT NULL,
        payment_id text NOT NULL,
        invoice_id text NOT NULL,
        amount_minor_units bigint NOT NULL,
        state text NOT NULL,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_reservations PRIMARY KEY (organization_id, payment_id, invoice_id),
        CONSTRAINT fk_reservations_invoices FOREIGN KEY (organization_id, invoice_id)
            REFERENCES invoices (organization_id, invoice_id),
        CONSTRAINT ck_reservations_state CHECK (state IN ('held', 'released', 'expired', 'settled')),
        CONSTRAINT ck_reservations_amount CHECK (amount_minor_units > 0)
    )
    """,
    """
    CREATE INDEX ix_reservations_expiring
        ON reservations (organization_id, expires_at)
        WHERE state = 'held'
    """,
    """
    CREATE INDEX ix_reservations_invoice
        ON reservations (organization_id, invoice_id)
        WHERE state = 'held'
    """,
)


def upgrade() -> None:
    migrations.create_transport_tables(op)
    migrations.create_ledger(op)
    for statement in TABLES:
        op.execute(statement)
    migrations.create_tenant_policies(op, *TENANT_TABLES, sweep=SWEEP_TABLES)
    migrations.grant_app(op, *TENANT_TABLES)
