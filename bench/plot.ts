/**
 * A plot of costs against sizes, both axes logarithmic, as SVG: a line for each series, labels, and for each series a thin line
 * of slope 1 through its first point: what linear growth would be. Colours come from style sheets, so that it can be read in
 * light and in dark surroundings.
 */

export interface Series {
  readonly name: string;
  /** Above 0, in order of x. At least one. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** At least one. */
  readonly series: readonly Series[];
}

const width = 736;
const height = 440;
const margin = { left: 78, right: 40, top: 44, bottom: 56 };
const legendLine = 18;
/** Distinguishable by most people with colour blindness, on white and on black (after Okabe and Ito). */
const colours = ["#0072b2", "#d55e00", "#009e73", "#b8629b"];

const style = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .axis { stroke: #59636e; fill: none; }
    .grid { stroke: #d1d9e0; }
    .slope { stroke: #59636e; stroke-dasharray: 3 4; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .axis, .slope { stroke: #9198a1; }
      .grid { stroke: #3d444d; }
    }`;

export function svgPlot({ title, xLabel, yLabel, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  if (points.some(([x, y]) => !(x > 0 && y > 0))) throw new RangeError("logarithmic axes have no place for 0 and less");
  const x = logAxis(
    points.map(([value]) => value),
    margin.left,
    width - margin.right,
  );
  const y = logAxis(
    points.map(([, value]) => value),
    height - margin.bottom,
    margin.top,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `  <style>${style}\n  </style>`,
    label("title", margin.left, 24, "start", title),
    ...x.decades.flatMap((at) => [
      rule("grid", x.at(at), margin.top, x.at(at), height - margin.bottom),
      label("tick", x.at(at), height - margin.bottom + 18, "middle", decade(at)),
    ]),
    ...y.decades.flatMap((at) => [
      rule("grid", margin.left, y.at(at), width - margin.right, y.at(at)),
      label("tick", margin.left - 8, y.at(at) + 4, "end", decade(at)),
    ]),
    `  <path class="axis" d="M${margin.left} ${margin.top}V${height - margin.bottom}H${width - margin.right}"/>`,
    label("axis-label", (margin.left + width - margin.right) / 2, height - 14, "middle", xLabel),
    `  <text transform="translate(20 ${(margin.top + height - margin.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    ...series.flatMap((one, i) => drawn(one, i, x, y)),
    rule("slope", margin.left + 14, legendAt(series.length), margin.left + 38, legendAt(series.length)),
    label("legend", margin.left + 46, legendAt(series.length) + 4, "start", "linear growth"),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

interface Axis {
  readonly low: number;
  readonly high: number;
  /** The powers of ten from `low` to `high`. */
  readonly decades: readonly number[];
  at(value: number): number;
}

/** From the power of ten below all values to the one above. */
function logAxis(values: readonly number[], from: number, to: number): Axis {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    low: 10 ** first,
    high: 10 ** last,
    decades: Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)),
    at: (value) => rounded(from + ((Math.log10(value) - first) / (last - first)) * (to - from)),
  };
}

function drawn({ name, points }: Series, index: number, x: Axis, y: Axis): string[] {
  const colour = colours[index % colours.length] as string;
  const path = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${x.at(px)} ${y.at(py)}`).join("");
  const dots = points.map(([px, py]) => `<circle cx="${x.at(px)}" cy="${y.at(py)}" r="4" fill="${colour}"/>`);
  const at = legendAt(index);
  return [
    slope(points, x, y),
    `  <path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    `  ${dots.join("")}`,
    `  <path d="M${margin.left + 14} ${at}h24" stroke="${colour}" stroke-width="2"/>`,
    label("legend", margin.left + 46, at + 4, "start", name),
  ];
}

/** From the first point on with slope 1, as far as the axes go. */
function slope(points: Series["points"], x: Axis, y: Axis): string {
  const [px, py] = points[0] as readonly [number, number];
  const most = Math.min(Math.max(...points.map(([value]) => value)) / px, y.high / py);
  return rule("slope", x.at(px), y.at(py), x.at(px * most), y.at(py * most));
}

const legendAt = (index: number): number => margin.top + 14 + index * legendLine;

function rule(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  return `  <path class="${kind}" d="M${x1} ${y1}L${x2} ${y2}"/>`;
}

function label(kind: string, x: number, y: number, anchor: string, text: string): string {
  return `  <text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

/** `0.01`, `1`, `1,000`, `10⁶` */
function decade(value: number): string {
  const power = Math.round(Math.log10(value));
  if (power >= 6) return `10${[...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
  return value.toLocaleString("en", { maximumSignificantDigits: 1 });
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
