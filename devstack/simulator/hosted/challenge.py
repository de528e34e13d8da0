"""The bank's question about a charge that the merchant made with a token or a saved card."""

from devstack.simulator.api.door import subject_of
from devstack.simulator.bank import Bank
from devstack.simulator.hosted.ways import back_url, form_action
from devstack.simulator.store import Row
from devstack.webkit.asgi import HttpError, Request, Response, Route, redirect
from devstack.webkit.pages import Pages


class ChargeChallenge:
    """3-D Secure without a checkout."""

    def __init__(self, bank: Bank, look: Pages) -> None:
        self._bank = bank
        self._look = look

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/charge/{id}/challenge", self.show),
            Route("POST", "/charge/{id}/challenge", self.answer),
        ]

    async def show(self, request: Request) -> Response:
        """The question, or the way home when it was answered."""
        charge = self._asked(request)
        if charge["status"] != "requires_action":
            return redirect(back_url(charge, "charge"))
        return self._look.page(
            "challenge.html",
            form_action=form_action(charge),
            action=f"/charge/{charge['id']}/challenge",
            merchant_name=charge["merchant_name"] or "The merchant",
            amount=(charge["amount_minor_units"], charge["currency"]),
            card=charge,
        )

    async def answer(self, request: Request) -> Response:
        """Approve or refuse."""
        approved = (await request.form()).get("answer") == "approve"
        charge = self._asked(request)

        def work() -> Response:
            return redirect(
                back_url(self._bank.charging.answer_challenge(charge["id"], approved=approved), "charge")
            )

        tried = self._bank.webhooks.wait_until_tried
        return await self._bank.faults.around(request, subject_of("pay_checkout", charge), work, tried)

    def _asked(self, request: Request) -> Row:
        charge = self._bank.charging.charge(request.params["id"])
        if not charge["return_url"]:
            raise HttpError(404, "not_found", "Nobody was asked about this charge.")
        return charge
