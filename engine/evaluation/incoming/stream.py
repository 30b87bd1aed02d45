"""Chunks of bytes to unzipped chunks to lines, with bounded memory; nothing is looked into beyond that."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from engine.errors import BadRow
from engine.evaluation.incoming.faults import TooLarge, Unreadable

GZIP: Final = b"\x1f\x8b"
_STEP: Final = 1 << 18
_MEGA: Final = 1_000_000


def limited(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The chunks, while they are ``limit`` bytes at most. Raises `TooLarge`."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            message = f"there are more than {limit // _MEGA} MB; send it in several parts"
            raise TooLarge([BadRow("too_large", message)])
        yield chunk


def unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What gzip packed, a quarter of a megabyte at a time however well it was packed. Raises `Unreadable`."""
    unpack = zlib.decompressobj(wbits=31)
    begun = False
    for chunk in chunks:
        rest = chunk
        while rest:
            begun = True
            if unpack.eof:
                unpack = zlib.decompressobj(wbits=31)
            try:
                yield unpack.decompress(rest, _STEP)
            except zlib.error:
                raise Unreadable(
                    [BadRow("bad_gzip", "this is not gzip data, or it is damaged; pack it again")]
                ) from None
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    if not begun or not unpack.eof:
        message = "the gzip data ends too early: the file is truncated; pack or copy it again"
        raise Unreadable([BadRow("truncated_gzip", message)])


def zipped_unsaid() -> Unreadable:
    """What is said of a body that is packed and does not say so."""
    message = "this is packed with gzip; send it with Content-Encoding: gzip, or unpack it first"
    return Unreadable([BadRow("unexpected_gzip", message)])


def line_blocks(chunks: Iterable[bytes], longest: int) -> Iterator[list[bytes]]:
    """Lines without their ends, in blocks of about one chunk. Raises `Unreadable` at a line over ``longest`` bytes."""
    rest = b""
    number = 0
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > longest or max(map(len, lines), default=0) > longest:
            raise _too_long([*lines, rest], number, longest)
        number += len(lines)
        if lines:
            yield lines
    if rest:
        yield [rest]


def peeked(chunks: Iterable[bytes], size: int = 4_096) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all chunks again."""
    source = iter(chunks)
    kept: list[bytes] = []
    known = 0
    for chunk in source:
        kept.append(chunk)
        known += len(chunk)
        if known >= size:
            break
    return b"".join(kept)[:size], _chained(kept, source)


def _chained(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest


def _too_long(lines: list[bytes], before: int, longest: int) -> Unreadable:
    index = next(index for index, line in enumerate(lines) if len(line) > longest)
    message = f"this line is longer than {longest // 1024} KiB; is a line end missing?"
    return Unreadable([BadRow("long_line", message, line=before + index + 1)])
