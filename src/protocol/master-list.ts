/**
 * A list of masters in one text: `disco://a,b,c`, `https://a:8443,b:8443/disco`, `disco://a,disco://b`. Settings, clients and readers of
 * results take such lists; each address by itself is theirs to judge.
 */

/**
 * The addresses of a list, in its order. Hosts behind one `…://` share all that stands around them; the port, too, where the last of them
 * alone has one: `disco://a,b:9000` is `disco://a:9000` and `disco://b:9000`.
 */
export function splitMasters(list: string): string[] {
  return list.split(/\s*,\s*(?=[a-z]+:\/\/)/i).flatMap(hostsOf);
}

function hostsOf(address: string): string[] {
  const [, scheme = "", authority = "", rest = ""] = /^([a-z]+:\/\/)([^/?#]*)(.*)$/is.exec(address) ?? [];
  if (!authority.includes(",")) return [address];
  const hosts = authority.split(",").map((host) => host.trim());
  const ports = hosts.map((host) => /:\d+$/.exec(host)?.[0] ?? "");
  const shared = ports.slice(0, -1).every((port) => port === "") ? (ports.at(-1) ?? "") : "";
  // Without a host there is nothing that a port could belong to: such an address is wrong, and stays so.
  return hosts.map((host, i) => `${scheme}${host}${host !== "" && ports[i] === "" ? shared : ""}${rest}`);
}
