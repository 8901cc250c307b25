"""One reader a file format: annotation files become faces."""
