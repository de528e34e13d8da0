"""Rows of the payments service: the only place where SQL becomes domain objects."""
