/** Where other machines find a daemon that listens beyond this one. */
import { networkInterfaces } from "node:os";
import { isLoopback } from "../../settings/addresses.ts";

/** More than these help nobody: the first are those of the machine's network cards. */
const shownMax = 3;
const everywhere: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** As `--master` takes them; empty: nobody but this machine reaches it. `url` is the one that the daemon has for itself. */
export function addressesFor({ host }: { readonly host: string }, url: string): string[] {
  if (isLoopback(host)) return [];
  const { port } = new URL(url);
  const hosts = everywhere.has(host) ? ownAddresses(host) : [host];
  return hosts.map((address) => `disco://${address.includes(":") ? `[${address}]` : address}:${port || 80}`);
}

/** A line for people; `null`: there is nothing to say. */
export function describeReach(addresses: readonly string[], host: string): string | null {
  if (addresses.length > 0) return `${addresses.slice(0, shownMax).join(", ")} (other machines, with a token)`;
  return isLoopback(host) ? null : "every address of this machine (other machines, with a token)";
}

/** Of 0.0.0.0 only those of IPv4. */
function ownAddresses(host: string): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const families = host === "::" ? ["IPv4", "IPv6"] : ["IPv4"];
  return families.flatMap((wanted) => outer.filter(({ family }) => family === wanted)).map(({ address }) => address);
}
