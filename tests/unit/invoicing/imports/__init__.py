"""Reading files to import."""
