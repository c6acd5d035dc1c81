"""Masks secrets: passwords in addresses, and text in code and yaml that looks like a password or key."""

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import PurePath

HIDDEN = "***"
_IN_ADDRESSES = (
    (r"://(?=[^\s/@]*:)\S*@", f"://{HIDDEN}@"),  # a password may hold / and @
    (r"://[^/@\s]+@", f"://{HIDDEN}@"),
    (r"://[^\s/@:\[]*:(?!\d+(?:\W|$)).*@", f"://{HIDDEN}@"),  # and blanks, where it is no port
    (r"((?:pwd|pass\w*)%3D)[^%&\s'\"]+", rf"\1{HIDDEN}"),
    (r"\b((?:postgresql|mysql|mssql)[\w+]*:/?)[^/\s:]{0,200}:\S{0,200}@", rf"\1{HIDDEN}@"),  # without both slashes
    (r"([?&;#][\w.-]*(?:pass|pwd|secret|token|key|sig|credential|auth)[\w.-]*=)[^&#\s'\"]+", rf"\1{HIDDEN}"),
)
_NAME = (
    r"(?:[\w.-]{0,60}"
    r"(?:passw|passphrase|pwd|secret|token|(?:api|access|account|private|signing|encryption)[_-]?key|credential)"
    r"[\w.-]{0,60}|(?<![A-Za-z0-9])(?:\w{0,60}_)?(?:pass|pw))"
)
"""Of a bounded length: else a long word takes time with its square."""
_TEXT = (
    r"[rbfu]{0,2}(?:(?P<long>\"{3}|'{3})[\s\S]{1,5000}?(?P=long)"
    r"|(?P<short>[\"'])(?:\\.|(?!(?P=short))[^\\\n]){1,5000}(?P=short))"
)
_MORE = (
    r"(?:[\s+\\]{0,100}[rbfu]{0,2}(?![\"']{3})(?:\"(?:\\.|[^\"\\\n]){0,5000}\"|'(?:\\.|[^'\\\n]){0,5000}')"
    r"(?!\s{0,20}[:=]))*"
)
"""What follows a text and is a part of it: "a" "b" is "ab"."""
_KEY_BLOCK = r"[A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
_IN_SOURCES = (
    (rf"(?s)(-----BEGIN {_KEY_BLOCK}).*?(-----END|\Z)", rf"\1 {HIDDEN} \2"),
    (
        rf"(?m)(?:^[+\- ]?[\w+/=]{{1,100}}\n){{1,100}}([+\- ]?-----END {_KEY_BLOCK})",
        rf"{HIDDEN}\n\1",
    ),  # of which a diff has the end
    (
        rf"({_NAME}[\"']?\]?\s{{0,20}}[:=]{{1,3}}[\s(\[+]{{0,100}}){_TEXT}{_MORE}",
        rf"\1\g<long>\g<short>{HIDDEN}\g<long>\g<short>",
    ),
    (
        rf"((?:(?:getenv|setdefault|get|pop)\(\s*[\"']|[\"']--?){_NAME}[\"']\s*,\s*){_TEXT}{_MORE}",
        rf"\1\g<long>\g<short>{HIDDEN}\g<long>\g<short>",
    ),
    (rf"(?m)^([+\- ]?+( *)(?:- )?[\"']?{_NAME}[\"']?:)[ \t]*[|>].*(?:\n[+\- ]?+\2 .*){{1,200}}", rf"\1 {HIDDEN}"),
    (rf"(?m)^([+\- ]?+( *)(?:- )?{_NAME}:)[ \t]*(?:\n[+\- ]?+\2 *- .*){{1,200}}", rf"\1 {HIDDEN}"),
    (rf"(?m)^([+\- ]?\s*(?:- )?{_NAME}:[ \t]+)(?![{{$\"'])\S.*$", rf"\1{HIDDEN}"),
    (rf"(?m)((?:^|[;\s\"'+-]){_NAME}=)(?![=\"'])[^\s;&\"',()\[\]{{}}]+(?=[;\"'\s]|$)", rf"\1{HIDDEN}"),
    (rf"(--{_NAME} )[^\s\"']+", rf"\1{HIDDEN}"),
    (r"(authorization[\"']?\s*[:=,]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s\"']+", rf"\1{HIDDEN}"),
    (r"\b(bearer\s+)[\w.~+/-]{16,}=*", rf"\1{HIDDEN}"),
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", HIDDEN),
    (r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|xapp-|sk-|hf_|dapi|pypi-|AIza)[\w-]{16,}", HIDDEN),
    (r"\b(?:[sr]k_(?:live|test)_|npm_|dop_v1_|hvs\.|ya29\.|GOCSPX-|AGE-SECRET-KEY-)[\w.-]{12,}", HIDDEN),
    (r"\bSG\.[\w-]{16,}\.[\w-]{16,}|\b\d{8,10}:[\w-]{35}\b", HIDDEN),
    (r"\b(hooks\.slack\.com/services/)[^\s\"']+", rf"\1{HIDDEN}"),
    (r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*", HIDDEN),  # a JSON web token
)
_FILES = (
    *(
        ".env*",
        "*.env",
        "*secret*",
        "*credential*",
        "*passw*",
        "*creds*",
        "vault*.y*ml",
        "kubeconfig*",
        "service[_-]account*",
        "*private*key*",
        "*api*key*",
        "*access*key*",
    ),
    *("keys.y*ml", "*[_-]key.*", "*[_-]keys.*", "*token*.y*ml", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", ".netrc", ".pgpass", ".aws", ".ssh"),
)
"""Files and folders that usually hold secrets, whatever else is in them."""


def mask(text: str) -> str:
    """Return `text` without the credentials of the addresses in it: `postgresql://me:secret@host` loses `me:secret`."""
    return _replaced(text, _IN_ADDRESSES) if ":" in text else text


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
