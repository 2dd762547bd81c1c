#!/usr/bin/env python3
"""A word count as an external program, map and reduce in one. Python 3, standard library only.

Map: the words of a line, each with "1". Reduce: of sorted pairs, each word with the sum.

Output has a large buffer. It is flushed before each read that may wait: Disco sends a thousand lines at once, so that most reads find
the next record in the buffer already.
"""
import re
import struct
import sys

output = bytearray()
size = struct.Struct("<I")
words = re.compile("[a-z]{2,}")


class Input:
    """Standard input with a buffer of our own, so that we know when a read would have to wait."""

    def __init__(self):
        self.data = b""
        self.at = 0

    def take(self, count):
        """So many bytes; fewer only at the end."""
        while len(self.data) - self.at < count:
            flush()
            more = sys.stdin.buffer.read1(1 << 18)
            if not more:
                break
            self.data = self.data[self.at :] + more
            self.at = 0
        taken = self.data[self.at : self.at + count]
        self.at += len(taken)
        return taken

    def item(self):
        (count,) = size.unpack(self.take(4))
        item = self.take(count)
        if len(item) < count:
            sys.exit("the input ends in the middle of a record")
        return item

    def params(self):
        """The parameters in netstring form. This program has none; it only has to read them."""
        digits = b""
        while (c := self.take(1)) not in (b"\n", b""):
            digits += c
        self.take(int(digits))

    def records(self):
        while head := self.take(4):
            key = self.take(*size.unpack(head))
            yield key, self.item()


def flush():
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    output.clear()


def write_list(pairs):
    output.extend(size.pack(len(pairs)))
    for key, value in pairs:
        output.extend(b"".join((size.pack(len(key)), key, size.pack(len(value)), value)))


def do_map(records):
    for _, line in records:
        write_list([(word.encode(), b"1") for word in words.findall(line.decode().lower())])


def do_reduce(records):
    word, count = None, 0
    for key, value in records:
        if key != word:
            if word is not None:
                write_list([(word, b"%d" % count)])
            word, count = key, 0
        count += int(value)
    if word is not None:
        write_list([(word, b"%d" % count)])


def main():
    source = Input()
    source.params()
    (do_map if sys.argv[1] == "map" else do_reduce)(source.records())
    flush()


main()
