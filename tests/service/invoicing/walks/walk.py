"""A year, day by day: the service by its jobs and the model by its rules, both told the same actions."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from chassis.database import Database
from chassis.jobs import Job
from chassis.turns import Turn, turn_scope
from services.invoicing.jobs import jobs
from tests.service.invoicing.office import Office
from tests.service.invoicing.walks.desk import Desk
from tests.service.invoicing.walks.model import Book, differences
from tests.service.invoicing.walks.story import (
    CUSTOMERS,
    FIRST_DAY,
    LAST_DAY,
    RULES,
    SCHEDULES,
    Action,
    Story,
)
from tests.service.invoicing.walks.subscriptions import DAY, Row

NOON = time(17, tzinfo=UTC)
"""When everybody acts: noon in New York, the next day already in Tokyo."""


@dataclass(slots=True)
class Year:
    """What happened, and how the books stood at the end of each month."""

    seed: int
    tape: list[tuple[date, list[Action]]] = field(default_factory=list)
    sheets: dict[date, Row] = field(default_factory=dict)
    fingerprints: dict[date, str] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    stops: int = 0


async def walk(db: Database, seed: int, *, until: date = LAST_DAY) -> Year:
    """A new organization's year. AssertionError at the end of the first month in which the two do not agree."""
    print(f"seed {seed}")
    desk, book, year = Desk(await Office.opened(db)), new_book(Book), Year(seed)
    await desk.open()
    story, work, day = Story(book, seed), Work(db, desk.office.organization_id), FIRST_DAY
    while day <= until:
        book.turn(day)
        story.hear_of_invoices()
        decisions, is_month_end = story.decisions(day), (day + DAY).day == 1
        if decisions or is_month_end or work.is_due(day):
            year.stops += 1
            desk.today = day
            desk.office.clock.advance(datetime.combine(day, NOON) - desk.office.clock.now())
            await work.run_all()
            done = [action for decide in decisions for action in await _do(desk, book, decide())]
            if done:
                year.tape.append((day, done))
                book.turn(day)
                story.hear_of_invoices()
            if done or is_month_end:
                await work.run_all()
            if is_month_end:
                await _compare(year, desk, book, day)
            await work.look_ahead()
        day += DAY
    year.wrongs = await desk.office.wrongs()
    return year


class Work:
    """The jobs of the service in their order, as a test clock runs them: all of them at each stop."""

    def __init__(self, db: Database, organization_id: str) -> None:
        self.organization_id = organization_id
        self.jobs = [job for job in jobs(db) if not job.only_watches and job.next_due is not None]
        self.due: dict[str, datetime | None] = {job.name: db.clock.now() for job in self.jobs}

    def is_due(self, day: date) -> bool:
        """Whether a job has something to do by the noon of a day."""
        return any(
            moment is not None and moment <= datetime.combine(day, NOON) for moment in self.due.values()
        )

    async def run_all(self) -> None:
        """Run all jobs."""
        for job in self.jobs:
            await self._run(job)

    async def look_ahead(self) -> None:
        """Ask each job when it has something to do next."""
        for job in self.jobs:
            assert job.next_due is not None
            self.due[job.name] = await job.next_due(self.organization_id)

    async def _run(self, job: Job) -> None:
        with turn_scope(Turn(self.organization_id)):
            while await job.run() >= job.batch_limit:
                pass


def new_book(kind: type[Book]) -> Book:
    """A model at the beginning of the year."""
    book = kind(RULES, CUSTOMERS)
    for name, (customer, lines, terms) in SCHEDULES.items():
        begins = FIRST_DAY.replace(day=terms.get("start", 1)) + timedelta(days=terms.get("trial", 0))
        zone = CUSTOMERS[customer]["zone"]
        plain = {key: value for key, value in terms.items() if key not in ("start", "trial", "last_period")}
        book.begin(name, customer, lines, begins=begins, hours_ahead=bool(zone), **plain)
        if "last_period" in terms:
            row = book.schedules[name]
            row["ends"] = book.boundary(row, terms["last_period"])
    return book


def replay(year: Year, kind: type[Book]) -> list[str]:
    """What a model with other rules would have made of the same year, where it does not agree with the service."""
    found: list[str] = []
    played(year, kind, found)
    return found


def played(year: Year, kind: type[Book], found: list[str] | None = None) -> Book:
    """A model after the same year; what does not agree with the service is added to `found`."""
    book, tape, wrong = new_book(kind), dict(year.tape), [] if found is None else found
    day = FIRST_DAY
    while day <= LAST_DAY:
        book.turn(day)
        for name, fields in tape.get(day, []):
            try:
                getattr(book, name)(**fields)
            except LookupError as missing:
                wrong.append(f"{day} {name}: {missing} is not there")
        if day in tape:
            book.turn(day)
        if day in year.sheets:
            wrong += [f"{day} {line}" for line in differences(book.sheet(), year.sheets[day])]
        day += DAY
    return book


async def _do(desk: Desk, book: Book, actions: list[Action]) -> list[Action]:
    for name, fields in actions:
        getattr(book, name)(**fields)
        await getattr(desk, name)(**fields)
    return actions


async def _compare(year: Year, desk: Desk, book: Book, day: date) -> None:
    year.sheets[day] = await desk.sheet()
    year.fingerprints[day] = await desk.fingerprint()
    wrong = differences(book.sheet(), year.sheets[day])
    assert not wrong, f"seed {year.seed}, {day}:\n" + "\n".join(wrong[:40])
