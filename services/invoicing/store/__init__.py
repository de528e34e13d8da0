"""Functions on a transaction: the only place where SQL rows become domain objects."""
