"""Serving: what answers over HTTP. Logged models name this package, so `_load_pyfunc` stays here."""

from recexp.serving.pyfunc import _load_pyfunc

__all__ = ["_load_pyfunc"]
