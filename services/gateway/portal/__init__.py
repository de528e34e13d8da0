"""The customer's pages, a file a page."""

from typing import Any

from services.gateway.portal import sign_in

PUBLIC: list[Any] = [sign_in.show, sign_in.submit]
CUSTOMER: list[Any] = [sign_in.sign_out]
PAY_LINK: list[Any] = []
