#!/usr/bin/env python3
"""
A client of Disco's, with Python's standard library alone: it makes job packs, submits them, waits, and reads results, as Disco's own
client does it on the wire (one request a connection, ranges of 10 MiB, busy masters asked again).

    client.py MASTER run      job on stdin; prints {"job", "status", "results", "outputs"}
    client.py MASTER submit   job on stdin; prints {"job"}
    client.py MASTER wait JOB
    client.py MASTER pack     prints the job pack itself

A job is JSON: {"version": 1 | 2, "jobdict": {}, "jobenvs": {}, "files": {name: path on disk}, "data": any}.
"""
import http.client
import io
import json
import os
import random
import stat
import struct
import sys
import time
import urllib.parse
import zipfile

RANGE_BYTES = 10 * 1024 * 1024
TRIES = 9


class Client:
    def __init__(self, master):
        place = urllib.parse.urlsplit(master)
        self.host, self.port = place.hostname, place.port

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body; asks again while the master is busy or not there."""
        for attempt in range(TRIES):
            connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
            try:
                connection.request(method, path, body, {"Connection": "close", **(headers or {})})
                answer = connection.getresponse()
                if answer.status != 503:
                    return answer.status, answer.headers, answer.read()
            except ConnectionRefusedError:
                if attempt == TRIES - 1:
                    raise
            finally:
                connection.close()
            time.sleep(random.uniform(0.05, 0.05 * 2 ** attempt))
        raise SystemExit("%s %s: the master is busy" % (method, path))

    def json(self, method, path, body=None):
        status, _, answer = self.ask(method, path, None if body is None else json.dumps(body))
        if status // 100 != 2:
            raise SystemExit("%s %s: %d %r" % (method, path, status, answer))
        return json.loads(answer)

    def submit(self, pack):
        status, _, answer = self.ask("POST", "/disco/job/new", pack)
        said, name = json.loads(answer)
        if status != 200 or said != "ok":
            raise SystemExit(json.dumps({"error": name}))
        return name

    def wait(self, job):
        """Asks until the job has ended: (status, results)."""
        while True:
            for name, (status, results) in self.json("POST", "/disco/ctrl/get_results", [10000, [job]]):
                if name == job and status != "active":
                    return status, results

    def read(self, url):
        """What an address of Disco's has, asked for in ranges; data of other nodes by way of the master."""
        host, _, path = url.split("://", 1)[1].partition("/")
        path = "/" + path if host == "localhost" else "/proxy/%s/GET/%s" % (host, path)
        data = b""
        while True:
            wanted = "bytes=%d-%d" % (len(data), len(data) + RANGE_BYTES - 1)
            status, headers, body = self.ask("GET", path, headers={"Range": wanted})
            if status == 200:
                return body
            if status != 206:
                raise SystemExit("GET %s: %d %r" % (path, status, body))
            data += body
            if len(data) >= int(headers["Content-Range"].rsplit("/", 1)[1]):
                return data

    def outputs(self, results):
        """[label, text] of every output that the indexes name."""
        outputs = []
        for replicas in results:
            for line in self.read(replicas[0]).decode("utf-8").splitlines():
                label, url, size = line.split(" ")
                data = self.read(url) if url.startswith("disco://") else url.encode("utf-8")
                if url.startswith("disco://") and len(data) != int(size):
                    raise SystemExit("%s has %d bytes, and not %s" % (url, len(data), size))
                outputs.append([int(label), data.decode("utf-8")])
        return outputs

    def events(self, job):
        """Events of a job, read piece by piece as they come."""
        offset, text = 0, b""
        while True:
            status, _, body = self.ask(
                "GET", "/disco/ctrl/rawevents?name=" + urllib.parse.quote(job), headers={"Range": "bytes=%d-" % offset}
            )
            # Past the end the whole of it comes, with status 200.
            if status == 200 and offset > 0:
                return [json.loads(line) for line in text.splitlines()]
            text, offset = text + body, offset + len(body)


def make_pack(job):
    parts = [
        json.dumps(job["jobdict"]).encode("utf-8"),
        json.dumps(job.get("jobenvs", {})).encode("utf-8"),
        make_home(job.get("files", {})),
    ]
    offsets = [128]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    header = struct.pack(">5I", 0xD5C00000 | job["version"], *offsets)
    return header + bytes(128 - len(header)) + b"".join(parts) + json.dumps(job.get("data", {})).encode("utf-8")


def make_home(files):
    home = io.BytesIO()
    with zipfile.ZipFile(home, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(os.stat(path).st_mode)) << 16
            with open(path, "rb") as file:
                archive.writestr(entry, file.read(), zipfile.ZIP_DEFLATED)
    return home.getvalue()


def main(master, command, *names):
    client = Client(master)
    if command == "wait":
        job = names[0]
    elif command == "pack":
        sys.stdout.buffer.write(make_pack(json.load(sys.stdin)))
        return
    else:
        job = client.submit(make_pack(json.load(sys.stdin)))
    if command == "submit":
        print(json.dumps({"job": job}))
        return
    status, results = client.wait(job)
    is_saved = any(isinstance(result, str) for result in results)
    outputs = client.outputs(results) if status == "ready" and not is_saved else []
    events = [message for _, _, message in client.events(job)]
    print(json.dumps({"job": job, "status": status, "results": results, "outputs": outputs, "events": events}))


if __name__ == "__main__":
    main(*sys.argv[1:])
