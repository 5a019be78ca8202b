"""Tests with real processes, one module for each step of tests/run."""
