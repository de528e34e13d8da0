"""Saved methods, autopay, payer rules, guards."""
