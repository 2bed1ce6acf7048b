"""A stable number for each object id and salt: what `sample("salt")` is.

The number is fixed by this page, for ever and for everybody, so that other systems can work
it out too:

    digest = BLAKE2b, 8 bytes long, of
                 the length of the salt in UTF-8 as 8 bytes, the greatest first,
                 the salt in UTF-8, the object's id in UTF-8
    number = (the digest as a whole number, the greatest byte first, without its last 11 bits) / 2**53

The length in front keeps salt "ab" with id "c" apart from salt "a" with id "bc". 53 bits are
what a double holds, so that every number is exact and below 1.
"""

from __future__ import annotations

import hashlib

__all__ = ["sample"]


def sample(salt: str, object_id: str) -> float:
    """Return the number in [0, 1) of an object id and a salt.

    >>> sample("spring", "customer-17")
    0.4381774803643488
    """
    salted = salt.encode()
    digest = hashlib.blake2b(len(salted).to_bytes(8, "big") + salted + object_id.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53
