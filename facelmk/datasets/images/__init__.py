"""Image files become arrays, within limits of size."""
