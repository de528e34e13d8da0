"""The payments service: money on its way from a customer, and what became of it."""
