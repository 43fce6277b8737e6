"""Four times as much of anything in a file costs about four times as much to read, and not sixteen times.

Measured in the time of the processor, not of the clock, and with room for noise.
"""

import gzip
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from academy.imports.formats.kinds import read_batches
from academy.imports.formats.reading import FileRefused, Request
from academy.imports.receiving.unpacking import Unpacker, UnpackLimits

OWN = b"urn,measure,pupil_group,academic_year,period,value,reason\n"
ROW = b"135874,attendance.overall_percent,all,2025/26,autumn,92.4,\n"
REGISTER = b"URN,EstablishmentName,EstablishmentStatus (name)\n"
CENSUS = b"URN,LA,ESTAB,NOR,PSENELSE\n"
ABSENCE = b"time_period,geographic_level,school_urn,sess_overall_percent\n"


def many(count: int, part: Callable[[int], bytes], between: bytes = b",") -> bytes:
    """So many different parts."""
    return between.join(part(number) for number in range(count))


OWN_FIGURES, GIAS, PROFILES = "observations", "gias-establishments", "dfe-school-profiles"
SHAPES: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "csv: line ends": (OWN_FIGURES, lambda n: OWN + b"\n" * n),
    "csv: rows of a blank": (OWN_FIGURES, lambda n: OWN + b" \n" * (n // 8)),
    "csv: line ends after an open quotation mark": (OWN_FIGURES, lambda n: OWN + b'135874,"' + b"\n" * n),
    "csv: line ends in quotation marks": (OWN_FIGURES, lambda n: OWN + (b'"' + b"\n" * 999 + b'"\n') * (n // 1002)),
    "csv: short records in quotation marks": (OWN_FIGURES, lambda n: OWN + b'"\n"\n' * (n // 16) + b'"'),
    "csv: quotation marks in a cell": (OWN_FIGURES, lambda n: OWN + b'1,"' + b'""' * (n // 2) + b'"\n'),
    "csv: columns": (OWN_FIGURES, lambda n: OWN[:-1] + b"," + many(n // 300, b"%x".__mod__) + b"\n" + ROW),
    "csv: columns of a register": (GIAS, lambda n: REGISTER[:-1] + b"," * (n // 300) + b"\n135874,A,Open\n"),
    "csv: blank lines before the header": (OWN_FIGURES, lambda n: b"\n" * n + OWN + ROW),
    "csv: rows that are too long": (OWN_FIGURES, lambda n: OWN + (ROW[:-1] + b",x\n") * (n // 200)),
    "csv: cells in a row": (OWN_FIGURES, lambda n: OWN + b"," * n + b"x\n"),
    "csv: words that nobody knows": (GIAS, lambda n: REGISTER + many(n // 100, b"135874,A,x%x".__mod__, b"\n")),
    "csv: digits in a cell": (OWN_FIGURES, lambda n: OWN + ROW[:-6] + b"9" * n + b",\n"),
    "csv: figures that are none": (
        "dfe-census",
        lambda n: CENSUS + many(n // 100, b"135874,352,1,x%x,1".__mod__, b"\n"),
    ),
    "csv: rows of places": ("dfe-absence", lambda n: ABSENCE + many(n // 100, b"x%x,School,1,2".__mod__, b"\n")),
    "ndjson: line ends": (OWN_FIGURES, lambda n: b'{"urn":1}' + b"\n" * n),
    "ndjson: empty objects": (OWN_FIGURES, lambda n: b"{}\n" * (n // 20)),
    "ndjson: lines that are no objects": (OWN_FIGURES, lambda n: b"{}\n" + b"1\n" * (n // 100)),
    "ndjson: names": (OWN_FIGURES, lambda n: b"{" + many(n // 200, b'"k%x":1'.__mod__) + b"}\n"),
    "ndjson: names of many lines": (
        OWN_FIGURES,
        lambda n: many(n // 20_000, lambda line: b"{" + many(800, lambda i: b'"%x-%x":1' % (line, i)) + b"}", b"\n"),
    ),
    "ndjson: a name again and again": (OWN_FIGURES, lambda n: (b"{" + b'"k":1,' * 999 + b'"k":1}\n') * (n // 9000)),
    "ndjson: a longer line": (OWN_FIGURES, lambda n: b"{" + b'"k":1,' * (n // 6) + b'"k":1}\n'),
    "ndjson: nesting": (OWN_FIGURES, lambda n: b'{"urn":' + b"[" * (n // 40) + b"]" * (n // 40) + b"}\n"),
    "ndjson: nesting of many lines": (
        OWN_FIGURES,
        lambda n: (b'{"urn":' + b"[" * 500 + b"]" * 500 + b"}\n") * (n // 4000),
    ),
    "json: empty objects": (PROFILES, lambda n: b"[" + b"{}," * (n // 3) + b"{}]"),
    "json: items of a register": (
        PROFILES,
        lambda n: b"[" + many(n // 100, b'{"id":"%d","EstablishmentName":"A"}'.__mod__) + b"]",
    ),
    "json: names": (PROFILES, lambda n: b"[{" + many(n // 20, b'"k%x":1'.__mod__) + b"}]"),
    "json: a name again and again": (PROFILES, lambda n: b"[{" + b'"id":1,' * (n // 8) + b'"id":1}]'),
    "json: nesting": (PROFILES, lambda n: b"[" * n + b"]" * n),
}


def cpu_seconds(work: Callable[[], None]) -> float:
    """The least of three times that the processor needs."""
    costs = []
    for _ in range(3):
        began = time.process_time()
        work()
        costs.append(time.process_time() - began)
    return min(costs)


def is_about_linear(costs: list[float]) -> bool:
    """Four times the size: a square would be sixteen times the cost. Small costs are all noise."""
    small, large = costs
    return large < 8 * small + 0.1


def read(kind: str, file: Path) -> None:
    """Read a whole file."""
    for _ in read_batches(kind, file, Request(None if kind == OWN_FIGURES else "2023/24", "2025/26")):
        pass


@pytest.mark.parametrize("name", SHAPES)
def test_four_times_as_much_costs_about_four_times_as_much(name: str, tmp_path: Path) -> None:
    kind, make = SHAPES[name]
    file = tmp_path / "file"
    costs = []
    for size in (250_000, 1_000_000):
        file.write_bytes(make(size))
        costs.append(cpu_seconds(partial(read, kind, file)))
    assert is_about_linear(costs), costs


EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff"
HEAD = gzip.compress(b"")[:10]
MEMBER = gzip.compress(b"x", mtime=0)
PACKED: dict[str, Callable[[int], bytes]] = {
    "members": lambda n: MEMBER * (n // 20),
    "padding": lambda n: MEMBER + b"\0" * n,
    "padded members": lambda n: (MEMBER + b"\0" * 1000) * (n // 1000),
    "empty blocks": lambda n: HEAD + EMPTY_BLOCKS * n,
    "a bomb": lambda n: gzip.compress(b"\0" * (n * 60)),
    "bytes": bytes,
}


@pytest.mark.parametrize("name", PACKED)
def test_four_times_as_much_costs_about_four_times_as_much_to_unpack(name: str) -> None:
    costs = []
    for size in (250_000, 1_000_000):
        packed = PACKED[name](size)

        def unpack(packed: bytes = packed) -> None:
            unpacker = Unpacker(UnpackLimits())
            try:
                for begin in range(0, len(packed), 1 << 20):
                    for _ in unpacker.feed(packed[begin : begin + (1 << 20)]):
                        pass
                for _ in unpacker.finish():
                    pass
            except FileRefused:
                return

        costs.append(cpu_seconds(unpack))
    assert is_about_linear(costs), costs
