/**
 * Every place of the API where somebody may write a text, read from /openapi.json, so that a new
 * field is tried as soon as it exists: in bodies (also in lists and in objects within), in paths
 * and in query strings.
 */
export type Schema = {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: Schema | boolean;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minItems?: number;
};

export type OpenApi = {
  paths: Record<string, Record<string, Operation>>;
};

type Operation = {
  parameters?: Array<{ in: string; name: string; required?: boolean; schema: Schema }>;
  requestBody?: { content: Record<string, { schema?: Schema }> };
};

export type Field = {
  method: string;
  path: string;
  place: 'body' | 'path' | 'query';
  /** From the outside in; a number is a place in a list. */
  steps: ReadonlyArray<string | number>;
  /** What the field's message must name: its outermost name. */
  name: string;
  /** A body with which only this field could be at fault; null outside of bodies. */
  body: unknown;
};

/** Values that are taken where the schema alone does not tell what a good one is. */
export type Samples = Readonly<Record<string, unknown>>;

export function textFields(api: OpenApi, samples: Samples): Field[] {
  return Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([verb, operation]) => {
      const method = verb.toUpperCase();
      const body = operation.requestBody?.content['application/json']?.schema;
      const inBody =
        body === undefined
          ? []
          : variantsOf(body).flatMap((variant) =>
              stepsToTexts(variant).map((steps): Field => ({
                method,
                path,
                place: 'body',
                steps,
                name: String(steps[0]),
                body: withPath(sampleOf(variant, samples), steps, variant, samples),
              })),
            );
      const outside = (operation.parameters ?? [])
        .filter(({ in: place, schema }) => place !== 'header' && isText(schema))
        .map(({ in: place, name }): Field => ({
          method,
          path,
          place: place === 'path' ? 'path' : 'query',
          steps: [name],
          name,
          body: body === undefined ? null : sampleOf(body, samples),
        }));
      return [...inBody, ...outside];
    }),
  );
}

/** The body with `text` in that place. */
export function put(body: unknown, steps: Field['steps'], text: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return text;
  if (Array.isArray(body)) return body.map((it, at) => (at === step ? put(it, rest, text) : it));
  const holder = (body ?? {}) as Record<string, unknown>;
  // A spread would lose a field called __proto__, and so must not be used to name one.
  return { ...holder, [step]: put(holder[String(step)], rest, text) };
}

function isText({ type, anyOf }: Schema): boolean {
  return [type].flat().includes('string') || (anyOf ?? []).some(isText);
}

/** A body may be one of several, such as the actions of a call. */
function variantsOf(schema: Schema): Schema[] {
  const several = schema.oneOf ?? schema.anyOf;
  return several === undefined ? [schema] : several.flatMap(variantsOf);
}

const DEPTH_MAX = 6;

function stepsToTexts(schema: Schema, depth = 0): Array<Array<string | number>> {
  if (depth > DEPTH_MAX) return [];
  if (schema.const !== undefined) return [];
  if (isText(schema)) return [[]];
  const deeper = (step: string | number, inner: Schema): Array<Array<string | number>> =>
    stepsToTexts(inner, depth + 1).map((steps) => [step, ...steps]);
  const { properties = {}, items, additionalProperties: more } = schema;
  return [
    ...Object.entries(properties).flatMap(([name, inner]) => deeper(name, inner)),
    ...(typeof items === 'object' ? deeper(0, items) : []),
    ...(typeof more === 'object' ? deeper('anything', more) : []),
    ...(schema.anyOf ?? schema.oneOf ?? []).flatMap((inner) => stepsToTexts(inner, depth + 1)),
  ];
}

/** A value with everything that is required. */
function sampleOf(schema: Schema, samples: Samples, name = '', depth = 0): unknown {
  if (name in samples) return samples[name];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first !== undefined) return sampleOf(first, samples, name, depth);
  const type = [schema.type].flat()[0];
  if (type === 'object') {
    const entries = (schema.required ?? []).map((key): [string, unknown] => {
      const inner = schema.properties?.[key] ?? {};
      return [key, depth > DEPTH_MAX ? null : sampleOf(inner, samples, key, depth + 1)];
    });
    return Object.fromEntries(entries);
  }
  if (type === 'array') {
    const { items } = schema;
    const one = typeof items === 'object' ? sampleOf(items, samples, name, depth + 1) : 'x';
    return Array.from({ length: schema.minItems ?? 1 }, () => one);
  }
  if (type === 'integer' || type === 'number') return 5;
  if (type === 'boolean') return false;
  if (schema.format === 'date-time') return '2026-06-04T12:00:00Z';
  return 'order 1042';
}

/** The sample with whatever the way to a field needs on top of what is required. */
function withPath(
  body: unknown,
  steps: ReadonlyArray<string | number>,
  schema: Schema,
  samples: Samples,
): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || rest.length === 0) return body;
  const inner = variantsOf(schema)
    .map(({ properties, items, additionalProperties: more }) =>
      typeof step === 'number' ? items : (properties?.[step] ?? more),
    )
    .find((found) => typeof found === 'object');
  if (typeof inner !== 'object') return body;
  const deeper = variantsOf(inner).find((one) => one.type === 'object' || one.type === 'array');
  const holder = (
    Array.isArray(body) ? body[Number(step)] : (body as Record<string, unknown>)[step]
  ) as unknown;
  const sample = holder ?? sampleOf(deeper ?? inner, samples, String(step));
  return put(body, [step], withPath(sample, rest, deeper ?? inner, samples));
}
