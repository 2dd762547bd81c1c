const instead: Readonly<Record<string, string>> = {
  nrReduces: "partitions",
  mapWriter: "mapOutputStream",
  reduceWriter: "reduceOutputStream",
};

const warned = new Set<string>();

/** Says once in a process that an option is deprecated, and what takes its place. */
export function warnDeprecated(option: string): void {
  if (warned.has(option)) return;
  warned.add(option);
  process.emitWarning(`the job option ${option} is deprecated; use ${instead[option]}`, {
    type: "DeprecationWarning",
    code: `DISCO_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
  });
}
