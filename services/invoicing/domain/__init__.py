"""Rules of invoicing without I/O."""
