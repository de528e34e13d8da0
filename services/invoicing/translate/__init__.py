"""The only meeting of messages and domain, a file a noun."""
