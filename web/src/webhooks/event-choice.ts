import type { EventTypeView } from '../api/webhook-hooks.ts';

/** Choosing among many types of events: they are grouped by what stands before the first dot. */
export type EventGroup = { name: string; types: EventTypeView[] };

export function groupsOf(all: readonly EventTypeView[]): EventGroup[] {
  const groups = new Map<string, EventTypeView[]>();
  for (const one of all) {
    const name = one.type.split('.')[0] ?? one.type;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups].map(([name, types]) => ({ name, types }));
}

export function withType(chosen: readonly string[], type: string, wanted: boolean): string[] {
  const others = chosen.filter((one) => one !== type);
  return wanted ? [...others, type] : others;
}

export function withGroup(
  chosen: readonly string[],
  types: readonly EventTypeView[],
  wanted: boolean,
): string[] {
  return types.reduce<string[]>((now, { type }) => withType(now, type, wanted), [...chosen]);
}
