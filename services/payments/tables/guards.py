"""Policies, and counters that guard against card testing."""
