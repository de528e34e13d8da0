"""Bank files, a format a file: `read(content, options)` gives statements or a ServiceError, nothing else."""
