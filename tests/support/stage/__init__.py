"""Stand-ins for the four services with a handful of invoices in memory: for tests of pages, over real mTLS gRPC."""
