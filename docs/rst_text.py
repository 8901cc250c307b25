"""Text for the reStructuredText pages of the reference."""

import re


def title(text: str, mark: str = '=') -> str:
    """A heading, underlined with `mark`."""
    return f'{text}\n{mark * len(text)}\n'


def escaped(text: str) -> str:
    """Plain text for reStructuredText; what is between backticks is code."""
    pieces = re.split(r'(`[^`]+`)', text)
    return ''.join(
        f'`{piece}`' if piece.startswith('`') else re.sub(r'([\\*|]|_(?=\W|$))', r'\\\1', piece) for piece in pieces
    )
