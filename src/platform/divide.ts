/**
 * Divides plain data into what may be read by anybody who reads the table, and what is to be
 * sealed. The plain part keeps its shape: a text that was taken out is an empty text there, and
 * anything else is null, so whoever reads it without the sealed part still finds every field.
 */
export type Divided = { plain: unknown; taken: Taken | null };

/** Each value that was taken out, with where it belongs. */
export type Taken = Array<[path: ReadonlyArray<string | number>, value: unknown]>;

/** Field names, or `parent.field` where the name alone means something else elsewhere. */
export type FieldNames = ReadonlySet<string>;

export function divide(value: unknown, fields: FieldNames): Divided {
  const taken: Taken = [];
  const plain = without(value, fields, [], taken);
  return { plain, taken: taken.length === 0 ? null : taken };
}

/** Puts what was taken out back into a plain part that was parsed anew, in place. */
export function unite(plain: unknown, taken: Taken): void {
  for (const [path, value] of taken) {
    let at = plain as Record<string | number, unknown>;
    for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
    const last = path.at(-1);
    if (last !== undefined) at[last] = value;
  }
}

/** `path` is one array that grows and shrinks along the walk: this runs for every row written. */
function without(
  value: unknown,
  fields: FieldNames,
  path: Array<string | number>,
  taken: Taken,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const depth = path.length;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => {
      path[depth] = index;
      return without(item, fields, path, taken);
    });
    path.length = depth;
    return items;
  }
  const parent = depth === 0 ? undefined : path[depth - 1];
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[name];
    if (field === null || field === undefined) {
      kept[name] = field;
      continue;
    }
    path[depth] = name;
    if (fields.has(name) || (isQualified(fields, name) && fields.has(`${parent}.${name}`))) {
      taken.push([path.slice(0, depth + 1), field]);
      kept[name] = typeof field === 'string' ? '' : null;
    } else kept[name] = typeof field === 'object' ? without(field, fields, path, taken) : field;
  }
  path.length = depth;
  return kept;
}

/** The last names of `parent.field`, so that few fields have the longer name put together. */
const qualified = new WeakMap<FieldNames, ReadonlySet<string>>();

function isQualified(fields: FieldNames, name: string): boolean {
  let names = qualified.get(fields);
  if (names === undefined) {
    const dotted = [...fields].filter((each) => each.includes('.'));
    names = new Set(dotted.map((each) => each.slice(each.indexOf('.') + 1)));
    qualified.set(fields, names);
  }
  return names.has(name);
}
