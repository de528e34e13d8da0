"""Documents in and out: CSV files and PDFs."""
