import { hostname, userInfo } from "node:os";

let ownerName: string | undefined;

/** Whose jobs those of this process are: `DISCO_JOB_OWNER`, else `user@host`. */
export function jobOwner(): string {
  const named = process.env["DISCO_JOB_OWNER"];
  if (named) return named;
  if (ownerName === undefined) {
    let user = "unknown";
    try {
      user = userInfo().username;
    } catch {
      // A user id without an entry in the user database, as in some containers.
    }
    ownerName = `${user}@${hostname()}`;
  }
  return ownerName;
}
