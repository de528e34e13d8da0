"""What has gone back of a payment, worked out from all that is known of it and from nothing else.

Refunds, a return and chargebacks all want money of the same payment. What each of them takes follows from the
whole of them in a fixed order, never from the order in which they were heard of; what changes in between is
taken back and taken anew. So any sequence of the same observations ends in the same books.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from chassis.ids import new_id
from chassis.money import Money
from services.payments.domain.chargeback import UNMATCHED, Chargeback, Return
from services.payments.domain.outcome import DisputeView, Outcome
from services.payments.domain.refund import Refund, share_of


class ReversalKind(StrEnum):
    """Why money went back."""

    REFUND = "refund"
    RETURN = "return"
    CHARGEBACK = "chargeback"


_PREFIXES = {ReversalKind.REFUND: "ref", ReversalKind.RETURN: "rtn", ReversalKind.CHARGEBACK: "cbk"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Money taken from a payment for one cause. `reversal_id` is the cause's id the first time.

    `claim` is what left us, `amount` what the payment still had of it: the two differ when a payer gets money back
    twice, once from us and once from the bank. `surcharge` is a part of `amount`.
    """

    reversal_id: str
    kind: ReversalKind
    cause_id: str
    claim: Money
    amount: Money
    surcharge: Money
    is_live: bool = True

    def is_as(self, other: "Taking") -> bool:
        """Whether both take the same."""
        return (self.claim, self.amount, self.surcharge) == (other.claim, other.amount, other.surcharge)


