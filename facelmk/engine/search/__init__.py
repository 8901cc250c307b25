"""Hyper-parameter search: values from ranges, short trainings, and the best of them trained further."""
