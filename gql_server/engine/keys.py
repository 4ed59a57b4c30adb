"""Data keys, wrapped under the key of the server.

One data key an engagement. It is stored wrapped: nonce (12 bytes), ciphertext (32), tag (16), by AES-256-GCM with
the engagement's identity as associated data, so that a wrapped key cannot be moved to another engagement.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


def generate_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def wrap_key(kek: bytes, key: bytes, associated_data: bytes) -> bytes:
    """Encrypt a data key under the key-encryption key."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(kek).encrypt(nonce, key, associated_data)


def unwrap_key(kek: bytes, wrapped: bytes, associated_data: bytes) -> bytes:
    """Decrypt a data key.

    Raises:
        ValueError: another key-encryption key, other associated data, or damaged bytes.
    """
    try:
        return AESGCM(kek).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], associated_data)
    except InvalidTag as error:
        raise ValueError("the wrapped key does not open") from error


def derive(key: bytes, purpose: str, length: int) -> bytes:
    """Derive the key of one purpose from a data key (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"gql-server/{purpose}".encode()).derive(key)
