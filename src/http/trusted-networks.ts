/**
 * Networks whose machines need no token, by the address that a connection comes from: for clients that cannot send one, as Disco's own.
 * Whoever names a network lets all of its machines do everything, and whatever runs on them; nothing is trusted unless it is named.
 */
import { BlockList, isIP } from "node:net";
import { DiscoError } from "../errors.ts";

export class TrustedNetworks {
  readonly #list = new BlockList();
  /** None is named. */
  readonly isEmpty: boolean;

  /**
   * @param networks `10.1.0.0/16`, `fd00::/8`, `10.1.2.3`
   * @throws DiscoError `bad-network`
   */
  constructor(networks: readonly string[] = []) {
    this.isEmpty = networks.length === 0;
    for (const network of networks) {
      const parsed = parseNetwork(network);
      if (parsed === null) {
        throw new DiscoError(`${JSON.stringify(network)} is no network that can be trusted`, {
          code: "bad-network",
          hint: "Write it as 10.1.0.0/16 or fd00::/8; /0 would be everybody.",
        });
      }
      this.#list.addSubnet(parsed.address, parsed.prefix, parsed.family);
    }
  }

  /** `address`: of a socket; an IPv4 address may come as an IPv6 one. */
  has(address: string | undefined): boolean {
    const family = isIP(address ?? "");
    return !this.isEmpty && family !== 0 && this.#list.check(address as string, family === 4 ? "ipv4" : "ipv6");
  }
}

/** `null`: it is no network, or one that everybody is in. */
export function parseNetwork(
  text: string,
): { readonly address: string; readonly prefix: number; readonly family: "ipv4" | "ipv6" } | null {
  const [, address = "", digits] = /^([0-9a-fA-F.:]+)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  if (version === 0 || prefix > bits) return null;
  return { address, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}
