"""Common names of columns in shops and logs, in a few languages, and the roles that they mean."""

from collections.abc import Mapping

from recexp.io.header import Role, letters

STEMS: Mapping[Role, tuple[str, ...]] = {
    "user": (
        *("user", "customer", "client", "member", "visitor", "buyer", "shopper", "account", "person", "household"),
        *(
            "reviewer",
            "cust",
            "uid",
            "kunde",
            "kunden",
            "kundin",
            "konto",
            "mitglied",
            "cliente",
            "usuario",
            "acheteur",
        ),
    ),
    "item": (
        *("item", "product", "sku", "stock", "article", "asin", "isbn", "ean", "gtin", "upc", "movie", "film", "book"),
        *("track", "song", "game", "offer", "listing", "video", "artikel", "art", "produkt", "produit", "producto"),
        *("prodotto", "articolo", "iid", "parentasin"),
    ),
    "rating": ("rating", "ratings", "star", "stars", "score", "overall", "bewertung", "sterne", "note", "grade"),
    "quantity": (
        *("quantity", "quantities", "qty", "units", "unitssold", "pieces", "pcs", "count", "menge", "anzahl", "stueck"),
        *("stück", "stk", "cantidad", "quantite", "quantité", "quantita", "quantità"),
    ),
    "timestamp": (
        *("timestamp", "time", "date", "datetime", "ts", "when", "created", "ordered", "purchased", "day", "datum"),
        *("zeit", "zeitpunkt", "zeitstempel", "tag", "fecha", "heure", "jour", "data"),
    ),
    "event": ("event", "action", "behavior", "behaviour", "interaction", "activity", "aktion", "ereignis"),
    "session": (
        *("session", "sid", "invoice", "order", "basket", "cart", "receipt", "transaction", "visit", "bestellung"),
        *("bestell", "rechnung", "rechnungs", "beleg", "bon", "warenkorb", "auftrag", "auftrags", "commande", "pedido"),
    ),
}
IDS = ("", "id", "ids", "no", "nr", "num", "number", "nummer", "code", "key", "hash", "identifier", "kennung", "numero")
TIMES = ("", "at", "utc", "order", "invoice", "purchase", "event", "created", "bestell", "rechnungs", "kauf", "on")
PRICES = ("price", "preis", "prix", "precio", "prezzo", "cost", "msrp", "uvp")
TITLES = ("title", "titel", "titre", "titulo", "name", "bezeichnung", "description", "beschreibung")
ENDINGS: Mapping[Role, tuple[str, ...]] = {"timestamp": TIMES, "event": ("", "type", "name", "typ", "art")}


def score(role: Role, name: str) -> int:
    """Return how well a column's name fits a role: 3 as it is, 2 with an id's ending, 1 among other words, 0 not."""
    called, best = letters(name), 0
    endings = ENDINGS.get(role, IDS)
    for stem in STEMS[role]:
        if stem not in called:
            continue
        before, _, after = called.partition(stem)
        if before + after in endings:
            best = max(best, 3)
        elif role in ("user", "item", "session") and (after in endings[1:] or (not after and before in endings)):
            best = max(best, 2)
        elif role in ("timestamp", "quantity", "rating") and (not before or not after) and len(stem) > 2:
            best = max(best, 1)
    return best


def is_title(name: str) -> bool:
    """Whether a column's name is that of a title."""
    return any(word in letters(name) for word in TITLES)


def is_price(name: str) -> bool:
    """Whether a column's name is that of a price."""
    return any(word in letters(name) for word in PRICES)
