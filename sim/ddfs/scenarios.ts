/** What is searched: each scenario whole, in seconds; `everything` at once takes minutes. */
import type { Scenario } from "./model.ts";

const [x, y, z] = [0, 1, 2] as const;
const [a, b, c] = [0, 1, 2] as const;

const nothing: Scenario = {
  replicas: 2,
  puts: [],
  links: [],
  deletes: [],
  downs: [],
  losses: [],
  leaving: [],
  ticks: 0,
  runs: 0,
  takeovers: 0,
};

/** Three nodes, two tags, three blobs, of which one is in both tags and one has too few replicas. */
const threeBlobs = {
  puts: [
    [x, a],
    [y, c],
    [z, b],
  ],
  links: [
    { tag: "t", blob: x, on: [a] },
    { tag: "u", blob: x, on: [a] },
    { tag: "u", blob: z, on: [b] },
  ],
  deletes: ["t"],
} as const;

const removal: Scenario = {
  ...nothing,
  replicas: 1,
  puts: [
    [x, a],
    [x, b],
    [x, c],
  ],
  links: [{ tag: "t", blob: x, on: [a, b] }],
  leaving: [b],
  ticks: 1,
  runs: 2,
};

const accidents: Scenario = {
  ...nothing,
  puts: [
    [x, a],
    [x, b],
  ],
  links: [{ tag: "t", blob: x, on: [a, b] }],
  downs: [b],
  losses: [a],
  ticks: 1,
  runs: 1,
};

/** Each of them whole, in seconds. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "pushes, tags and a collection": { ...nothing, ...threeBlobs, ticks: 1, runs: 1 },
  "a tag is deleted, another master takes over, and collects again": {
    ...nothing,
    puts: [[x, a]],
    links: [
      { tag: "t", blob: x, on: [a] },
      { tag: "u", blob: x, on: [a] },
    ],
    deletes: ["t"],
    ticks: 2,
    runs: 2,
    takeovers: 1,
  },
  "a node goes down and another one loses its disk": accidents,
  "a node is emptied and removed, with a replica that nobody mentions": removal,
  "a push to a node that is to be removed": {
    ...nothing,
    replicas: 1,
    puts: [
      [x, b],
      [y, a],
    ],
    links: [
      { tag: "t", blob: x, on: [b] },
      { tag: "u", blob: y, on: [a] },
    ],
    leaving: [b],
    ticks: 1,
    runs: 2,
  },
};

/** Minutes. */
export const longScenarios: Readonly<Record<string, Scenario>> = {
  "a node goes down and another one loses its disk, and two collections": { ...accidents, runs: 2 },
  "the same, and another master takes over": { ...accidents, runs: 2, takeovers: 1 },
  "a node is emptied while another one loses its disk": { ...removal, losses: [a] },
  "a node is emptied while another master takes over": { ...removal, takeovers: 1 },
  "three blobs, two collections, two tags that go": {
    ...nothing,
    ...threeBlobs,
    deletes: ["t", "u"],
    ticks: 1,
    runs: 2,
  },
  "three blobs, a collection, a node down, another master": {
    ...nothing,
    ...threeBlobs,
    downs: [b],
    ticks: 1,
    runs: 1,
    takeovers: 1,
  },
};
