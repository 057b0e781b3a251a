"""Numbers as text of fixed width, so that a page reads thousands of them as one string.

``site/assets/explorer-data.js`` has the other direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""Of base 64, in order of value."""


def packed(numbers: ArrayLike, width: int) -> str:
    """Return each number in ``width`` digits of base 64, one after the other.

    Args:
        numbers: integers of any shape, read row by row, each in 0..64**width - 1.
        width: how many digits.
    """
    import numpy as np

    alphabet = np.frombuffer(DIGITS.encode("ascii"), dtype=np.uint8)
    flat = np.asarray(numbers, dtype=np.int64).ravel()
    powers: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = 64 ** np.arange(width)[::-1]
    text: bytes = alphabet[flat[:, None] // powers % 64].tobytes()
    return text.decode("ascii")
