"""The fault switch. It takes no key: whoever reaches the simulator may break it."""

from devstack.simulator.api.door import Door
from devstack.simulator.faults import fault_document, fault_from
from devstack.webkit.asgi import HttpError, Request, Response, Route, json_response


class FaultsApi(Door):
    """Arm, list, disarm."""

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/faults", self.add),
            Route("GET", "/faults", self.list),
            Route("DELETE", "/faults", self.clear),
        ]

    async def add(self, request: Request) -> Response:
        """POST /faults"""
        # A JSON body only: another site's form cannot send one, so no page elsewhere can break this one.
        if not (request.header("content-type") or "").startswith("application/json"):
            raise HttpError(415, "not_json", "Send the fault as application/json.")
        fault, times, seconds, match = fault_from(await request.json_object())
        self.bank.faults.add(fault, times=times, seconds=seconds, match=match)
        return json_response(fault_document(self.bank.faults.armed()[-1]), status=201)

    async def list(self, _request: Request) -> Response:
        """GET /faults: those that will still happen."""
        return json_response({"faults": [fault_document(fault) for fault in self.bank.faults.armed()]})

    async def clear(self, _request: Request) -> Response:
        """DELETE /faults"""
        self.bank.faults.clear()
        return json_response({"faults": []})
