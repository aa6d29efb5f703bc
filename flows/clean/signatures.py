"""MinHash signatures of texts, with which near-duplicates are found without the texts.

Source of the method: A. Broder, "On the resemblance and containment of documents" (1997);
banding after J. Leskovec, A. Rajaraman, J. Ullman, "Mining of Massive Datasets", chapter 3.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

BANDS = 42
ROWS = 3
_HASHES = BANDS * ROWS
_SHINGLE_WORDS = 3
_SEED = 20180814
_WORD = re.compile(r"\w+")
_MULTIPLIERS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64
)


@dataclass(frozen=True, slots=True)
class Signature:
    """MinHash of a text's word shingles (126 values), and a hash for each of its 42 bands."""

    minhash: list[int]
    band_keys: list[int]


def sign(text: str) -> Signature:
    """Signature of `text` over runs of three words in lower case."""
    hasher = RMinHash(num_perm=_HASHES, seed=_SEED)
    hasher.update(_shingles(text))
    minhash = hasher.digest()
    return Signature(minhash, _band_keys(minhash))


def _shingles(text: str) -> list[str]:
    words = _WORD.findall(text.casefold())
    starts = range(max(1, len(words) - _SHINGLE_WORDS + 1))
    return [" ".join(words[start : start + _SHINGLE_WORDS]) for start in starts]


def _band_keys(minhash: Sequence[int]) -> list[int]:
    bands: NDArray[np.uint64] = np.asarray(minhash, dtype=np.uint64).reshape(BANDS, ROWS)
    mixed = np.bitwise_xor.reduce(bands * _MULTIPLIERS, axis=1)
    numbers = np.arange(BANDS, dtype=np.uint64)
    keys: list[int] = (mixed * _MULTIPLIERS[0] + numbers * _MULTIPLIERS[1]).tolist()
    return keys
