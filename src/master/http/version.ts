/** `/disco/version`: the version of Disco whose protocols we speak. */
import { json, type Route } from "./route.ts";

/** Disco's own clients compare it with theirs. */
export const protocolVersion = "0.5.4";

export const versionRoutes: readonly Route[] = [
  { method: "GET", path: "/disco/version", handle: () => Promise.resolve(json(protocolVersion)) },
];
