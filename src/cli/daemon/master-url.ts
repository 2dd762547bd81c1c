const defaultPort = 8989;

/** The base URL that an address of a master stands for: `disco://host[:port]`, or a URL already. */
export function masterUrl(master: string): string {
  if (!master.startsWith("disco:")) return master;
  const { hostname, port } = new URL(master.replace(/^disco:/, "http:"));
  // `http:` forgets port 80, which is its own.
  const given = /:(\d+)\/?$/.exec(master)?.[1] ?? port;
  return `http://${hostname}:${given === "" ? defaultPort : given}`;
}
