/** The manifests of deploy/kubernetes: Kubernetes knows every field, and what they name exists. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { settingNames, settingOf } from "../../src/settings/table.ts";
import { folder, type Manifest, readYaml, violationsOf } from "./manifests.test-kit.ts";

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string } };
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly EnvironmentEntry[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

interface Workload extends Manifest {
  readonly spec: {
    readonly serviceName?: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

type Labels = Readonly<Record<string, string>>;

const kustomization = readYaml("kustomization.yaml")[0] as { resources: string[]; namespace: string };
const manifests = kustomization.resources.flatMap((file) =>
  readYaml(file).map((document) => ({ ...(document as Manifest), file })),
);
const workloads = ofKind("Deployment", "StatefulSet") as unknown as Workload[];
const settings = new Set(settingNames.map((name) => settingOf(name).env));

function ofKind(...kinds: readonly string[]): Manifest[] {
  return manifests.filter(({ kind }) => kinds.includes(kind));
}

function isWithin(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

test("Kubernetes knows every field of the manifests, and misses none", async () => {
  const wrong = await Promise.all(manifests.map(violationsOf));
  assert.deepEqual(wrong.flat(), []);
  assert.deepEqual(manifests.map(({ kind }) => kind).sort(), [
    "ConfigMap",
    "Deployment",
    "Namespace",
    "NetworkPolicy",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PodDisruptionBudget",
    "Service",
    "Service",
    "StatefulSet",
  ]);
});

test("a field that Kubernetes does not know, one that is missing and one of another type are found", async () => {
  const [workload] = workloads;
  assert.ok(workload !== undefined);
  const changed = (change: (container: Record<string, unknown>) => void): Manifest => {
    const copy = structuredClone(workload);
    change(copy.spec.template.spec.containers[0] as unknown as Record<string, unknown>);
    return copy;
  };
  const misspelt = await violationsOf(changed((container) => (container["livenesProbe"] = {})));
  assert.match(misspelt.join(), /containers\.0\.livenesProbe: Kubernetes knows no such field/);
  const nameless = await violationsOf(changed((container) => delete container["name"]));
  assert.match(nameless.join(), /name/);
  const wrongType = await violationsOf(changed((container) => (container["args"] = "master")));
  assert.match(wrongType.join(), /args must be/);
});

test("selectors choose the pods of their own template, and services and policies choose some", () => {
  const templates = workloads.map(({ spec }) => spec.template.metadata.labels);
  for (const { spec } of workloads) assert.ok(isWithin(spec.selector.matchLabels, spec.template.metadata.labels));
  for (const { kind, spec } of ofKind("Service", "PodDisruptionBudget", "NetworkPolicy")) {
    const { selector, podSelector } = spec as { selector?: Labels & { matchLabels?: Labels }; podSelector?: unknown };
    const labels = kind === "Service" ? selector : (selector ?? (podSelector as typeof selector))?.matchLabels;
    assert.equal(templates.filter((template) => isWithin(labels ?? {}, template)).length, 1, kind);
  }
});

test("ports, volumes, secrets and services that are named exist", () => {
  const services = ofKind("Service").map(({ metadata }) => metadata.name);
  const maps = ofKind("ConfigMap").map(({ metadata }) => metadata.name);
  // The kustomization and docs/cluster.md say how they are made; they have no place in a file.
  const secrets = ["disco-token", "disco-engine"];
  for (const { spec } of workloads) {
    const [container] = spec.template.spec.containers;
    const ports = container.ports.map(({ name }) => name);
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      if (probe !== undefined) assert.ok(ports.includes(probe.httpGet.port));
    }
    const volumes = [
      ...spec.template.spec.volumes,
      ...(spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata),
    ];
    assert.deepEqual(container.volumeMounts.map(({ name }) => name).sort(), volumes.map(({ name }) => name).sort());
    for (const { configMapRef } of container.envFrom) assert.ok(maps.includes(configMapRef.name));
    for (const { valueFrom } of container.env) {
      const secret = valueFrom?.secretKeyRef?.name;
      if (secret !== undefined) assert.ok(secrets.includes(secret), secret);
    }
    if (spec.serviceName !== undefined) assert.ok(services.includes(spec.serviceName));
  }
  for (const { spec } of ofKind("Service")) {
    const { ports } = spec as { ports: { port: number; targetPort: string }[] };
    for (const { port, targetPort } of ports) {
      for (const workload of workloads) {
        const own = workload.spec.template.spec.containers[0].ports.find(({ name }) => name === targetPort);
        assert.equal(own?.containerPort, port, "clients and probes reach the same port");
      }
    }
  }
});

test("probes ask for paths that are served", () => {
  const routes = ["/healthz", "/readyz"];
  const places = readFileSync(join(folder, "../../src/master/http/place.ts"), "utf8");
  for (const route of routes) assert.ok(places.includes(`["${route}",`), `${route} is served`);
  for (const { spec } of workloads) {
    const [{ startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers;
    assert.ok(startupProbe !== undefined && livenessProbe !== undefined);
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      if (probe !== undefined) assert.ok(routes.includes(probe.httpGet.path));
    }
  }
});

test("every variable is a setting, and every value one that the setting takes", () => {
  const [map] = ofKind("ConfigMap") as unknown as { data: Record<string, string> }[];
  const port = Number(map?.data["DISCO_PORT"]);
  const given: [string, string | undefined][] = Object.entries(map?.data ?? {});
  for (const { spec } of workloads) {
    const [container] = spec.template.spec.containers;
    assert.deepEqual(
      container.ports.map(({ containerPort }) => containerPort),
      [port],
    );
    const example: Labels = { POD_IP: "10.1.2.3", DISCO_NODE: "disco-node-0" };
    for (const { name, value } of container.env) {
      given.push([
        name,
        value?.replace(/\$\((\w+)\)/g, (_, variable: string) => example[variable] ?? assert.fail(variable)),
      ]);
    }
  }
  for (const [name, value] of given) {
    if (!name.startsWith("DISCO_")) continue;
    assert.ok(settings.has(name), `${name} is no setting`);
    const setting = settingNames.map(settingOf).find(({ env }) => env === name);
    if (value !== undefined) assert.notEqual(setting?.type.read(value, folder), null, `${name}=${value}`);
  }
});