@dataclass(frozen=True, slots=True)
class Steps:
    """How the books follow: first what is given back, then what is taken."""

    given_back: tuple[Taking, ...]
    taken: tuple[Taking, ...]

    @property
    def is_empty(self) -> bool:
        return not self.given_back and not self.taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A succeeded payment's money and all that wants it back. `takings` are those ever made, in their order."""

    payment_id: str
    customer_id: str
    amount: Money
    surcharge: Money
    refunds: tuple[Refund, ...] = ()
    returned: Return | None = None
    chargebacks: tuple[Chargeback, ...] = ()
    takings: tuple[Taking, ...] = ()

    @property
    def nothing(self) -> Money:
        """Zero in the payment's currency."""
        return Money.zero(self.amount.currency)

    @property
    def refunded(self) -> Money:
        """By all refunds that have not failed, those to credit included; surcharge included."""
        return self._sum(refund.amount for refund in self.refunds if refund.holds)

    @property
    def recredited(self) -> Money:
        """The part of it that became credit: this money is still here."""
        return self._sum(refund.amount for refund in self.refunds if refund.holds and not refund.leaves)

    @property
    def disputed(self) -> Money:
        """Taken by chargebacks that are open or lost."""
        return self._sum(one.amount for one in self.wanted() if one.kind is ReversalKind.CHARGEBACK)

    @property
    def returned_amount(self) -> Money:
        """Taken by the return of a debit."""
        return self._sum(one.amount for one in self.wanted() if one.kind is ReversalKind.RETURN)

    @property
    def surcharge_left(self) -> Money:
        """Of the surcharge, what has not gone back."""
        gone = self._sum(one.surcharge for one in self.wanted() if self._leaves(one))
        return self.surcharge - gone

    @property
    def left(self) -> Money:
        """What may still be refunded, surcharge included."""
        return self.amount - self.refunded - self.disputed - self.returned_amount

    @property
    def funds(self) -> Money:
        """What the customer's funds still have of it: the surcharge is not theirs."""
        gone = self._sum(one.amount - one.surcharge for one in self.wanted() if self._leaves(one))
        return self.amount - self.surcharge - gone

    @property
    def has_open_chargeback(self) -> bool:
        return any(one.is_open for one in self.chargebacks)

    def wanted(self) -> tuple[Taking, ...]:
        """What each cause takes: refunds as they were agreed, then a return all the rest, then chargebacks."""
        return tuple(self._wanted())

    def steps(self) -> Steps:
        """What to do so that what was taken is what is wanted."""
        wanted = {one.cause_id: one for one in self.wanted()}
        live = [one for one in self.takings if one.is_live]
        back = [one for one in live if one.cause_id not in wanted or not one.is_as(wanted[one.cause_id])]
        kept = {one.cause_id for one in live if one not in back}
        known = {one.cause_id for one in self.takings}
        new = [
            replace(one, reversal_id=new_id(_PREFIXES[one.kind]) if one.cause_id in known else one.cause_id)
            for one in wanted.values()
            if one.cause_id not in kept
        ]
        return Steps(tuple(replace(one, is_live=False) for one in back), tuple(new))

    def after(self, steps: Steps) -> Self:
        """With those steps done."""
        back = {one.reversal_id: one for one in steps.given_back}
        takings = tuple(back.get(one.reversal_id, one) for one in self.takings)
        return replace(self, takings=(*takings, *steps.taken))

    def with_refund(self, refund: Refund) -> Self:
        """With a new refund, or a later state of one."""
        others = tuple(one for one in self.refunds if one.refund_id != refund.refund_id)
        return replace(self, refunds=tuple(sorted((*others, refund), key=lambda one: one.refund_id)))

    def refund(self, refund_id: str) -> Refund | None:
        return next((one for one in self.refunds if one.refund_id == refund_id), None)

    def heard(self, outcome: Outcome, *, provider: str, now: datetime) -> Self:
        """With what a provider says of a return and of chargebacks; those of another currency are not ours."""
        after = self.with_return(outcome.return_code, returned_at=outcome.returned_at or now)
        for view in outcome.disputes:
            if view.amount.currency == self.amount.currency and view.amount.minor_units > 0:
                after = after.with_dispute(provider, view, now=now)
        return after

    def with_return(self, code: str, *, returned_at: datetime) -> Self:
        """With the debit come back; a debit comes back once."""
        if not code or self.returned is not None:
            return self
        return replace(
            self,
            returned=Return(
                return_id=new_id("umt" if code == UNMATCHED else "rtn"), code=code, returned_at=returned_at
            ),
        )

    def with_dispute(self, provider: str, view: DisputeView, *, now: datetime) -> Self:
        """With what the provider says of a chargeback. The very same object if it is known."""
        known = next(
            (one for one in self.chargebacks if one.provider_reference == view.provider_reference), None
        )
        if known is None:
            known = Chargeback(
                chargeback_id=new_id("cbk"),
                payment_id=self.payment_id,
                customer_id=self.customer_id,
                provider=provider,
                provider_reference=view.provider_reference,
                state=view.state,
                amount=view.amount,
                fee=view.fee,
                reason=view.reason,
                opened_at=view.opened_at,
                evidence_due_at=view.evidence_due_at,
            )
            after = known if known.is_open else replace(known, closed_at=now)
        else:
            after = known.after(view, now=now)
            if after is known:
                return self
        return self.with_chargeback(after)

    def with_chargeback(self, chargeback: Chargeback) -> Self:
        """With a new chargeback, or a later state of one."""
        others = tuple(one for one in self.chargebacks if one.chargeback_id != chargeback.chargeback_id)
        in_order = sorted((*others, chargeback), key=lambda one: (one.opened_at, one.provider_reference))
        return replace(self, chargebacks=tuple(in_order))

    def _wanted(self) -> Iterator[Taking]:
        left, surcharge = self.amount, self.surcharge
        for refund in self.refunds:
            if not refund.holds:
                continue
            if refund.leaves:
                left, surcharge = left - refund.amount, surcharge - refund.surcharge
            yield _taking(
                ReversalKind.REFUND, refund.refund_id, refund.amount, refund.amount, refund.surcharge
            )
        if self.returned is not None:
            yield _taking(ReversalKind.RETURN, self.returned.return_id, self.amount, left, surcharge)
            left = surcharge = self.nothing
        for chargeback in self.chargebacks:
            if not chargeback.holds:
                continue
            amount = min(chargeback.amount, left)
            share = surcharge if amount == left else self._share(amount, left=left, surcharge=surcharge)
            yield _taking(ReversalKind.CHARGEBACK, chargeback.chargeback_id, chargeback.amount, amount, share)
            left, surcharge = left - amount, surcharge - share

    def _share(self, amount: Money, *, left: Money, surcharge: Money) -> Money:
        """The surcharge in an amount of what is left; neither what it takes nor what stays is ever negative."""
        share = share_of(self.surcharge.minor_units, part=amount.minor_units, of=self.amount.minor_units)
        whole = surcharge.minor_units
        if whole <= 0:
            return Money(max(share, whole), amount.currency)
        least = whole - (left - amount).minor_units
        return Money(min(max(share, least), whole, amount.minor_units), amount.currency)

    def _leaves(self, taking: Taking) -> bool:
        refund = self.refund(taking.cause_id) if taking.kind is ReversalKind.REFUND else None
        return refund is None or refund.leaves

    def _sum(self, amounts: Iterator[Money]) -> Money:
        return sum(amounts, start=self.nothing)


def _taking(kind: ReversalKind, cause_id: str, claim: Money, amount: Money, surcharge: Money) -> Taking:
    return Taking(
        reversal_id=cause_id, kind=kind, cause_id=cause_id, claim=claim, amount=amount, surcharge=surcharge
    )
