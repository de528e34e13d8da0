"""The customer's pages, a file a page. The list a handler is in decides who may open it."""

from typing import Any

from services.gateway.portal import (
    account,
    approvals,
    company,
    dashboard,
    invoice,
    invoices,
    pay,
    pay_link,
    pay_link_transfer,
    payment,
    payments,
    sign_in,
    transfer,
)

PUBLIC: list[Any] = [sign_in.show, sign_in.submit, pay_link.follow]
CUSTOMER: list[Any] = [
    dashboard.show,
    invoices.show,
    invoice.show,
    invoice.document,
    pay.show,
    pay.submit,
    pay.figures,
    payment.come_back,
    payment.show,
    payment.state,
    payment.cancel,
    payment.receipt,
    payments.show,
    transfer.show,
    transfer.claim,
    transfer.proof,
    approvals.show,
    approvals.approve,
    approvals.decline,
    company.show,
    company.save,
    account.show,
    account.change_password,
    account.end_session,
    account.end_other_sessions,
    sign_in.sign_out,
]
PAY_LINK: list[Any] = [
    pay_link.show,
    pay_link.submit,
    pay_link.figures,
    pay_link_transfer.show,
    pay_link_transfer.claim,
    pay_link.document,
    pay_link.come_back,
    pay_link.result,
    pay_link.state,
    pay_link.cancel,
    pay_link.receipt,
]
