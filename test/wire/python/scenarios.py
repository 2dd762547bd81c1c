#!/usr/bin/env python3
"""
A worker that does what a test asks for. Which stage does what is said by the job pack's data: {"do": {STAGE: NAME of a function below}}.
"""
import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import word_count
from word_count import TASK, ask, contents, index, inputs, parameters, read, send, stop, write_output


def see():
    """Puts out the group of the task and what it was given, as JSON."""
    given = []
    for number, label, replicas in inputs():
        url = replicas[0][1]
        if url.startswith("dir://"):
            seen = [[each, word_count.fetch(at).decode()] for each, at, _ in read(number, label, replicas, index)]
        else:
            seen = url
        given.append([label, seen])
    write_output(0, json.dumps({"group": TASK["group"], "inputs": given, "taskid": TASK["taskid"]}).encode())


def spread():
    """raw://0.a+1.b: puts out a with label 0 and b with label 1."""
    for entry in inputs():
        for data in read(*entry, contents):
            for part in data.decode().split("+"):
                label, text = part.split(".")
                write_output(int(label), text.encode())


def spread_signed():
    """As spread; each output says where it was made."""
    for entry in inputs():
        for data in read(*entry, contents):
            for part in data.decode().split("+"):
                label, text = part.split(".")
                write_output(int(label), ("%s@%s" % (text, TASK["host"])).encode())


def wait_for_reader():
    """What copies does; raw://wait ends only when a task of the next stage has read the output of another one."""
    for entry in inputs():
        data = b"".join(read(*entry, contents))
        while data == b"wait" and not os.path.exists("is-being-read"):
            time.sleep(0.02)
        write_output(0, data)


def read_beside():
    texts = []
    for entry in inputs():
        texts += [word_count.fetch(at).decode() for _, at, _ in read(*entry, index)]
        open("is-being-read", "w").close()
    write_output(0, json.dumps(sorted(texts)).encode())


def copy():
    """One output with all that there is."""
    write_output(0, b"".join(data for entry in inputs() for data in read(*entry, contents)))


def count():
    """How many inputs there are, and how often the list had to be asked for."""
    asked, known = 0, []
    while True:
        asked += 1
        _, (state, entries) = ask("INPUT", ["exclude", known] if known else "")
        known += [entry[0] for entry in entries]
        if state == "done":
            break
    write_output(0, json.dumps({"inputs": len(known), "asked": asked, "ids": len(set(known))}).encode())


def addresses():
    """Puts out addresses."""
    for label, url in enumerate(parameters()["addresses"]):
        ask("OUTPUT", [label, url, 5])


def on_first_attempt(act):
    """The job home is the same for all attempts on this node."""
    mark = "attempted-%s-%d" % (TASK["stage"], TASK["taskid"])
    if not os.path.exists(mark):
        open(mark, "w").close()
        act()
    copy()


def error_first():
    on_first_attempt(lambda: stop("ERROR", "not yet: blåbær"))


def crash_first():
    def crash():
        os.write(2, b"Traceback: this is the end\n")
        os._exit(3)

    on_first_attempt(crash)


def killed_first():
    on_first_attempt(lambda: os.kill(os.getpid(), signal.SIGSEGV))


def fatal():
    stop("FATAL", "there is no point in going on")


def chat():
    for n in range(parameters()["messages"]):
        answer, payload = ask("MSG", "message %d" % n)
        assert (answer, payload) == ("OK", "ok"), (answer, payload)
    copy()


def linger():
    """Says which processes there are, and does not end."""
    child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(parameters()["pids"], "a") as file:
        file.write("%d %d\n" % (os.getpid(), child.pid))
    ask("MSG", "lingering")
    time.sleep(600)


def put_oob():
    """Stores a value beside the results, as Disco's own workers do: a blob of its own, linked to by the job's tag."""
    job = TASK["jobname"]
    name = "disco:job:oob:" + job
    key, value = "greeting", b"good day"
    blob = "%s-%s" % (key, job.replace("@", ":"))
    [place] = json.loads(http("GET", TASK["master"] + "/ddfs/new_blob/" + blob))
    url = json.loads(http("PUT", place, value))
    body = json.dumps([[url]]).encode()
    http("POST", "%s/ddfs/tag/%s?update=1" % (TASK["master"], urllib.parse.quote(name, safe="@:")), body, token="job")
    copy()


def http(method, url, body=None, token=None):
    request = urllib.request.Request(url, data=body, method=method)
    if token is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(b"token:" + token.encode()).decode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def environment():
    write_output(0, json.dumps(dict(os.environ), sort_keys=True).encode())


class Stages(dict):
    def __missing__(self, stage):
        return globals()[parameters()["do"][stage]]


if __name__ == "__main__":
    word_count.run(Stages())
