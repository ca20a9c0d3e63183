#!/usr/bin/env python3
"""Reads a .zms snapshot: python3 zms_reader.py FILE [DIGITS]

Prints a line of JSON for the header and one for each record, or for the record
of one number only. Written from the description in src/feed/zms/mod.rs and from
nothing else: it is there to show that the description is enough.
"""

import base64
import bisect
import datetime
import json
import sys
import zlib

ASSURANCES = ["document", "operator"]
REASONS = ["reassigned", "name_mismatch", "released", "tenure_ended", "renewed", "reverted"]
ACTIONS = ["keep", "clear", "set"]


class Bytes:
    """Whole bytes from the front of a buffer."""

    def __init__(self, buffer):
        self.buffer, self.at = buffer, 0

    def take(self, count):
        taken = self.buffer[self.at : self.at + count]
        assert len(taken) == count, "it ends too soon"
        self.at += count
        return taken

    def integer(self, count):
        return int.from_bytes(self.take(count), "big")

    def varint(self):
        value = 0
        for place in range(8):
            byte = self.integer(1)
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value
        raise AssertionError("an integer is too long")


class Table:
    def __init__(self, rest):
        self.symbols, self.starts = [], [0]
        for _ in range(rest.varint()):
            before = self.symbols[-1] + 1 if self.symbols else 0
            self.symbols.append(before + rest.varint())
            self.starts.append(self.starts[-1] + rest.varint())
        assert self.starts[-1] in (0, 65536), "the slots are not all shared out"


class Stream:
    """The rANS stream of a block."""

    def __init__(self, body):
        self.bytes = Bytes(body)
        self.state = self.bytes.integer(4)

    def take(self, start, slots):
        self.state = slots * (self.state // 65536) + self.state % 65536 - start
        while self.state < 1 << 23:
            self.state = self.state * 256 + self.bytes.integer(1)

    def symbol(self, table):
        place = bisect.bisect_right(table.starts, self.state % 65536) - 1
        start, end = table.starts[place], table.starts[place + 1]
        self.take(start, end - start)
        return table.symbols[place]

    def bits(self, count):
        value = 0
        while count:
            width = min(count, 16)
            count -= width
            slots = 1 << 16 - width
            piece = self.state % 65536 // slots
            self.take(piece * slots, slots)
            value = value << width | piece
        return value


def sealed(part, seal=b""):
    """What stands before a part's checksum."""
    body, crc = part[:-4], int.from_bytes(part[-4:], "big")
    assert zlib.crc32(seal + body) == crc, "a checksum is wrong"
    return body


class Snapshot:
    def __init__(self, file):
        self.file = file
        assert file[:6] == b"zmsnap", "no .zms file"
        assert file[6:8] == b"\0\1", "an unknown version"
        header_bytes = int.from_bytes(file[8:12], "big")
        header = Bytes(sealed(file[:header_bytes]))
        self.seal = file[header_bytes - 4 : header_bytes]
        header.take(12)
        self.size, self.root, self.count = header.integer(8), header.take(32), header.integer(8)
        self.origin = header.take(header.integer(1)).decode()
        self.gap, self.shape, self.void_before, self.name_until, self.name_byte = (Table(header) for _ in range(5))
        assert header.at == len(header.buffer), "the header is too long"

        index_bytes = int.from_bytes(file[-8:-4], "big")
        index = Bytes(sealed(file[len(file) - 8 - index_bytes :], self.seal)[:-4])
        self.firsts, self.starts = [], [header_bytes]
        while index.at < index_bytes:
            self.firsts.append(index.varint() + (self.firsts[-1] if self.firsts else 0))
            self.starts.append(self.starts[-1] + index.varint())
        assert self.starts[-1] + index_bytes + 8 == len(file), "the parts are not the whole"

    def block(self, place):
        stream = Stream(sealed(self.file[self.starts[place] : self.starts[place + 1]], self.seal))
        count, number = stream.bits(10) + 1, stream.bits(50)
        assert number == self.firsts[place], "a block does not begin as the index says"
        for nth in range(count):
            if nth > 0:
                number += self.distance(stream) + 1
            yield self.record(stream, number)
        assert stream.state == 1 << 23 and stream.bytes.at == len(stream.bytes.buffer), "a block is too long"

    def distance(self, stream):
        s = stream.symbol(self.gap)
        if s < 8:
            return s
        w = s // 8 - 1
        return (8 + s % 8 << w) + stream.bits(w)

    def record(self, stream, number):
        shape = stream.symbol(self.shape)
        record = {"number": f"+{number}", "void_before": None, "name_action": ACTIONS[shape // 2 % 3]}
        record |= {"name": None, "name_until": None}
        record |= {"reason": REASONS[shape // 6 % 6], "assurance": ASSURANCES[shape // 36]}
        if shape % 2:
            record["void_before"] = self.day(stream, self.void_before)
        if record["name_action"] == "set":
            record["name_until"] = self.day(stream, self.name_until)
            record["name"] = bytes(iter(lambda: stream.symbol(self.name_byte), 0)).decode()
        return record

    @staticmethod
    def day(stream, table):
        d = stream.symbol(table)
        if d == 65536:
            d = stream.bits(16)
        return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=d))

    def records(self):
        for place in range(len(self.firsts)):
            yield from self.block(place)

    def find(self, number):
        place = bisect.bisect_right(self.firsts, number) - 1
        return [r for r in self.block(place) if r["number"] == f"+{number}"] if place >= 0 else []


def main(path, digits=None):
    with open(path, "rb") as file:
        snapshot = Snapshot(file.read())
    root = base64.b64encode(snapshot.root).decode()
    header = {"origin": snapshot.origin, "size": snapshot.size, "root": root, "count": snapshot.count}
    lines = list(snapshot.records()) if digits is None else snapshot.find(int(digits))
    assert digits or len(lines) == snapshot.count, "the count of records is another"
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for line in [header, *lines]:
        print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main(*sys.argv[1:])
