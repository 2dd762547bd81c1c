/** Groups buffered records by label: a counting sort of their indices, which keeps the order within each label. */

export interface LabelRange {
  readonly label: number;
  /** Indices `order[from]` up to `order[to]`. */
  readonly from: number;
  readonly to: number;
}

export interface LabelOrder {
  readonly order: Uint32Array;
  /** Ascending; only labels that have records. */
  readonly ranges: readonly LabelRange[];
}

/** Of the labels of `count` records, each below `labelCount`. */
export function orderByLabel(labels: Uint32Array, count: number, labelCount: number): LabelOrder {
  const order = new Uint32Array(count);
  const ranges: LabelRange[] = [];
  if (labelCount === 1) {
    for (let i = 0; i < count; i++) order[i] = i;
    if (count > 0) ranges.push({ label: 0, from: 0, to: count });
    return { order, ranges };
  }
  const places = new Uint32Array(labelCount);
  for (let i = 0; i < count; i++) {
    const label = labels[i] as number;
    places[label] = (places[label] as number) + 1;
  }
  let from = 0;
  for (let label = 0; label < labelCount; label++) {
    const to = from + (places[label] as number);
    places[label] = from;
    if (to > from) ranges.push({ label, from, to });
    from = to;
  }
  for (let i = 0; i < count; i++) {
    const label = labels[i] as number;
    const place = places[label] as number;
    order[place] = i;
    places[label] = place + 1;
  }
  return { order, ranges };
}
