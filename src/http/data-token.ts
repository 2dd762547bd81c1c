/**
 * The token for data: what workers show when they read outputs and out-of-band values at other nodes. Workers run the code of
 * whoever may submit jobs, so they get no token that allows more. It is derived from the cluster's token: every process that has
 * that one computes the same, nothing else is to be set or handed around, and it does not lead back.
 */
import { hkdfSync } from "node:crypto";

/** Another text makes another token: all masters and nodes must have the same one. */
const label = "disco-mapreduce: token for data, 1";
const dataTokenBytes = 32;

/** What a token gives the right to read files of jobs with, and nothing else. 43 characters, fit for a header. */
export function dataTokenOf(token: string): string {
  return Buffer.from(hkdfSync("sha256", token, "", label, dataTokenBytes)).toString("base64url");
}
