import type { Queryable } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { compiled } from './journey-check.ts';
import { readJourney } from './journey-store.ts';
import type { Journey } from './journey.ts';
import type { JourneyId } from './run.ts';

/** Versions of journeys as they run. A version never changes, so it is read once. */
export type JourneyShelf = {
  journey(
    db: Queryable,
    of: { accountId: AccountId; journeyId: JourneyId; version: number },
  ): Promise<Journey | null>;
};

const KEPT = 500;

export function makeJourneyShelf(): JourneyShelf {
  const known = new Map<string, Journey>();
  return {
    async journey(db, { accountId, journeyId, version }) {
      const key = `${journeyId}/${version}`;
      const kept = known.get(key);
      if (kept !== undefined) return kept;
      const stored = await readJourney(db, accountId, journeyId, version);
      if (stored === null) return null;
      const journey = compiled(stored.document);
      const [oldest] = known.keys();
      if (known.size >= KEPT && oldest !== undefined) known.delete(oldest);
      known.set(key, journey);
      return journey;
    },
  };
}
