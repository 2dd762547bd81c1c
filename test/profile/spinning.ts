/** A job of which it is known where its time goes: `spin` in `map`, for `spinMs`. */

/** Long enough for some samples on a busy machine. */
export const spinMs = 120;

/** JavaScript that defines `jobDict`. */
export const spinning = `
function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
const jobDict = {
  input: ["raw://a"],
  map: (line) => {
    spin(${spinMs});
    return [[line, 1]];
  },
  profile: true,
};
`;

/** The same as TypeScript. */
export const typed = (script: string): string =>
  script.replace("spin(ms)", "spin(ms: number): void").replace("(line)", "(line: string)");
