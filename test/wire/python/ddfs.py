#!/usr/bin/env python3
"""
What Disco's client asks of DDFS, in the order in which its own tests do, with Python's standard library alone. One JSON object on stdout:
what was seen, by name.

    ddfs.py MASTER TAG
"""
import base64
import json
import sys
import urllib.parse

from client import Client


class Ddfs(Client):
    """Requests of DDFS show a token as Disco's client shows it: also an empty one."""

    def status(self, method, path, body=None, token=None, headers=None):
        shown = {} if token is None else {"Authorization": "Basic " + base64.b64encode(b"token:" + token.encode()).decode()}
        return self.ask(method, path, body, {**shown, **(headers or {})})

    def tag(self, name, urls, token=None, **flags):
        query = urllib.parse.urlencode({"delayed": "", "update": "", **flags})
        return self.status("POST", "/ddfs/tag/%s?%s" % (name, query), json.dumps(urls), token)[0]

    def get(self, name, token=None):
        """(status, tag), asked for with a range as all that Disco's client opens."""
        status, _, body = self.status("GET", "/ddfs/tag/" + name, token=token, headers={"Range": "bytes=0-10485759"})
        return status, json.loads(body) if status // 100 == 2 else None

    def put_attribute(self, name, attribute, value, token=None):
        return self.status("PUT", "/ddfs/tag/%s/%s" % (name, attribute), json.dumps(value), token)[0]

    def attribute(self, method, name, attribute, token=None):
        return self.status(method, "/ddfs/tag/%s/%s" % (name, attribute), token=token)[0]

    def places(self, name, exclude=()):
        query = "" if not exclude else "?exclude=" + ",".join(exclude)
        status, _, body = self.status("GET", "/ddfs/new_blob/%s%s" % (name, query))
        return status, json.loads(body) if status == 200 else []

    def push(self, tag, name, data, token=None, **flags):
        """Stores a blob and adds it to a tag: the blob's address."""
        status, urls = self.places(name)
        assert status == 200 and len(urls) == 1, (status, urls)
        place = urllib.parse.urlsplit(urls[0])
        status, _, body = Ddfs("http://" + place.netloc).status("PUT", place.path, data, token)
        assert status == 201, (status, body)
        address = json.loads(body)
        assert self.tag(tag, [[address]], token, **flags) == 200
        return address


def blob_name(url):
    """As Disco's client takes it from an address."""
    return url.split("/")[-1].split("$")[0]


def main(master, tag):
    ddfs = Ddfs(master)
    seen = {}

    ddfs.push(tag, "dup", b"one")
    before = ddfs.get(tag)[1]
    ddfs.push(tag, "dup", b"two", update="1")
    ddfs.tag(tag, [])
    after = ddfs.get(tag)[1]
    seen["names"] = [blob_name(replicas[0]) for replicas in after["urls"]]
    seen["same version"] = before["id"] == after["id"]
    ddfs.push(tag, "other", b"three", delayed="1")
    ddfs.push(tag, "empty", b"")
    changed = ddfs.get(tag)[1]
    seen["names later"] = [blob_name(replicas[0]) for replicas in changed["urls"]]
    seen["another version"] = changed["id"] != after["id"]
    seen["contents"] = [ddfs.read(replicas[0]).decode() for replicas in changed["urls"]]

    seen["set"] = ddfs.put_attribute(tag, "owner", "me")
    seen["deleted"] = [ddfs.attribute("DELETE", tag, "owner") for _ in range(2)]
    seen["gone"] = ddfs.attribute("GET", tag, "owner")

    ddfs.put_attribute(tag, "ddfs:read-token", "")
    ddfs.put_attribute(tag, "ddfs:write-token", "")
    seen["empty token"] = [ddfs.get(tag, token)[0] for token in (None, "x", "")]
    seen["deleted with it"] = [ddfs.status("DELETE", "/ddfs/tag/" + tag, token=token)[0] for token in (None, "")]
    seen["gone tag"] = ddfs.get(tag)[0]

    ddfs.push(tag, "blob", b"", token="job", delayed="1")
    seen["token of its maker"] = [ddfs.get(tag, token)[0] for token in (None, "other", "job")]
    ddfs.status("DELETE", "/ddfs/tag/" + tag, token="job")

    host = urllib.parse.urlsplit(ddfs.places("blob")[1][0]).hostname
    seen["excluded"] = [ddfs.places("blob", [name])[0] for name in (host, "nobody")]
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
