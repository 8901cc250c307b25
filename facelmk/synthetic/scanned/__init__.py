"""Faces drawn with ICT-FaceKit's head, which was scanned from people. You download the head yourself (MIT licence)."""

from .faces import VERSION, draw_scanned_face
from .head import ScannedHead, load_head
from .read import check_exists, checksum, pack_head

__all__ = ['VERSION', 'ScannedHead', 'check_exists', 'checksum', 'draw_scanned_face', 'load_head', 'pack_head']
