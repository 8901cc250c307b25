"""Files that come and go: downloads, archives, and writing whole or not at all."""
