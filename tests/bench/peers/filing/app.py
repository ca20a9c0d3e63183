"""`POST /v1/disputes` once more, for the benchmark: FastAPI, asyncpg and
PostgreSQL. It checks what ours checks (said.py) and keeps what ours keeps
(kept.py, filing.sql), durable before it answers.
"""

import hashlib
import hmac
import os
import struct
import time
from base64 import urlsafe_b64encode
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from uuid import UUID

import asyncpg
import orjson
from fastapi import FastAPI, Request, Response

import kept
from said import SECRET, Problem, body_of, first_and_last_day, holder, idempotency_key

REST_DAYS, MONTH_SLACK_DAYS = 90, 29
ANSWER_WORKING_DAYS, DECISION_WORKING_DAYS = 1, 5
CHINA = timezone(timedelta(hours=8))


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with kept.opened(os.environ["DATABASE_URL"]) as app.state.kept:
        yield


app = FastAPI(
    lifespan=lifespan,
    openapi_url=None,
    # Nobody listens; to find that out anew for each request takes time.
    telemetry={"tracing": False, "metrics": False, "logs": False},
)


@app.post("/v1/disputes")
async def file(request: Request) -> Response:
    now = datetime.now(UTC)
    number, proved_at = holder(request, now)
    key = f"idempotency:{number}:{idempotency_key(request)}"
    # The body itself, not a model that FastAPI has made of it: a repetition is
    # known by its bytes.
    filing, body = await body_of(request)
    digest = hashlib.sha256(body).hexdigest()
    days = days_of(filing.opened, now.astimezone(CHINA).date())
    store: kept.Kept = request.app.state.kept
    if filing.reason == "reassigned" and not filing.opened and not await store.knows_beginning(number):
        raise Problem(422, "opened_needed", "say since when the number is yours: no operator has told us")
    while True:
        id = uuid7()
        try:
            is_filed = await store.file(kept.row(id, number, filing, proved_at, now, days, key, digest))
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
            # Rare: what was filed before is looked for only then.
            if before := await store.filed_before(number, filing.reason, key, digest):
                return created(*before)
            continue
        if not is_filed:
            raise Problem(422, "filings_exhausted", "too many filings for this number and reason")
        return created(id, proved_at, days["due_on"])


def created(id: UUID, proved_at: datetime, due_on: date) -> Response:
    answer = {"id": str(id), "token": dispute_token(id, proved_at), "status": "checking", "due_on": due_on}
    headers = {"location": f"/v1/disputes/{id}", "cache-control": "no-store"}
    return Response(orjson.dumps(answer), 201, headers, "application/json")


@app.exception_handler(Problem)
async def refused(_request: Request, problem: Problem) -> Response:
    answer = {
        "type": f"/docs/problems#{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    headers = {"cache-control": "no-store"} | ({"www-authenticate": "Bearer"} if problem.status == 401 else {})
    return Response(orjson.dumps(answer), problem.status, headers, "application/problem+json")


def dispute_token(dispute: UUID, proved_at: datetime) -> str:
    sealed = dispute.bytes + struct.pack(">Q", int(proved_at.timestamp()))
    return "zmd_" + urlsafe_b64encode(sealed + hmac.digest(SECRET, sealed, "sha256")).rstrip(b"=").decode()


def uuid7() -> UUID:
    made = int.from_bytes((time.time_ns() // 1_000_000).to_bytes(6) + os.urandom(10))
    return UUID(int=made & ~(0xF000 << 64 | 3 << 62) | 7 << 76 | 2 << 62)


@lru_cache
def days_of(opened: str | None, today: date) -> dict:
    """When the answers are due, and between which days the tenure began."""
    return {
        "answer_due_on": after_working_days(today, ANSWER_WORKING_DAYS),
        "due_on": after_working_days(today, DECISION_WORKING_DAYS),
        "window": window(opened, today) if opened else (None, None),
    }


def window(opened: str, today: date) -> tuple[date, date]:
    first, last = first_and_last_day(opened)
    if first > today:
        raise Problem(400, "field_malformed", "opened: it lies in the future")
    if len(opened) == 10:
        return first - timedelta(1), first + timedelta(1)
    until = min(last + timedelta(MONTH_SLACK_DAYS), today)
    return until - timedelta(REST_DAYS), until


def after_working_days(day: date, count: int) -> date:
    """Mondays to Fridays. The answer is kept, so that a table of holidays
    would take no time either."""
    while count:
        day += timedelta(1)
        count -= day.weekday() < 5
    return day
