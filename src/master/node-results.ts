/** Results that lie on nodes, under the master's own address: clients that know only a master read them there. */
import type { DataServer } from "../node/data-server/data-server.ts";
import { masterHost } from "../node/job-directory.ts";

/** `data`, which passes on what is below `/proxy/`, with `/disco/NODE/…` of other nodes passed on as well. */
export function withNodeResults(data: DataServer, nodes: () => Readonly<Record<string, string>>): DataServer {
  return async (request, response) => {
    const { url = "", method = "" } = request;
    const [, first, node = ""] = url.split("/");
    const isRead = method === "GET" || method === "HEAD";
    if (first === "disco" && isRead && node !== masterHost && Object.hasOwn(nodes(), node)) {
      request.url = `/proxy/${node}/${method}${url}`;
    }
    await data(request, response);
  };
}
