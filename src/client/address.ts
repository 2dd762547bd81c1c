/** Where the master is: none (the engine in this process), `disco://host[:port]` or `http(s)://…`. */
import { DiscoError } from "../errors.ts";
import { notYet } from "./not-yet.ts";
import { shown } from "./option-checks.ts";

/**
 * Checks the address that was given, or `DISCO_MASTER`.
 * @throws DiscoError `bad-address`; `not-yet` for every master that is not the embedded one
 */
export function checkAddress(address: unknown): void {
  const given = address !== undefined && address !== "";
  const master = given ? address : process.env["DISCO_MASTER"];
  if (master === undefined || master === "") return;
  const from = given ? "" : " (from DISCO_MASTER)";
  const valid =
    typeof master === "string" &&
    (/^disco:\/\/[^/:\s]+(?::\d{1,5})?\/?$/.test(master) || (/^https?:\/\//.test(master) && URL.canParse(master)));
  if (!valid) {
    throw new DiscoError(
      `${typeof master === "string" ? JSON.stringify(master) : shown(master)}${from} is not the address of a master`,
      {
        code: "bad-address",
        hint:
          typeof master === "object" && master !== null
            ? "Options are the second argument: new Disco(undefined, { … })."
            : "Write disco://host, disco://host:port or http(s)://host:port, or leave it out to run jobs in this process.",
      },
    );
  }
  throw notYet(
    `a master at ${master}${from}`,
    "the release that brings the master and node daemons",
    given
      ? "Leave the address out: new Disco() runs jobs on this machine."
      : "Unset DISCO_MASTER to run jobs on this machine.",
  );
}
