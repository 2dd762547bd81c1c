"""Maps that say where they ran; a reduce that reads all of them, and keeps a value in DDFS, as Disco's own workers do."""
import base64
import json
import os
import time
import urllib.error
import urllib.request

import word_count as disco


def map_place():
    for entry in disco.inputs():
        for data in disco.read(*entry, disco.contents):
            time.sleep(disco.parameters()["seconds"])  # So that no node does the work of the other.
            line = "%s %s\n" % (data.decode(), disco.TASK["host"])
            disco.write_output(0, line.encode())


def http(method, url, body=None, token=None):
    request = urllib.request.Request(url, data=body, method=method)
    if token is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(b"token:" + token.encode()).decode())
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.status, answer.read()


def status(method, url, body=None):
    try:
        return http(method, url, body)[0]
    except urllib.error.HTTPError as error:
        return error.code


def reduce_places():
    said = {"lines": [], "addresses": [], "environment": {k: v for k, v in os.environ.items() if k.startswith(("DISCO_", "DDFS_"))}}
    for number, label, replicas in disco.inputs():
        said["addresses"] += [url for _, url in replicas]
        said["addresses"] += [at for _, at, _ in disco.read(number, label, replicas, disco.index)]
        for data in disco.read(number, label, replicas, disco.contents):
            said["lines"] += data.decode().splitlines()
    master = disco.TASK["master"]
    folder, replicas = disco.parameters()["folder"], disco.parameters()["replicas"]
    tag = "%s/ddfs/tag/disco:job:oob:%s" % (master, disco.TASK["jobname"])
    places = json.loads(http("GET", master + "/ddfs/new_blob/places?replicas=%d" % replicas)[1])
    stored = [http("PUT", place, "\n".join(sorted(said["lines"])).encode()) for place in places]
    said["stored"] = [code for code, _ in stored]
    open(os.path.join(folder, "stored"), "w").close()
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.02)
    urls = [[json.loads(address) for _, address in stored]]
    said["tagged"] = http("POST", tag + "?delayed=1&update=", json.dumps(urls).encode(), "job")[0]
    said["without token"] = status("GET", tag)
    listed = json.loads(http("GET", tag, token="job")[1])["urls"]
    said["blobs"] = [http("GET", url)[1].decode() for url in listed[0]]
    # A client adds what it was given.
    said["again"] = http("PUT", tag, json.dumps(listed).encode(), "job")[0]
    said["control"] = status("GET", master + "/ddfs/ctrl/gc_start")
    said["jobs"] = status("GET", master + "/disco/ctrl/joblist")
    disco.write_output(0, json.dumps(said).encode())


disco.run({"map": map_place, "reduce": reduce_places})
