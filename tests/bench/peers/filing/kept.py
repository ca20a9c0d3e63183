"""What is kept of a filing, and how it gets there.

Each commit holds the head's row until it is on the disk, so that one follows
the other. Filings that have come meanwhile are therefore committed together:
each is a statement of its own, all are sent at once.
"""

import asyncio
import hashlib
import os
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson

from said import Filing, Problem

FILINGS_MAX, FILINGS_PERIOD_DAYS = 4, 90
IDEMPOTENCY = timedelta(hours=48)
# Of each process. One process writes while the other waits for the head's row,
# and gathers. 8 and 1: each filing has a transaction of its own.
WRITERS = int(os.environ.get("WRITERS", "1"))
TOGETHER_MAX = int(os.environ.get("TOGETHER_MAX", "32"))
FILE = (Path(__file__).parent / "filing.sql").read_text()


class Kept:
    def __init__(self, pool: asyncpg.Pool):
        self.pool, self.queue = pool, asyncio.Queue()

    async def file(self, row: tuple) -> bool:
        """Whether the quota left room for it. Fails where another is in its way."""
        answer = asyncio.get_running_loop().create_future()
        self.queue.put_nowait((row, answer))
        return await answer

    async def write(self) -> None:
        while True:
            batch = [await self.queue.get()]
            while len(batch) < TOGETHER_MAX and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            await self.write_together(batch)

    async def write_together(self, batch: list) -> None:
        """In one transaction. Where one fails none is filed, and each is tried alone."""
        try:
            found = await self.pool.fetchmany(FILE, [row for row, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    await self.write_together([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        filed = {record["id"] for record in found}
        for row, answer in batch:
            if not answer.done():
                answer.set_result(row[0] in filed)

    async def knows_beginning(self, number: int) -> bool:
        return await self.pool.fetchval("SELECT began_on FROM numbers WHERE number = $1", number) is not None

    async def filed_before(self, number: int, reason: str, key: str, digest: str):
        """What stood in the way: the same request, and then its dispute;
        another; or a claim that has run out, and then it is gone."""
        found = await self.pool.fetch(
            "SELECT name, value FROM claims WHERE name = ANY($1) AND (expires_at > now() OR expires_at IS NULL)",
            [key, f"open:{number}:{reason}"],
        )
        claims = {claim["name"]: claim["value"] for claim in found}
        if key not in claims:
            if claims:
                raise Problem(409, "dispute_open", "a dispute of this number for this reason is open already")
            await self.pool.execute("DELETE FROM claims WHERE name = $1 AND expires_at <= now()", key)
            return None
        id, _, digest_before = claims[key].partition(":")
        if digest != digest_before:
            raise Problem(409, "idempotency_key_reused", "the Idempotency-Key was used before with another body")
        return await self.pool.fetchrow("SELECT id, control_proved_at, due_on FROM disputes WHERE id = $1", id)


async def nothing(_connection: asyncpg.Connection) -> None:
    """No statement leaves anything behind that would have to be reset."""


@asynccontextmanager
async def opened(url: str):
    async with asyncpg.create_pool(
        url,
        min_size=WRITERS + 1,
        max_size=WRITERS + 1,
        reset=nothing,
        # Planning such a statement anew takes longer than running it.
        server_settings={"plan_cache_mode": "force_generic_plan"},
    ) as pool:
        kept = Kept(pool)
        writers = [asyncio.create_task(kept.write()) for _ in range(WRITERS)]
        yield kept
        for writer in writers:
            writer.cancel()


def row(id: UUID, number: int, filing: Filing, proved_at: datetime, now: datetime, days: dict, key: str, digest: str):
    """What filing.sql is given."""
    event = orjson.dumps({"at": now, "actor": {"is": "holder"}, "what": {"event": "filed"}})
    line = {
        "at": now,
        "actor": "holder",
        "action": "filed",
        "subject": f"dispute:{id}",
        "digest": hashlib.sha256(event).hexdigest(),
    }
    return (
        id,
        number,
        filing.reason,
        filing.opened,
        *days["window"],
        filing.show and filing.show.model_dump_json(),
        orjson.dumps([label.model_dump(exclude_none=True) for label in filing.labels]).decode(),
        [label.provider for label in filing.labels],
        filing.note if filing.note and filing.note.strip() else None,
        filing.contact,
        proved_at,
        now,
        days["answer_due_on"],
        days["due_on"],
        f"[{event.decode()}]",
        key,
        f"{id}:{digest}",
        now + IDEMPOTENCY,
        orjson.dumps(line).decode(),
        FILINGS_MAX,
        now - timedelta(FILINGS_PERIOD_DAYS),
    )
