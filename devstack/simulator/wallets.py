"""Tokens as Apple Pay and Google Pay would hand them to a page, and the file that proves a domain to Apple."""

from devstack.simulator import cards
from devstack.simulator.store import Store, new_id
from devstack.webkit.asgi import HttpError

WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay"}
STANDING_TOKENS = {
    "tok_apple_pay": ("apple_pay", "tok_visa"),
    "tok_google_pay": ("google_pay", "tok_mastercard"),
    "tok_apple_pay_declined": ("apple_pay", "tok_declined"),
    "tok_google_pay_declined": ("google_pay", "tok_declined"),
}
"""Tokens that can be used again and again: wallet, and the card behind it."""
DOMAIN_ASSOCIATION = (
    '{"version":1,"pspId":"TALLYPORT-SIMULATOR","createdOn":1767225600000,'
    '"note":"test file: the simulator of an Apple Pay merchant"}\n'
)
"""Served by the merchant at /.well-known/apple-developer-merchantid-domain-association."""


def make_token(store: Store, wallet: str, card_token: str) -> str:
    """A token for one charge."""
    if wallet not in WALLETS:
        raise HttpError(400, "invalid", f"wallet must be one of {', '.join(WALLETS)}.", field="wallet")
    if cards.by_token(card_token) is None:
        raise HttpError(400, "unknown_card_token", "There is no card with this token.", field="card")
    token = new_id("tok_wallet")
    store.insert("wallet_tokens", id=token, wallet=wallet, instrument=card_token)
    return token


def resolve(store: Store, token: str, used_by: str) -> tuple[str, cards.TestCard] | None:
    """Wallet and card behind a token, which is used up by this key; 400 when another key used it before."""
    wallet, card_token = STANDING_TOKENS.get(token, ("", ""))
    if not wallet and (row := store.one("SELECT * FROM wallet_tokens WHERE id = :id", id=token)):
        if row["used_by"] not in ("", used_by):
            raise HttpError(
                400, "wallet_token_used", "A wallet's token is good for one charge.", field="card_token"
            )
        store.execute("UPDATE wallet_tokens SET used_by = :used_by WHERE id = :id", used_by=used_by, id=token)
        wallet, card_token = row["wallet"], row["instrument"]
    card = cards.by_token(card_token)
    return None if card is None else (wallet, card)
