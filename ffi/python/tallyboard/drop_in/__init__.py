"""The parts of `tallyboard.prometheus_client`, where the whole is told."""
