"""Gathers what bank lines are compared with: our own history, rules and claims, and invoicing's open items."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.bank_line import BankLine
from services.payments.domain.creditor_reference import (
    LONGEST_BEGINNING,
    customer_id_beginning,
    find_creditor_reference,
    reference_of_customer,
)
from services.payments.domain.invoice_numbers import clues
from services.payments.domain.matching import Claim, Knowledge, MatchRule, OpenItem
from services.payments.domain.payer_names import NameIndex
from services.payments.store import line_matches, match_rules
from services.payments.translate.payments import to_proto_money
from tallyport.invoicing.v1 import reservations_pb2 as pb

LINES_AT_ONCE = 250
"""So that a request stays within what invoicing takes (2,000 numbers, 1,000 sums and customers)."""
MOST_NUMBERS = 2000
MOST_OTHERS = 1000


@dataclass(frozen=True, slots=True)
class _Own:
    """What payments itself knows."""

    names: Mapping[str, str]
    history: Mapping[str, Counter[str]]
    rules: Sequence[MatchRule]
    claims: Sequence[Claim]


async def gather_knowledge(
    desk: Desk, organization_id: str, lines: Sequence[BankLine], *, sums: Collection[Money] = ()
) -> Knowledge:
    """Everything about these lines (at most LINES_AT_ONCE), and invoices on which just one of the sums is due.

    Raises ServiceError if invoicing does not answer.
    """
    async with desk.db.read(organization_id) as tx:
        own = _Own(
            names=await line_matches.customer_names(tx),
            history=await line_matches.history(tx, {line.counterparty_account for line in lines}),
            rules=await match_rules.all_rules(tx),
            claims=await line_matches.open_claims(tx),
        )
    amounts = {line.amount for line in lines}
    claims = [claim for claim in own.claims if claim.amount in amounts]
    referenced = _referenced(lines, own.names)
    payers = await asyncio.to_thread(_payers, lines, own.names)
    customer_ids = {
        *payers,
        *referenced.values(),
        *(claim.customer_id for claim in claims),
        *(customer_id for seen in own.history.values() for customer_id in seen),
        *(rule.customer_id for rule in own.rules if any(rule.fits(line.as_incoming()) for line in lines)),
    } - {""}
    requests = _requests(
        organization_id,
        numbers=sorted({clue for line in lines for clue in _clues(line)}),
        amounts=sorted(amounts | set(sums), key=lambda amount: (amount.currency, amount.minor_units)),
        customer_ids=sorted(customer_ids),
    )
    found: dict[str, OpenItem] = {}
    for request in requests:
        for item in await desk.reservations.find_items(request):
            found[item.invoice_id] = _item(item)
    return Knowledge(
        items=list(found.values()),
        history=own.history,
        rules=own.rules,
        claims=claims,
        referenced=referenced,
        other_names=own.names,
    )


def _clues(line: BankLine) -> set[str]:
    return clues(f"{line.remittance_text} \n\n {line.structured_reference} \n\n {line.end_to_end_id}")


def _payers(lines: Sequence[BankLine], names: Mapping[str, str]) -> set[str]:
    """Customers whose name a payer may bear."""
    index = NameIndex(names)
    return {customer_id for line in lines for customer_id in index.like(line.counterparty_name)}


def _referenced(lines: Sequence[BankLine], names: Mapping[str, str]) -> dict[str, str]:
    """Customers by the body of their reference, if one of the lines has such a body at all."""
    texts = (
        text
        for line in lines
        for text in (line.structured_reference, line.end_to_end_id, line.remittance_text)
    )
    bodies = {found[4:] for text in texts if text and (found := find_creditor_reference(text))}
    by_beginning = {beginning: body for body in bodies if (beginning := customer_id_beginning(f"RF00{body}"))}
    if not by_beginning:
        return {}
    customers = {
        by_beginning[customer_id[:LONGEST_BEGINNING]]: customer_id
        for customer_id in names
        if customer_id[:LONGEST_BEGINNING] in by_beginning
    }
    return {body: whose for body, whose in customers.items() if reference_of_customer(whose)[4:] == body}


def _requests(
    organization_id: str, *, numbers: list[str], amounts: list[Money], customer_ids: list[str]
) -> Iterator[pb.FindOpenItemsRequest]:
    count = max(
        1, _parts(numbers, MOST_NUMBERS), _parts(amounts, MOST_OTHERS), _parts(customer_ids, MOST_OTHERS)
    )
    for index in range(count):
        yield pb.FindOpenItemsRequest(
            organization_id=organization_id,
            numbers=numbers[index * MOST_NUMBERS : (index + 1) * MOST_NUMBERS],
            amounts=[
                to_proto_money(each) for each in amounts[index * MOST_OTHERS : (index + 1) * MOST_OTHERS]
            ],
            customer_ids=customer_ids[index * MOST_OTHERS : (index + 1) * MOST_OTHERS],
        )


def _parts(values: Sequence[object], most: int) -> int:
    return -(-len(values) // most)


def _item(item: pb.OpenItem) -> OpenItem:
    return OpenItem(
        invoice_id=item.invoice_id,
        number=item.number,
        customer_id=item.customer_id,
        customer_name=item.customer_name,
        due=Money(item.amount_due.minor_units, item.amount_due.currency),
        total=Money(item.total.minor_units, item.total.currency),
        due_on=date.fromisoformat(item.due_date),
        purchase_order=item.purchase_order_number,
        customer_external_id=item.customer_external_id,
        disputed=item.disputed,
        discounted_due=(
            Money(item.discounted_due.minor_units, item.discounted_due.currency)
            if item.HasField("discounted_due")
            else None
        ),
        discount_until=date.fromisoformat(item.discount_until) if item.discount_until else None,
        instalment_due=(
            Money(item.instalment_due.minor_units, item.instalment_due.currency)
            if item.HasField("instalment_due")
            else None
        ),
    )
