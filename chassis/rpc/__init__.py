"""gRPC between services: one boundary on the way in, one client on the way out."""
