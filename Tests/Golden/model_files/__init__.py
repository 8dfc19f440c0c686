"""The parts of make-published.py."""
