/** The name of a cluster: part of its subjects at the engine, and of names of its streams and tables. */
import { text } from "./value-type.ts";

export const clusterName = text("a name of letters, digits, `-` and `_`", /^[a-z0-9][a-z0-9_-]{0,62}$/i);
