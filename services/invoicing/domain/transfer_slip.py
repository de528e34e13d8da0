"""How an invoice is paid by bank transfer, as payments says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSlip:
    """Account and reference. `epc_qr_payload` is empty where banking apps know no such code."""

    account_holder: str
    account_number: str
    bic: str
    bank_name: str
    reference: str
    epc_qr_payload: str = ""
