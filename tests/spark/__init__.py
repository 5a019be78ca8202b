"""The PySpark job and the run around it that is the main proof: real workers, a real Prometheus."""
