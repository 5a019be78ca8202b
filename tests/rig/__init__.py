"""What the live tests stand on: processes that are always cleaned up, the exporter, and a real Prometheus."""
