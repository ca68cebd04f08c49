/** JSON with sorted keys and no white space, so that every writer and verifier hashes the same. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  // Put together by hand, for every entry of a ledger is hashed, and each list on the way costs.
  let json = '';
  if (Array.isArray(value)) {
    for (const item of value) json += `${json === '' ? '' : ','}${canonicalJson(item ?? null)}`;
    return `[${json}]`;
  }
  const fields = value as Record<string, unknown>;
  for (const name of Object.keys(fields).sort(byCodeUnits)) {
    const field = fields[name];
    if (field === undefined) continue;
    const quoted = PLAIN_NAME.test(name) ? `"${name}"` : JSON.stringify(name);
    json += `${json === '' ? '' : ','}${quoted}:${canonicalJson(field)}`;
  }
  return `{${json}}`;
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : 1);

/** Names that stand in JSON as they are. */
const PLAIN_NAME = /^\w+$/;
