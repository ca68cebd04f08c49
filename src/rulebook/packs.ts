import type { LawOverlay } from '../policy/law-overlay.ts';
import type { PolicyPack } from '../policy/policy-pack.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';

/** A base pack or a law overlay: both are dated files of rules that can be shown and compared. */
export type AnyPack = ({ kind: 'pack' } & PolicyPack) | ({ kind: 'law' } & LawOverlay);

export function readAnyPack(packs: PolicyPacks, name: string): AnyPack | null {
  const law = packs.laws().find((known) => known.name === name);
  if (law !== undefined) return { kind: 'law', ...law };
  return packs.names().includes(name) ? { kind: 'pack', ...packs.of(name) } : null;
}

/** What a pack says, without its name, its date and the vectors that only prove it. */
export function comparable(pack: AnyPack): Record<string, unknown> {
  const { kind: _kind, name: _name, title: _title, date: _date, ...rest } = pack;
  const { source: _source, vectors: _vectors, ...values } = rest;
  return values;
}
