/**
 * The environment of a worker that the job brings along: the node's own, without what is the daemon's (Disco's settings, among them
 * its secrets); what the job pack wants (`jobenvs`); and the settings by which Disco's own workers find the node's gateway. They are
 * last: a job that sets another port would look for its inputs where nobody is.
 */

const settingOfDisco = /^(?:DISCO|DDFS)_/;
/** The journal's password; flags of the process that is the daemon, with which a worker that is a Node program would not start. */
const ofTheDaemon: ReadonlySet<string> = new Set(["PGPASSWORD", "NODE_OPTIONS"]);

/**
 * `base`: of the node, usually `process.env`. Paths in `jobenvs` are relative to the job home, which is the working directory.
 * `gateway`: `GatewayAccess.environment`.
 */
export function foreignEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  jobenvs: Readonly<Record<string, string>>,
  gateway: Readonly<Record<string, string>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !settingOfDisco.test(name) && !ofTheDaemon.has(name)) env[name] = value;
  }
  for (const [name, value] of Object.entries(jobenvs)) if (isVariable(name, value)) env[name] = value;
  return { ...env, ...gateway };
}

/** What a process can have in its environment. */
function isVariable(name: string, value: string): boolean {
  return name !== "" && !/[=\0]/.test(name) && !value.includes("\0");
}
