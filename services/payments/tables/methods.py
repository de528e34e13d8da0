"""Saved payment methods, mandates, autopay, and rules of paying companies."""
