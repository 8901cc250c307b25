"""facelmk: facial landmarks, from pictures and annotations to an NME table."""
__version__ = '0.1.0'
