# SPDX-License-Identifier: MIT
"""The stream reader: framing, checksums, prefixes, soft breaks, truncation."""
import os
import re
import zlib

import pytest
import streams
from tollgate.reader import Corrupt, Line, Reader, Record, encode


def read(data, names=None):
    """All events of a whole stream."""
    reader = Reader(names)
    return reader.feed(data) + reader.finish()


def raw_record(text):
    """The line of any JSON text with a right checksum."""
    return b"\x1e%08x " % zlib.crc32(text) + text + b"\n"


def test_marks_agree_with_the_published_header(root):
    with open(os.path.join(root, "hv", "abi", "record.h"), encoding="utf-8") as file:
        text = file.read()
    assert re.search(r"#define RECORD_RS +'\\x1e'", text)
    assert re.search(r"#define RECORD_SOFT_BREAK +'\\x1d'", text)


def test_crc_is_the_one_of_the_header():
    assert zlib.crc32(b"123456789") == 0xCBF43926


def test_line_and_record():
    assert read(b"boot\n" + encode({"t": "end"})) == [
        Line("", b"boot"), Record("", {"t": "end"})]


def test_prefix_names_the_source():
    assert read(b"[a] text\n[b] " + encode({"t": "x"})) == [
        Line("a", b"text"), Record("b", {"t": "x"})]


def test_unknown_prefix_belongs_to_the_hypervisor():
    assert read(b"[0.5] log\n[a] x\n", {"a"}) == [Line("", b"[0.5] log"), Line("a", b"x")]


def test_no_names_means_no_prefix():
    assert read(b"[a] x\n", ()) == [Line("", b"[a] x")]


def test_prefix_needs_its_blank():
    assert read(b"[a]x\n") == [Line("", b"[a]x")]


def test_empty_lines_are_kept():
    assert read(b"\n[a] \n") == [Line("", b""), Line("a", b"")]


def test_carriage_returns_of_a_serial_line():
    assert read(b"text\r\n" + encode({"t": "x"}).replace(b"\n", b"\r\n")) == [
        Line("", b"text"), Record("", {"t": "x"})]


def test_soft_breaks_join_each_source():
    assert read(b"[a] he\x1d\n[b] one\x1d\nlog\n[a] ll\x1d\n[b]  two\n[a] o\n") == [
        Line("", b"log"), Line("b", b"one two"), Line("a", b"hello")]


def test_record_across_soft_breaks():
    line = encode({"t": "bench", "name": "x"})
    data = b"[a] " + line[:20] + b"\x1d\nlog\n[a] " + line[20:]
    assert read(data) == [Line("", b"log"), Record("a", {"t": "bench", "name": "x"})]


def test_record_after_an_unfinished_line():
    assert read(b"prompt> " + encode({"t": "x"})) == [
        Line("", b"prompt> "), Record("", {"t": "x"})]


@pytest.mark.parametrize("position", range(1, 30))
def test_any_changed_byte_is_reported(position):
    line = bytearray(encode({"t": "bench", "name": "exit.cpuid"}))
    line[position] ^= 1
    events = read(bytes(line))
    assert [type(e) for e in events] == [Corrupt]


@pytest.mark.parametrize("text", [
    b'{"t":1}', b'{"x":"y"}', b"[1]", b"5", b'{"t":"x"', b'{"t":"x","v":NaN}', b"",
    b'{"t":"x","v":"\x01"}', b"[" * 5000])
def test_right_checksum_wrong_content(text):
    events = read(raw_record(text))
    assert [type(e) for e in events] == [Corrupt]


def test_record_interrupted_by_another_is_corrupt_the_other_survives():
    whole = encode({"t": "x"})
    events = read(whole[:-5] + whole)
    assert [type(e) for e in events] == [Corrupt, Record]


def test_upper_case_checksum_is_refused():
    line = encode({"t": "x", "n": 1})
    assert line[1:9] != line[1:9].upper()
    assert isinstance(read(line[:1] + line[1:9].upper() + line[9:])[0], Corrupt)


def test_truncated_record():
    events = read(encode({"t": "x", "value": 12345})[:-6])
    assert len(events) == 1 and isinstance(events[0], Corrupt)
    assert "cut off" in events[0].reason


def test_complete_record_without_its_line_feed_counts():
    assert read(encode({"t": "x"})[:-1]) == [Record("", {"t": "x"})]


def test_partial_last_line_is_kept_and_marked():
    assert read(b"done\n[a] log") == [Line("", b"done"), Line("a", b"log", True)]


def test_soft_broken_rest_is_kept():
    assert read(b"[a] one\x1d\nend\n") == [Line("", b"end"), Line("a", b"one", True)]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1000])
def test_any_slicing_gives_the_same_events(step):
    data = streams.tollgate() + b"[exits] tail\x1d\nx\n[exits] end"
    reader = Reader({"exits"})
    events = []
    for i in range(0, len(data), step):
        events += reader.feed(data[i:i + step])
    assert events + reader.finish() == read(data, {"exits"})


def test_binary_noise_is_text_not_an_error():
    data = bytes(b for b in range(256) if b not in (0x0a, 0x0d, 0x1d, 0x1e)) + b"\n"
    assert read(data) == [Line("", data[:-1])]


def test_pending_shows_a_prompt_but_no_record_and_no_prefix():
    reader = Reader({"a"})
    reader.feed(b"[a")
    assert reader.pending("a") == b"" and reader.pending("") == b""
    reader.feed(b"] log")
    assert reader.pending("a") == b"log"
    reader.feed(b"\x1d\nother\n[a] in: ")
    assert reader.pending("a") == b"login: "
    reader.feed(b"\x1e0123")
    assert reader.pending("a") == b"login: "
    reader.feed(b"\n")
    assert reader.pending("a") == b""
