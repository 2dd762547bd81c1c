/**
 * Two kinds of tokens meet here. The master may ask for one of its own (who may come in, `guard.ts`); a tag may ask for another (who may
 * read or change it). Disco's clients know only the second and send it as `Authorization: Basic`, user `token`.
 *
 *   the master asks for none:  Authorization is the tag's, as Disco's clients send it
 *   the master asks for one:   Authorization is the master's, and never shown to a tag; `Disco-Tag-Token` is the tag's
 *
 * `Disco-Tag-Token` (percent-encoded) counts in both cases. A token of the master with the scope admin opens every tag, but not for a
 * worker that a job brought along (`Disco-For-Worker`): its node shows the cluster's token, and the job may be anybody's.
 */
import type { IncomingMessage } from "node:http";
import type { TagToken } from "../../../ddfs/tag-access.ts";
import { tokenOf } from "../../../http/access.ts";
import { forWorkerHeader, tagTokenHeader } from "../../../protocol/ddfs/tag-headers.ts";
import type { Caller } from "../handler.ts";

export function shownToken({ headers }: IncomingMessage, { isGuarded = false, scope }: Caller): TagToken {
  const own = headers[tagTokenHeader];
  const token = typeof own === "string" ? decoded(own) : isGuarded ? undefined : basicToken(headers.authorization);
  const opensAll = isGuarded && scope === "admin" && headers[forWorkerHeader] === undefined;
  return { ...(token === undefined ? {} : { token }), ...(opensAll ? { master: true } : {}) };
}

function basicToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : (tokenOf(authorization) ?? undefined);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Then it was not encoded.
    return text;
  }
}
