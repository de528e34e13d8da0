"""Invoicing: customers, items, invoices, what is reserved and paid on them, and the receivables ledger."""
