"""Refunds, returns and chargebacks."""
