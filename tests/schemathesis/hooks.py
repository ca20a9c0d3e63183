"""What schemathesis does not know of: whose credential a call wants, what
there is to ask about, how lines are written, what no schema says, and how the
calls were answered."""

import atexit
import csv
import io
import json
import os
from collections import Counter, defaultdict

import schemathesis

with open(os.environ["ZHENGMING_CAST"], encoding="utf-8") as file:
    CAST = json.load(file)

# A bad line is rejected, and the rest is taken.
LINES = {"uploadLabels", "uploadTenures", "fileList"}

# Well-formed by its schema and refused nevertheless, for what fields mean
# together, or for what only we can have written. 422 is a refusal by contract.
BEYOND_SCHEMAS = {
    # A reason decides which of the fields a filing takes.
    "fileDispute": {"field_unknown", "field_malformed"},
    "fileList": {"field_unknown", "field_malformed", "query_malformed", "body_malformed"},
    # Each entry that is refused lies below `size`, and the root is 32 bytes.
    "acknowledge": {"field_malformed"},
    # Where a list goes on is what its `next` said; a span of days has an order.
    "listRegressed": {"query_malformed"},
    "pullRegressed": {"query_malformed"},
    "listReversals": {"query_malformed"},
    "listWaitingCases": {"query_malformed"},
    "searchAudit": {"query_malformed"},
    # What a machine says of an instant is no date-time alone.
    "receiveText": {"field_malformed"},
    "receiveTextByQuery": {"field_malformed"},
    # Columns are written as they are, and quoted as one likes.
    "uploadLabels": {"body_malformed"},
    "uploadTenures": {"body_malformed"},
    # CAMARA's word for a day of which nothing is known.
    "checkNumberRecycling": {"OUT_OF_RANGE"},
    # These bytes are no picture.
    "handInEvidence": {"document_type"},
}
ANYWHERE = {"not_acceptable", "verification_spent", "not_in_force", "number_malformed"}

TALLY = defaultdict(Counter)


def operation_id(operation):
    return operation.definition.raw["operationId"]


def own(operation):
    return CAST["own"].get(operation_id(operation), {})


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    """Lines are described beside the text that they are in: here they are the
    schema, so that what is sent and answered is made of them."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                describe_lines(operation.get("requestBody", {}).get("content", {}))
                for response in operation.get("responses", {}).values():
                    describe_lines({k: v for k, v in response.get("content", {}).items() if k != "text/csv"})


def describe_lines(content):
    for media in content.values():
        if "x-each-line" in media:
            media["schema"] = {"type": "array", "items": media["x-each-line"]}
        elif "x-columns" in media:
            cells = {column: {"type": "string"} for column in media["x-columns"]}
            row = {"type": "object", "properties": cells, "required": list(cells), "additionalProperties": False}
            media["schema"] = {"type": "array", "minItems": 1, "items": row}


def text_of(value, write):
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    return write(value if isinstance(value, list) else [value]).encode("utf-8", "surrogatepass")


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return text_of(value, lambda lines: "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


@schemathesis.serializer("text/csv")
def comma_separated(ctx, value):
    def write(rows):
        rows = [row if isinstance(row, dict) else {"": row} for row in rows]
        columns = list(rows[0]) if rows else []
        to = io.StringIO()
        writer = csv.writer(to, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in rows)
        return to.getvalue()

    return text_of(value, write)


@schemathesis.deserializer("application/x-ndjson")
def lines(ctx, response):
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.auth(cache_by_key=lambda case, ctx: operation_id(ctx.operation))
class Credentials:
    def get(self, case, ctx):
        wanted = [scheme for one in ctx.operation.definition.raw["security"] for scheme in one]
        shared = next((CAST["tokens"][scheme] for scheme in wanted if scheme in CAST["tokens"]), None)
        return own(ctx.operation).get("token") or shared

    def set(self, case, token, ctx):
        if token:
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    """Half of what could be there is there."""
    for name, real in own(ctx.operation).get("path", {}).items():
        drawn = str((path_parameters or {}).get(name, ""))
        if sum(drawn.encode("utf-8", "surrogatepass")) % 2 == 0:
            path_parameters[name] = real
    return path_parameters


@schemathesis.hook
def map_query(ctx, query):
    """Nobody waits here for what does not come."""
    if query and str(query.get("wait", "")).isdigit() and int(query["wait"]) <= 30:
        query["wait"] = 0
    return query


@schemathesis.hook
def filter_failure(ctx, failure, case, response):
    what, name = type(failure).__name__, operation_id(case.operation)
    if what == "AcceptedNegativeData":
        return not (name in LINES and response.status_code in (200, 201))
    if what != "RejectedPositiveData":
        return True
    if response.status_code == 422:
        return False
    problem = json.loads(response.content)
    code = problem.get("code")
    # To a schema 7.0 is an integer.
    if "expected u64" in problem.get("detail", ""):
        return False
    return code not in ANYWHERE | BEYOND_SCHEMAS.get(name, set())


@schemathesis.hook
def after_call(ctx, case, response):
    TALLY[operation_id(case.operation)][response.status_code] += 1


@atexit.register
def tell():
    with open(os.environ["ZHENGMING_TALLY"], "w", encoding="utf-8") as file:
        json.dump(TALLY, file)
