/**
 * What an error of PostgreSQL means: the connection's trouble (nobody knows whether the statement took effect; another try may go
 * well) or the server's answer (it did not take effect, and will not when it is tried again).
 */
import { CommError, DiscoError } from "../errors.ts";

interface Meaning {
  readonly code: string;
  readonly hint?: string;
}

/** SQLSTATEs, or their first two characters. */
const meanings: Readonly<Record<string, Meaning>> = {
  "28": {
    code: "postgres-login",
    hint: "Check user and password (PGPASSWORD or ~/.pgpass) and pg_hba.conf of the server.",
  },
  "3D000": { code: "postgres-no-database", hint: "Create it: CREATE DATABASE disco OWNER the_user." },
  "42501": {
    code: "postgres-not-allowed",
    hint: "Give the user a database of its own: CREATE DATABASE disco OWNER the_user.",
  },
  "53100": { code: "disk-full", hint: "Make room on the disk of PostgreSQL." },
};

/** Classes after which the outcome is open: connection, rollback by the server (deadlock), no room for it now, shut down, system. */
const passing: readonly string[] = ["08", "25", "40", "53", "55", "57", "58"];

/** No answer of a server that goes on listening. */
export function endsConnection(error: unknown): boolean {
  return stateOf(error) === undefined || (error as { severity: string }).severity !== "ERROR";
}

function stateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  // Errors of sockets have codes as well, and no severity.
  return typeof code === "string" && typeof severity === "string" ? code : undefined;
}

/** `shown`: the server, without secrets. */
export function failureOf(error: unknown, what: string, shown: string): DiscoError {
  if (error instanceof DiscoError) return error;
  const state = stateOf(error);
  const why = error instanceof Error ? error.message || error.name : String(error);
  const message = `cannot ${what} at ${shown}: ${why}`;
  const known = state === undefined ? undefined : (meanings[state] ?? meanings[state.slice(0, 2)]);
  if (known !== undefined) {
    const { code, hint } = known;
    return new DiscoError(message, { code, cause: error, ...(hint === undefined ? {} : { hint }) });
  }
  if (state !== undefined && !passing.includes(state.slice(0, 2))) {
    return new DiscoError(message, { code: "postgres-error", cause: error });
  }
  return new CommError(message, {
    code: "postgres-unreachable",
    cause: error,
    hint: "Does PostgreSQL run there, and do the address and the firewall let this machine in?",
  });
}
