"""Bank accounts, statements and their lines, CSV mappings, and payers' claims of transfers."""
