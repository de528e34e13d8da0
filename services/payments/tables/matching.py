"""Matches of bank lines, rules for them, and providers' payouts."""
