-- One draft made final, as the service leaves it behind: the same rows in the same tables, in one transaction.
-- (chr(58) is a colon: pgbench takes one before a word for a variable, even within a string.)
-- :start, :clients, :invoices and :organizations are given; :k counts the transactions of this client.
\set k :k + 1
\set n :start + :k * :clients + :client_id
\set i permute(:n, :invoices, 7) + 1
\set o :i % :organizations + 1
\set amount 1000 + :i % 9000
BEGIN;
INSERT INTO invoicing.idempotency_keys (organization_id, principal, method, key, fingerprint, state, object_id, response, created_at, locked_until) VALUES ('org_' || lpad(:o::text, 26, '0'), 'person' || chr(58) || 'per_00000000000000000000000001', '/tallyport.invoicing.v1.Invoices/FinalizeInvoice', 'key-' || :n::text, decode('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'hex'), 'finished', NULL, decode(repeat('5a', 360), 'hex'), now(), now());
INSERT INTO invoicing.number_series AS s (organization_id, series, last_number) VALUES ('org_' || lpad(:o::text, 26, '0'), '', 1) ON CONFLICT (organization_id, series) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number AS number \gset
UPDATE invoicing.invoices SET status = 'open', number = 'INV-' || lpad(:number::text, 6, '0'), number_key = 'INV' || :number::text, version = version + 1, event_version = event_version + 1, finalized_at = now() WHERE organization_id = 'org_' || lpad(:o::text, 26, '0') AND invoice_id = 'inv_' || lpad(:i::text, 26, '0');
INSERT INTO invoicing.ledger_entries (organization_id, entry_id, source, source_id, kind, description, occurred_at, posted_at) VALUES ('org_' || lpad(:o::text, 26, '0'), 'ent_' || lpad(:n::text, 26, '0'), 'invoice', 'inv_' || lpad(:i::text, 26, '0'), 'finalized', 'Invoice INV-' || lpad(:number::text, 6, '0'), now(), now());
INSERT INTO invoicing.ledger_lines (organization_id, entry_id, line_no, account, owner, currency, side, amount_minor_units) VALUES ('org_' || lpad(:o::text, 26, '0'), 'ent_' || lpad(:n::text, 26, '0'), 1, 'receivable', 'cus_' || lpad((:i % 50)::text, 26, '0'), 'USD', 'D', :amount), ('org_' || lpad(:o::text, 26, '0'), 'ent_' || lpad(:n::text, 26, '0'), 2, 'revenue', '', 'USD', 'C', :amount);
INSERT INTO invoicing.audit_heads AS h (organization_id, seq, hash) VALUES ('org_' || lpad(:o::text, 26, '0'), 1, '') ON CONFLICT (organization_id) DO UPDATE SET seq = h.seq + 1, hash = sha256(h.hash) RETURNING seq AS audit_seq \gset
INSERT INTO invoicing.audit_log (organization_id, seq, at, actor, action, object_id, request_id, record, prev_hash, hash) VALUES ('org_' || lpad(:o::text, 26, '0'), :audit_seq, now(), 'person' || chr(58) || 'per_00000000000000000000000001', 'invoice.finalized', 'inv_' || lpad(:i::text, 26, '0'), '0af7651916cd43dd8448eb211c80319c', decode(repeat('5a', 400), 'hex'), sha256(''), sha256('1'));
INSERT INTO invoicing.outbox_counters AS c (organization_id, last_seq) VALUES ('org_' || lpad(:o::text, 26, '0'), 1) ON CONFLICT (organization_id) DO UPDATE SET last_seq = c.last_seq + 1 RETURNING last_seq AS seq \gset
INSERT INTO invoicing.outbox (event_id, organization_id, stream_seq, aggregate_type, aggregate_id, aggregate_version, type, schema_version, payload, traceparent, request_id, occurred_at, published_at, puback_seq) VALUES (gen_random_uuid(), 'org_' || lpad(:o::text, 26, '0'), :seq, 'invoice', 'inv_' || lpad(:i::text, 26, '0'), 1, 'tallyport.invoicing.v1.InvoiceFinalized', 1, decode(repeat('5a', 180), 'hex'), '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', '0af7651916cd43dd8448eb211c80319c', now(), now(), :n);
COMMIT;
