"""Files: downloads with a cache, and atomic writes."""
