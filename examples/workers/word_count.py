#!/usr/bin/env python3
"""
Counts words: a whole worker for Disco's worker protocol 1.1, with Python's standard library alone.

The stages are those of a job of two steps (map, reduce) and those that the master makes of a classic job (map, map_shuffle, reduce).
Parameters are the job pack's data: {"partitions": 4}, 1 if there is none.
"""
import json
import os
import re
import struct
import sys
import time
import zlib


def ask(name, payload=""):
    """Sends a message and returns the name and the payload of its answer. Both ways: NAME SP LENGTH SP JSON LF, LENGTH in bytes."""
    send(name, payload)
    name = read_word()
    body = sys.stdin.buffer.read(int(read_word()) + 1)
    return name, json.loads(body)


def send(name, payload=""):
    body = json.dumps(payload).encode("utf-8")
    sys.stderr.buffer.write(b"%s %d %s\n" % (name.encode("ascii"), len(body), body))
    sys.stderr.buffer.flush()


def read_word():
    word = b""
    while not word.endswith(b" "):
        byte = sys.stdin.buffer.read(1)
        if byte == b"":
            os._exit(1)  # The node is gone.
        word += byte
    return word[:-1].decode("ascii")


def stop(name, payload=""):
    """Sends the last message. It has no answer: whoever sent it waits to be killed."""
    send(name, payload)
    while sys.stdin.buffer.read(65536):
        pass
    os._exit(0)


def inputs():
    """Each input once, as (id, label, replicas); the list may grow while the task runs."""
    known = []
    while True:
        _, (state, entries) = ask("INPUT", ["exclude", known] if known else "")
        for number, _status, label, replicas in entries:
            known.append(number)
            yield number, label, replicas
        if state == "done":
            return


def read(number, label, replicas, reader):
    """What `reader(url, label)` makes of the first replica that can be read."""
    failed = []
    while True:
        for replica, url in replicas:
            try:
                return reader(url, label)
            except OSError as error:
                failed.append(replica)
                reason = "%s: %s" % (url, error)
        answer, payload = ask("INPUT_ERR", [number, failed])
        if answer == "FAIL":
            stop("ERROR", "input %d cannot be read: %s" % (number, reason))
        if answer == "WAIT":
            time.sleep(payload)
            _, (_, entries) = ask("INPUT", ["include", [number]])
            payload, failed = entries[0][3], []
        replicas = payload


def contents(url, label):
    """The data of an input, in pieces."""
    return [fetch(at) for _, at, _ in index(url, label)] if url.startswith("dir://") else [fetch(url)]


def index(url, label):
    """dir:// is a list of what a task put out, in lines of LABEL SP ADDRESS SP SIZE; a label of "all" means every line."""
    lines = [line.split(" ") for line in fetch(url).decode("utf-8").splitlines()]
    return [(int(each), at, int(size)) for each, at, size in lines if label == "all" or int(each) == label]


def fetch(url):
    scheme, _, rest = url.partition("://")
    if scheme == "raw":
        return rest.encode("utf-8")
    if scheme in ("disco", "dir"):
        host, _, path = rest.partition("/")
        if host == TASK["host"]:  # On this machine: a file.
            kind, _, path = path.partition("/")
            return read_file(os.path.join(TASK[kind + "_data"], path))
        url = "http://%s/%s" % (host if ":" in host else "%s:%d" % (host, TASK["disco_port"]), path)
    elif scheme not in ("http", "https"):
        return read_file(url[len("file://"):] if scheme == "file" else url)
    import urllib.request  # Here, since it takes longer to load than most tasks take.
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read()


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def write_output(label, data):
    """A file in the job home, which is the current directory; its name must differ from those of other tasks and attempts."""
    name = "%s-%d-%d-%d-%d" % (TASK["stage"], TASK["taskid"], os.getpid(), time.time_ns(), label)
    with open(name, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    ask("OUTPUT", [label, name, len(data)])


def parameters():
    """The last part of the job pack is for the worker alone."""
    with open(TASK["jobfile"], "rb") as file:
        file.seek(struct.unpack(">5I", file.read(20))[4])
        return json.loads(file.read() or b"{}")


def write_counts(counts, partitions):
    lines = [[] for _ in range(partitions)]
    for word, count in sorted(counts.items()):
        lines[zlib.crc32(word.encode("utf-8")) % partitions].append("%s %d\n" % (word, count))
    for label, part in enumerate(lines):
        if part:
            write_output(label, "".join(part).encode("utf-8"))


def map_words():
    counts = {}
    for entry in inputs():
        for data in read(*entry, contents):
            for word in re.findall("[a-z]{2,}", data.decode("utf-8", "replace").lower()):
                counts[word] = counts.get(word, 0) + 1
    write_counts(counts, parameters().get("partitions", 1))


def pass_on():
    """Outputs may be addresses: nothing is copied."""
    for entry in inputs():
        for output in read(*entry, index):
            ask("OUTPUT", output)


def reduce_counts():
    counts = {}
    for entry in inputs():
        for data in read(*entry, contents):
            for line in data.decode("utf-8").splitlines():
                word, count = line.split(" ")
                counts[word] = counts.get(word, 0) + int(count)
    write_counts(counts, 1)


STAGES = {"map": map_words, "map_shuffle": pass_on, "reduce": reduce_counts, "reduce_shuffle": pass_on}
TASK = {}


def run(stages):
    answer, _ = ask("WORKER", {"pid": os.getpid(), "version": "1.1"})
    if answer != "OK":
        os._exit(1)
    TASK.update(ask("TASK")[1])
    try:
        stages[TASK["stage"]]()
    except Exception as error:
        stop("FATAL", "%s: %s" % (type(error).__name__, error))
    stop("DONE")


if __name__ == "__main__":
    run(STAGES)
