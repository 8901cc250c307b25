"""facelmk: facial landmarks, from pictures and annotations to an NME table."""
from .errors import DataDefect, FacelmkError, MissingResource, TrainingFault, UnknownName, near

__version__ = '0.1.0'
