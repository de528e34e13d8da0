"""Between messages and domain, a file a noun."""
