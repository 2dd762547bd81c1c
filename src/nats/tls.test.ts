import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { identityError } from "./tls.ts";

function certificateFor(subjectaltname: string): PeerCertificate {
  return { subject: { CN: "x" }, subjectaltname } as unknown as PeerCertificate;
}

test("a server that is given by address has to be one of the addresses, and localhost is none of them", () => {
  const hosts = ["10.0.0.1", "10.0.0.2", "fe80::1"];
  // What Node calls whom it has no name for.
  for (const name of ["", "localhost"]) {
    for (const alt of ["IP Address:10.0.0.2", "IP Address:10.9.9.9, IP Address:FE80:0:0:0:0:0:0:1"]) {
      assert.equal(identityError(hosts, name, certificateFor(alt)), undefined, alt);
    }
    for (const alt of ["DNS:localhost", "IP Address:10.9.9.9", "DNS:10.0.0.1", ""]) {
      assert.ok(identityError(hosts, name, certificateFor(alt)), alt);
    }
  }
});

test("a server that is given by name has to have that name, and no address stands for it", () => {
  assert.equal(identityError(["a.example", "10.0.0.1"], "a.example", certificateFor("DNS:a.example")), undefined);
  assert.ok(
    identityError(["a.example", "10.0.0.1"], "a.example", certificateFor("IP Address:10.0.0.1, DNS:b.example")),
  );
  assert.equal(identityError(["localhost", "10.0.0.1"], "localhost", certificateFor("DNS:localhost")), undefined);
  assert.equal(identityError(["localhost"], "localhost", certificateFor("DNS:localhost")), undefined);
  assert.ok(identityError(["localhost"], "localhost", certificateFor("IP Address:127.0.0.1")));
});
