"""The form for a bank account, checked field by field. Only test accounts get past it."""

from dataclasses import dataclass, field

from devstack.simulator import accounts

_MAX_NAME = 100


@dataclass(frozen=True)
class AccountForm:
    """A filled-in form; `errors` names what to put right, by field."""

    scheme: accounts.Scheme
    account: accounts.TestAccount | None
    holder: str
    routing: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: dict[str, str], scheme: accounts.Scheme) -> "AccountForm":
        """Check what was sent."""
        errors: dict[str, str] = {}
        holder = fields.get("holder", "").strip()
        if not 1 <= len(holder) <= _MAX_NAME:
            errors["holder"] = "Enter the name of the account holder."
        routing = _compact(fields.get("routing", ""))
        if scheme == "sepa":
            number = _compact(fields.get("iban", "")).upper()
            if not accounts.is_iban(number):
                errors["iban"] = "This IBAN is not right. Please check each character."
        else:
            number = _compact(fields.get("account", ""))
            if not (routing.isascii() and routing.isdigit() and len(routing) == 9):
                errors["routing"] = "A routing number has nine digits."
            elif not accounts.passes_routing_check(routing):
                errors["routing"] = "This routing number is not right. Please check each digit."
            if not (number.isascii() and number.isdigit() and 4 <= len(number) <= 17):
                errors["account"] = "An account number has 4 to 17 digits."
        account = accounts.by_number(number)
        known = account is not None and account.scheme == scheme
        if not known or (scheme == "ach" and routing != accounts.ROUTING_NUMBER):
            name = "iban" if scheme == "sepa" else "account"
            if name not in errors and "routing" not in errors:
                errors[name] = "This is a test page: only the test accounts listed below work here."
        if fields.get("mandate") != "accepted":
            errors["mandate"] = "Please accept the mandate, or go back."
        return cls(scheme, account if known else None, holder[:_MAX_NAME], routing[:9], errors)


def empty(scheme: accounts.Scheme, holder: str) -> AccountForm:
    """A form nobody has filled in yet."""
    return AccountForm(scheme, None, holder)


def _compact(typed: str) -> str:
    return "".join(typed.replace("-", "").split())[:40]
