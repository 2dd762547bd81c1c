/** What the module prints goes to standard error while standard output is kept for records, names or a document. */
export function reserveStdout(): () => void {
  const write = process.stdout.write;
  process.stdout.write = ((...args: Parameters<typeof write>) => process.stderr.write(...args)) as typeof write;
  return () => {
    process.stdout.write = write;
  };
}
