"""How large a picture may be, for all decoders; nothing here needs Pillow."""

import os

from ...errors import FacelmkError

MAX_PIXELS = 64_000_000
MAX_PIXELS_VARIABLE = 'FACELMK_MAX_PIXELS'  # replaces MAX_PIXELS
MAX_FILE_BYTES = 1 << 30


def pixel_limit(max_pixels: int | None = None) -> int:
    """Return `max_pixels` or, without it, the number in FACELMK_MAX_PIXELS or the default."""
    setting = os.environ.get(MAX_PIXELS_VARIABLE, '')
    if max_pixels is None and setting and not setting.isdecimal():
        raise FacelmkError(f'{MAX_PIXELS_VARIABLE}={setting}. Expected a number of pixels, such as {MAX_PIXELS}')
    return max_pixels or int(setting or MAX_PIXELS)
