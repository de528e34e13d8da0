"""One suite for every provider. README.md says how to add one."""
