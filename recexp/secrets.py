"""What must not be kept or shown: passwords in addresses, and what looks like one in code and yaml."""

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import PurePath

HIDDEN = "***"
_IN_ADDRESSES = (
    (r"://(?=[^\s/@]*:)\S*@", f"://{HIDDEN}@"),  # a password may hold / and @
    (r"://[^/@\s]+@", f"://{HIDDEN}@"),
    (r"://[^\s/@:\[]*:(?!\d+(?:\W|$)).*@", f"://{HIDDEN}@"),  # and blanks, where it is no port
    (r"([?&;][\w.-]*(?:pass|pwd|secret|token|key|sig|credential|auth)[\w.-]*=)[^&#\s'\"]+", rf"\1{HIDDEN}"),
)
_NAME = r"[\w.-]*(?:passw|passphrase|secret|token|(?:api|access|private)[_-]?key|credential)[\w.-]*"
_IN_SOURCES = (
    (r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|\Z)", rf"\1 {HIDDEN} \2"),
    (rf"({_NAME}[\"']?\]?\s*[:=]+\s*[rbfu]?)([\"'])(?:(?!\2).)+\2", rf"\1\2{HIDDEN}\2"),
    (rf"(?m)^([+\- ]?\s*(?:- )?{_NAME}:[ \t]+)(?![\[{{|>&*$\"'])\S.*$", rf"\1{HIDDEN}"),
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", HIDDEN),
    (r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|hf_|dapi|pypi-|AIza)[\w-]{16,}", HIDDEN),
    (r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*", HIDDEN),  # a JSON web token
)
_FILES = (
    *(".env*", "*.env", "*secret*", "*credential*", "*password*", "*private*key*", "*api*key*", "*access*key*"),
    *("keys.y*ml", "*[_-]key.*", "*[_-]keys.*", "*token*.y*ml", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", ".netrc", ".pgpass", ".aws", ".ssh"),
)
"""Files and folders that usually hold secrets, whatever else is in them."""


def mask(text: str) -> str:
    """Return `text` without the credentials of the addresses in it: `postgresql://me:secret@host` loses `me:secret`."""
    return _replaced(text, _IN_ADDRESSES) if "://" in text else text


def mask_source(text: str) -> str:
    """Return code, yaml or a diff of them without what looks like a key or a password."""
    return mask(_replaced(text, _IN_SOURCES))


def is_secret(path: str) -> bool:
    """Return whether a file is one that usually holds secrets, by its name or that of a folder it is in."""
    return any(fnmatch(part.lower(), pattern) for part in PurePath(path).parts for pattern in _FILES)


def _replaced(text: str, rules: Iterable[tuple[str, str]]) -> str:
    for pattern, instead in rules:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    return text
