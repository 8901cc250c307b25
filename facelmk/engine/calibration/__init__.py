"""Fit the expected errors and the face score of a network on faces that trained nothing."""
