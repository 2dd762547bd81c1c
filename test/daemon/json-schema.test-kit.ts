/**
 * Checks a value against a JSON Schema, as far as our OpenAPI document uses the language. A keyword that is not known is an error:
 * what is not checked must not look as if it were. Objects may have no properties that their schema does not name.
 */

export type Schema = Readonly<Record<string, unknown>>;

/** What is wrong, each with its place; empty: nothing. */
export function violations(document: Schema, schema: Schema, value: unknown, at = "$"): string[] {
  const found: string[] = [];
  const wrong = (what: string): void => void found.push(`${at}: ${what}`);
  const into = (sub: unknown, item: unknown, place: string): void => {
    found.push(...violations(document, sub as Schema, item, place));
  };
  const type = schema["type"];
  if (typeof type === "string" && !hasType(value, type)) {
    return [`${at}: ${type} expected, got ${JSON.stringify(value)?.slice(0, 80)}`];
  }
  for (const [keyword, rule] of Object.entries(schema)) {
    switch (keyword) {
      case "$ref":
        into(resolve(document, rule as string), value, at);
        break;
      case "enum":
        if (!(rule as unknown[]).includes(value)) wrong(`${JSON.stringify(value)} is none of ${rule}`);
        break;
      case "const":
        if (value !== rule) wrong(`${JSON.stringify(value)} is not ${rule}`);
        break;
      case "anyOf": {
        const options = (rule as Schema[]).map((option) => violations(document, option, value, at));
        if (!options.some(({ length }) => length === 0)) wrong(`none of ${options.length} fits: ${options.flat()}`);
        break;
      }
      case "pattern":
        if (!new RegExp(rule as string).test(String(value))) wrong(`${value} does not match ${rule}`);
        break;
      case "minLength":
        if (String(value).length < (rule as number)) wrong("too short");
        break;
      case "maxLength":
        if (String(value).length > (rule as number)) wrong("too long");
        break;
      case "minimum":
        if ((value as number) < (rule as number)) wrong(`${value} is below ${rule}`);
        break;
      case "maximum":
        if ((value as number) > (rule as number)) wrong(`${value} is above ${rule}`);
        break;
      case "required":
        for (const name of rule as string[]) if (!(name in (value as object))) wrong(`${name} is missing`);
        break;
      case "properties":
        for (const [name, item] of Object.entries(value as object)) {
          const sub = (rule as Record<string, Schema>)[name];
          if (sub !== undefined) into(sub, item, `${at}.${name}`);
          else if (schema["additionalProperties"] === undefined) wrong(`${name} is not described`);
        }
        break;
      case "additionalProperties":
        if (rule === true || (rule as object)["constructor"] !== Object) break;
        for (const [name, item] of Object.entries(value as object)) into(rule, item, `${at}.${name}`);
        break;
      case "propertyNames":
        for (const name of Object.keys(value as object)) into(rule, name, `${at}.${name}`);
        break;
      case "prefixItems":
        for (const [i, sub] of (rule as Schema[]).entries()) into(sub, (value as unknown[])[i], `${at}[${i}]`);
        break;
      case "items":
        if (rule === false || schema["prefixItems"] !== undefined) {
          const expected = (schema["prefixItems"] as unknown[]).length;
          if ((value as unknown[]).length > expected) wrong(`more than ${expected} items`);
        } else for (const [i, item] of (value as unknown[]).entries()) into(rule, item, `${at}[${i}]`);
        break;
      case "minItems":
        if ((value as unknown[]).length < (rule as number)) wrong("too few items");
        break;
      case "maxItems":
        if ((value as unknown[]).length > (rule as number)) wrong("too many items");
        break;
      case "type":
      case "description":
      case "title":
      case "default":
        break;
      default:
        wrong(`the keyword ${keyword} is not known here`);
    }
  }
  return found;
}

/** What a `#/…` refers to. */
export function resolve(document: Schema, ref: string): Schema {
  let found: unknown = document;
  for (const part of ref.replace(/^#\//, "").split("/")) found = (found as Record<string, unknown> | undefined)?.[part];
  if (found === undefined) throw new Error(`${ref} leads nowhere`);
  return found as Schema;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isSafeInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
