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

function without(
  value: unknown,
  fields: FieldNames,
  path: ReadonlyArray<string | number>,
  taken: Taken,
): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => without(item, fields, [...path, index], taken));
  }
  if (typeof value !== 'object' || value === null) return value;
  const parent = path.at(-1);
  const kept: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const isTaken = fields.has(name) || fields.has(`${parent}.${name}`);
    if (isTaken && field !== null && field !== undefined) {
      taken.push([[...path, name], field]);
      kept[name] = typeof field === 'string' ? '' : null;
    } else kept[name] = without(field, fields, [...path, name], taken);
  }
  return kept;
}
