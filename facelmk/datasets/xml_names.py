"""Names of pictures and points in the XML that is written."""

import re

from ..errors import DataDefect

NOT_IN_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')  # https://www.w3.org/TR/xml/#charsets


def xml_name(name: str) -> str:
    """Return a name that XML can hold; control characters and bytes that are no text have no form in it."""
    if bad := NOT_IN_XML.search(name):
        raise DataDefect(
            f'the name {name!r} has the character {bad.group()!r}, which XML cannot hold. Rename it, or write another '
            'format, such as COCO'
        )
    return name
