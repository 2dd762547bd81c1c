import assert from "node:assert/strict";
import { test } from "node:test";
import { accountOf } from "./account.ts";
import { urlOf } from "./connection.ts";

const keys = { AWS_ACCESS_KEY_ID: "AK", AWS_SECRET_ACCESS_KEY: "very secret" };

test("the server and who asks come from the usual variables, ours first", () => {
  assert.deepEqual(accountOf({ ...keys, AWS_SESSION_TOKEN: "t", AWS_ENDPOINT_URL: "http://store:9000/" }), {
    endpoint: "http://store:9000",
    region: "us-east-1",
    credentials: { accessKeyId: "AK", secretAccessKey: "very secret", sessionToken: "t" },
  });
  const ours = { DISCO_S3_ENDPOINT: "https://ours", AWS_ENDPOINT_URL: "https://theirs", AWS_REGION: "eu-central-1" };
  assert.deepEqual(accountOf(ours), { endpoint: "https://ours", region: "eu-central-1", credentials: null });
  assert.equal(accountOf({ AWS_ENDPOINT_URL: " ", AWS_REGION: "" }).endpoint, null);
});

test("half of the credentials, and what is no server, are named without a secret", () => {
  const refused = (env: Record<string, string>, message: RegExp): void => {
    assert.throws(
      () => accountOf(env),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "bad-s3-settings");
        assert.match(error.message, message);
        assert.doesNotMatch(error.message + error.hint, /very secret/);
        return true;
      },
    );
  };
  refused({ AWS_SECRET_ACCESS_KEY: "very secret" }, /AWS_ACCESS_KEY_ID is not/);
  refused({ AWS_ACCESS_KEY_ID: "AK" }, /AWS_SECRET_ACCESS_KEY is not/);
  refused({ AWS_ENDPOINT_URL: "https://user:very secret@store" }, /AWS_ENDPOINT_URL/);
  refused({ AWS_ENDPOINT_URL: "store:9000" }, /AWS_ENDPOINT_URL/);
  refused({ DISCO_S3_ENDPOINT: "ftp://store" }, /DISCO_S3_ENDPOINT/);
  refused({ AWS_REGION: "eu/../x" }, /AWS_REGION/);
});

test("Amazon's buckets are hosts where a certificate covers them, all others are paths", () => {
  const amazon = { endpoint: null, region: "eu-central-1", credentials: null };
  const key = "a b/ü+(1).txt";
  const path = "a%20b/%C3%BC%2B%281%29.txt";
  assert.equal(urlOf(amazon, { bucket: "logs", key }), `https://logs.s3.eu-central-1.amazonaws.com/${path}`);
  assert.equal(urlOf(amazon, { bucket: "my.logs", key }), `https://s3.eu-central-1.amazonaws.com/my.logs/${path}`);
  assert.equal(
    urlOf({ ...amazon, endpoint: "http://store:9000" }, { bucket: "logs", key }),
    `http://store:9000/logs/${path}`,
  );
  assert.equal(
    urlOf({ ...amazon, region: "cn-north-1" }, { bucket: "logs", key: "", query: { prefix: "a/b &" } }),
    "https://logs.s3.cn-north-1.amazonaws.com.cn/?prefix=a%2Fb%20%26",
  );
});
