"""Check a data set, and convert it to another format."""
