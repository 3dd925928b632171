# SPDX-License-Identifier: MIT
"""Reads the console stream described in hv/abi/record.h, as it arrives.

Nothing is dropped: what is no valid record comes out as Corrupt, what is no record as Line.
"""
import json
import re
import zlib
from typing import NamedTuple

RS = b"\x1e"
SOFT_BREAK = b"\x1d"
_PREFIX = re.compile(rb"\[([A-Za-z0-9_.-]{1,31})\] ")
_PREFIX_BEGUN = re.compile(rb"(\[[A-Za-z0-9_.-]{0,31}\]?)?")
_FRAME = re.compile(rb"([0-9a-f]{8}) (.*)", re.DOTALL)


class Line(NamedTuple):
    """A finished line of console text. source: the VM's name, "" for the hypervisor."""
    source: str
    text: bytes
    partial: bool = False  # the stream ended before the line did


class Record(NamedTuple):
    """A record whose checksum is right."""
    source: str
    value: dict


class Corrupt(NamedTuple):
    """Something that began like a record and is none."""
    source: str
    reason: str
    raw: bytes


def encode(value):
    """The line, as bytes, that carries the record value."""
    text = json.dumps(value, separators=(",", ":")).encode()
    return RS + b"%08x " % zlib.crc32(text) + text + b"\n"


def _refuse_constant(name):
    raise ValueError(f"{name} is no JSON number")


def parse_record(source, raw):
    """raw: what follows RS up to the end of the line. Returns a Record or a Corrupt."""
    frame = _FRAME.fullmatch(raw)
    if not frame:
        return Corrupt(source, "no checksum", raw)
    stated, text = int(frame[1], 16), frame[2]
    if zlib.crc32(text) != stated:
        return Corrupt(source, f"checksum is {zlib.crc32(text):08x}, not {stated:08x}", raw)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return Corrupt(source, f"not JSON: {error}", raw)
    if not isinstance(value, dict) or not isinstance(value.get("t"), str):
        return Corrupt(source, 'not an object with a type "t"', raw)
    return Record(source, value)


class Reader:
    """Incremental: feed() bytes, get events.

    names: the VMs whose prefix counts; None accepts every well-formed one; empty accepts none
    (a payload running natively writes no prefix).
    """

    def __init__(self, names=None):
        self._names = None if names is None else {n.encode() for n in names}
        self._tail = bytearray()  # of the stream, since the last LF
        self._scanned = 0         # bytes of _tail known to hold no LF
        self._parts = {}          # source -> text before its last soft break

    def feed(self, data):
        """Takes the next bytes; returns the events they complete."""
        events = []
        self._tail += data
        while (end := self._tail.find(b"\n", self._scanned)) >= 0:
            raw = bytes(self._tail[:end])
            del self._tail[:end + 1]
            self._scanned = 0
            self._take(raw, events)
        self._scanned = len(self._tail)
        return events

    def finish(self):
        """The stream has ended. What was unfinished comes out, marked as such."""
        events = []
        if self._tail:
            source, text = self._split(bytes(self._tail))
            self._parts[source] = self._parts.get(source, b"") + text.rstrip(SOFT_BREAK)
        for source, text in self._parts.items():
            self._logical(source, text, events, partial=True)
        self._tail.clear()
        self._parts.clear()
        self._scanned = 0
        return events

    def pending(self, source):
        """Text of source's unfinished line so far, for showing prompts live; b"" if none."""
        text = self._parts.get(source, b"")
        raw = bytes(self._tail)
        if self._names == set() or not _PREFIX_BEGUN.fullmatch(raw):
            where, more = self._split(raw)
            if where == source:
                text += more
        return text.split(RS)[0].split(SOFT_BREAK)[0]

    def _split(self, raw):
        prefix = _PREFIX.match(raw)
        if prefix and (self._names is None or prefix[1] in self._names):
            return prefix[1].decode(), raw[prefix.end():]
        return "", raw

    def _take(self, raw, events):
        source, text = self._split(raw)
        text = self._parts.pop(source, b"") + text
        if text.endswith(SOFT_BREAK):
            self._parts[source] = text[:-1]
        else:
            self._logical(source, text.removesuffix(b"\r"), events)

    @staticmethod
    def _logical(source, line, events, partial=False):
        text, *records = line.split(RS)
        if text or not records:
            events.append(Line(source, text, partial and not records))
        for raw in records:
            event = parse_record(source, raw)
            if partial and isinstance(event, Corrupt):
                event = event._replace(reason="cut off by the end of the stream")
            events.append(event)
