"""What a request says, and whether it may say so."""

import hmac
import re
import struct
from base64 import urlsafe_b64decode
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

SECRET = bytes([7] * 32)
BODY_BYTES_MAX = 32 * 1024
HOLDER_TOKEN = timedelta(minutes=60)

def first_and_last_day(opened: str) -> tuple[date, date]:
    if len(opened) == 10:
        return date.fromisoformat(opened), date.fromisoformat(opened)
    first = date.fromisoformat(opened + "-01")
    return first, (first + timedelta(31)).replace(day=1) - timedelta(1)


def opened(text: str) -> str:
    if first_and_last_day(text)[0] < date(1987, 11, 1):
        raise ValueError("there were no mobile numbers before November 1987")
    return text


def uscc(text: str) -> str:
    """A credit code by GB 32100, whose last character is a check."""
    values = ["0123456789ABCDEFGHJKLMNPQRTUWXY".index(c) for c in text.upper()]
    if sum(value * pow(3, place, 31) for place, value in enumerate(values[:17])) % 31 != -values[17] % 31:
        raise ValueError("its last character, a check, does not fit")
    return text.upper()


def number(text: str) -> int:
    return int("86" + text[-11:])


Text = StringConstraints
Category = Literal[
    "none", "harass", "fraud", "fraud_risk", "illegal", "ring_once", "ad_sales", "house_agent", "insurance",
    "finance", "loan", "recruit", "education", "express", "food_delivery", "taxi", "housekeeping", "moving",
    "repair", "customer_service", "custom", "other",
]  # fmt: skip
Provider = Annotated[str, Text(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
# No control characters and none that nobody sees, but for emojis' joiners.
VISIBLE = r"^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[\x{200c}\x{200d}])+$"
Name = Annotated[str, Text(strip_whitespace=True, min_length=1, max_length=120, pattern=VISIBLE)]
Note = Annotated[str, Text(max_length=500, pattern=r"^[\P{Cc}\n]*$")]
Opened = Annotated[str, Text(pattern=r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$"), AfterValidator(opened)]
Uscc = Annotated[str, Text(pattern=r"^[0-9A-HJ-NP-RTUW-Ya-hj-np-rtuw-y]{18}$"), AfterValidator(uscc)]
Contact = Annotated[str, Text(pattern=r"^(\+?86)?1[3-9][0-9]{9}$"), AfterValidator(number)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NamedLabel(Strict):
    provider: Provider
    category: Category | None = None
    name: Name | None = None


class Show(Strict):
    name: Name
    uscc: Uscc


class Filing(Strict):
    reason: Literal["reassigned", "name_mismatch"]
    opened: Opened | None = None
    labels: Annotated[list[NamedLabel], Field(max_length=20)] = []
    show: Show | None = None
    note: Note | None = None
    contact: Contact | None = None


class Problem(Exception):
    def __init__(self, status: int, code: str, detail: str):
        self.status, self.code, self.detail = status, code, detail


async def body_of(request: Request) -> tuple[Filing, bytearray]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "media_type_unsupported", "send application/json")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise Problem(413, "body_too_large", f"the body may have {BODY_BYTES_MAX} bytes at most")
    try:
        filing = Filing.model_validate_json(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[0]
        codes = {"json_invalid": "body_malformed", "extra_forbidden": "field_unknown"}
        field = ".".join(map(str, wrong["loc"]))
        raise Problem(400, codes.get(wrong["type"], "field_malformed"), f"{field}: {wrong['msg']}") from None
    if filing.reason == "reassigned" and filing.show:
        raise Problem(400, "field_unknown", "show belongs to disputes with the reason name_mismatch")
    if filing.reason == "name_mismatch" and filing.opened:
        raise Problem(400, "field_unknown", "opened belongs to disputes with the reason reassigned")
    if filing.reason == "name_mismatch" and not any(label.name for label in filing.labels):
        raise Problem(422, "label_needed", "name at least one displayed name that is not yours")
    return filing, body


def idempotency_key(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        raise Problem(400, "idempotency_key_missing", "the Idempotency-Key header is missing")
    if len(keys) > 1 or not re.fullmatch("[!-~]{1,255}", keys[0]):
        raise Problem(400, "field_malformed", "Idempotency-Key: send one, of 1 to 255 visible ASCII characters")
    return keys[0]


def holder(request: Request, now: datetime) -> tuple[int, datetime]:
    """The number that the token is good for, and when its control was proved.
    `zmv_` and, in base64url: the number, when the token ends, and both's HMAC."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        sealed = urlsafe_b64decode(token.removeprefix("zmv_"))
        of_number, expiry = struct.unpack(">QQ", sealed[:16])
    except (ValueError, struct.error):
        sealed, of_number, expiry = b"", 0, 0
    is_ours = hmac.compare_digest(sealed[16:], hmac.digest(SECRET, sealed[:16], "sha256"))
    if scheme.lower() != "bearer" or not token.startswith("zmv_") or not is_ours or expiry <= now.timestamp():
        raise Problem(401, "unauthenticated", "a credential is missing, unknown, expired or revoked")
    return of_number, datetime.fromtimestamp(expiry, UTC) - HOLDER_TOKEN
