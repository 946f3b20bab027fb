"""Scores pictures against truths by stated protocols."""
