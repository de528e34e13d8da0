"""Stand-ins for the four services with a small business in memory: for tests of the console, over real mTLS gRPC."""
