#!/usr/bin/env python3
"""A word count as an external program, map and reduce in one. Python 3, standard library only.

Map: the words of a line, each with "1". Reduce: of sorted pairs, each word with the sum.

Disco sends a thousand lines at once. They are taken out of one buffer, and what they give is gathered in another, which is written
before each read: so there is a system call a thousand lines, and Disco never waits for a result that lies here.
"""
import re
import struct
import sys

size = struct.Struct("<I")
words = re.compile("[a-z]{2,}")
output = []


def flush():
    sys.stdout.buffer.write(b"".join(output))
    sys.stdout.buffer.flush()
    output.clear()


def more():
    """The next bytes of the input; none at its end."""
    flush()
    return sys.stdin.buffer.read1(1 << 18)


def without_params(data):
    """The input behind the parameters, of which this program has none: a line with their size, then the parameters."""
    while b"\n" not in data:
        data += more()
    line, data = data.split(b"\n", 1)
    while len(data) < int(line):
        data += more()
    return data[int(line) :]


def records():
    """Pairs of key and value."""
    data = without_params(more())
    at = 0
    while True:
        # At the end of what is whole one of these finds too little.
        try:
            (key_size,) = size.unpack_from(data, at)
            (value_size,) = size.unpack_from(data, at + 4 + key_size)
            end = at + 8 + key_size + value_size
            whole = end <= len(data)
        except struct.error:
            whole = False
        if whole:
            key_at = at + 4
            value_at = key_at + key_size + 4
            yield data[key_at : key_at + key_size], data[value_at:end]
            at = end
            continue
        rest = more()
        if not rest:
            if at < len(data):
                sys.exit("the input ends in the middle of a record")
            return
        data = data[at:] + rest
        at = 0


def write_list(pairs):
    output.append(size.pack(len(pairs)))
    for key, value in pairs:
        output.extend((size.pack(len(key)), key, size.pack(len(value)), value))


def do_map():
    for _, line in records():
        write_list([(word.encode(), b"1") for word in words.findall(line.decode().lower())])


def do_reduce():
    word, count = None, 0
    for key, value in records():
        if key != word:
            if word is not None:
                write_list([(word, b"%d" % count)])
            word, count = key, 0
        count += int(value)
    if word is not None:
        write_list([(word, b"%d" % count)])


if sys.argv[1] == "map":
    do_map()
else:
    do_reduce()
flush()
