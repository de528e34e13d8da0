"""The pure rules with a ledger of a dictionary: what a payment and its reversals come to without any database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from chassis.errors import ServiceError
from chassis.ledger import Entry, Side
from chassis.money import Money
from services.payments.books import received_entry
from services.payments.domain.attempt import Attempt
from services.payments.domain.case import Case, Organization
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method, Part, Payment, apply_outcome
from services.payments.domain.refund import Destination, Refund, RefundStatus
from services.payments.domain.refund_request import Refundable, RefundWish, agree
from services.payments.domain.reversal import Standing, Taking
from services.payments.reversal_books import fee_entry, given_back_entry, taken_entry

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TODAY = date(2026, 3, 1)
PROVIDER = "simulator"


def usd(units: int) -> Money:
    return Money(units, "USD")


@dataclass
class LittleBooks:
    """One payment. `told` is what an invoicing that believes the news would make of it."""

    payment: Payment
    attempt: Attempt
    standing: Standing
    ledger: Counter[str] = field(default_factory=Counter)
    posted: set[tuple[str, str, str]] = field(default_factory=set)
    told: list[Taking] = field(default_factory=list)

    @classmethod
    def open(cls, units: int, *, surcharge: int = 0, status: Status = Status.SUBMITTING) -> "LittleBooks":
        payment = Payment(
            payment_id="pay_1", customer_id="cus_1", status=status, amount=usd(units),
            parts=(Part("inv_1", usd(units - surcharge)),), method=Method.BANK_DEBIT, initiated_by="Ada",
            created_at=NOW, surcharge_minor_units=surcharge,
        )  # fmt: skip
        attempt = Attempt(
            attempt_id="att_1", payment_id="pay_1", provider=PROVIDER, state=status, amount=usd(units),
            is_hosted=False, created_at=NOW,
        )  # fmt: skip
        standing = Standing(
            payment_id="pay_1", customer_id="cus_1", amount=usd(units), surcharge=usd(surcharge)
        )
        return cls(payment, attempt, standing)

    def copy(self) -> "LittleBooks":
        """The same, to go on with apart."""
        return replace(self, ledger=Counter(self.ledger), posted=set(self.posted), told=list(self.told))

    def hear(self, outcome: Outcome) -> None:
        """What settling does with an observation."""
        after = apply_outcome(self.payment, outcome.checked(self.payment.amount), now=NOW, today=TODAY)
        if after.status is Status.SUCCEEDED and self.payment.status is not Status.SUCCEEDED:
            self._post(received_entry(after, provider=PROVIDER))
        self.payment = after
        if after.status is Status.SUCCEEDED:
            self._follow(self.standing.heard(outcome, provider=PROVIDER, now=NOW))

    def refund(
        self, units: int | None, *, destination: Destination = Destination.METHOD, refund_id: str = "ref_1"
    ) -> Refund:
        """What staff ask for; ServiceError if it cannot be."""
        wish = RefundWish(
            payment_id="pay_1", amount=None if units is None else usd(units), parts=(),
            destination=destination, forgives=True, reason="",
        )  # fmt: skip
        facts = Refundable(
            status=self.payment.status, went_to_provider=True, finished_at=NOW, parts=self.payment.parts,
            window_days=0,
        )  # fmt: skip
        refund = agree(wish, self.standing, facts, refund_id=refund_id, by="Sam", now=NOW)
        self._follow(self.standing.with_refund(refund))
        return refund

    def try_refund(self, units: int | None, **more: object) -> bool:
        try:
            self.refund(units, **more)  # type: ignore[arg-type]
        except ServiceError:
            return False
        return True

    def hear_of_refund(self, refund_id: str, status: RefundStatus) -> None:
        """What settling a refund does."""
        refund = self.standing.refund(refund_id)
        assert refund is not None
        self._follow(self.standing.with_refund(refund.after(status, now=NOW)))

    def _follow(self, after: Standing) -> None:
        before, case = self.standing, self._case
        known = {one.chargeback_id: one for one in before.chargebacks}
        for chargeback in after.chargebacks:
            self._post(fee_entry(known.get(chargeback.chargeback_id), chargeback, at=NOW))
        steps = after.steps()
        for taking in steps.given_back:
            self._post(given_back_entry(case, before, taking, at=NOW))
        for taking in steps.taken:
            self._post(taken_entry(case, after, taking, at=NOW))
        self.told += [*steps.given_back, *steps.taken]
        self.standing = after.after(steps)
        assert self.standing.steps().is_empty

    @property
    def _case(self) -> Case:
        organization = Organization(organization_id="org_1")
        return Case(organization=organization, payment=self.payment, attempt=self.attempt)

    def _post(self, entry: Entry | None) -> None:
        if entry is None:
            return
        cause = (entry.source, entry.source_id, entry.kind)
        assert cause not in self.posted, f"{cause} would be posted twice"
        self.posted.add(cause)
        for line in entry.lines:
            units = line.amount.minor_units
            self.ledger[line.account] += units if line.side is Side.DEBIT else -units

    def end(self) -> tuple[object, ...]:
        """Where it stands, without the ids that are drawn anew each time."""
        causes = {one.chargeback_id: one.provider_reference for one in self.standing.chargebacks}
        taken = sorted(
            (one.kind, causes.get(one.cause_id, one.kind), one.claim.minor_units, one.amount.minor_units,
             one.surcharge.minor_units)
            for one in self.standing.takings if one.is_live
        )  # fmt: skip
        return (
            self.payment.status,
            self.payment.receipt_no,
            sorted((refund.refund_id, refund.status) for refund in self.standing.refunds),
            sorted((one.provider_reference, one.state, one.amount) for one in self.standing.chargebacks),
            self.standing.returned.code if self.standing.returned else "",
            taken,
            sorted((account, units) for account, units in self.ledger.items() if units),
        )

    def check(self) -> None:
        """What must hold at every step."""
        standing = self.standing
        assert sum(self.ledger.values()) == 0
        assert standing.refunded <= standing.amount
        assert not (standing.refunded - standing.recredited + standing.disputed).is_negative
        assert standing.refunded - standing.recredited + standing.disputed <= standing.amount
        for taking in standing.wanted():
            assert not (taking.amount - taking.surcharge).is_negative
        if self.payment.status is Status.SUCCEEDED:
            assert -self.ledger["customer_funds"] == standing.funds.minor_units
            assert standing.funds.minor_units >= 0
            assert believed(self.told, standing) == standing.funds


def believed(told: Sequence[Taking], standing: Standing) -> Money:
    """The customer's funds as somebody has them who only hears the news, each reversal once."""
    funds, reversed_ids = standing.amount - standing.surcharge, dict[str, Taking]()
    to_credit = {refund.refund_id for refund in standing.refunds if not refund.leaves}
    for taking in told:
        net = standing.nothing if taking.cause_id in to_credit else taking.amount - taking.surcharge
        if taking.is_live:
            assert taking.reversal_id not in reversed_ids, "the same reversal twice"
            reversed_ids[taking.reversal_id] = taking
            funds -= net
        else:
            assert replace(taking, is_live=True) == reversed_ids[taking.reversal_id]
            funds += net
    return funds
