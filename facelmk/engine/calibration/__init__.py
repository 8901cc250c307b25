"""Fit the expected errors and the face score of a network on held-back faces."""
