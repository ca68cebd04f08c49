import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { countContacts } from './counting-commands.ts';
import { lockFeed } from './kpi-feed-store.ts';
import { contactsAfter, finishRebuild, openRebuild, saveStep } from './rebuild-store.ts';
import { rebuildRollups } from './rollup-store.ts';

const CONTACTS_PER_STEP = 500;
/** So that new entries are counted in between. */
const STEPS_MAX = 20;

/**
 * Goes on with a rebuild: everybody is worked out anew from the first entry on, and at the end the
 * sums are made anew from the rows. Nothing should differ; what did is corrected and told.
 */
export async function rebuildStep({
  database,
  clock,
}: {
  database: Database;
  clock: Clock;
}): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const isMore = await database.transaction(async (tx) => {
      const rebuild = await openRebuild(tx);
      if (rebuild === null || !(await lockFeed(tx))) return false;
      const { accountId, afterId } = rebuild;
      const contacts = await contactsAfter(tx, accountId, afterId, CONTACTS_PER_STEP);
      const last = contacts.at(-1);
      if (last === undefined) {
        const rollupsChanged = await rebuildRollups(tx, accountId);
        await finishRebuild(tx, accountId, { rollupsChanged, now: clock.now() });
        return false;
      }
      const { people, changed } = await countContacts(tx, contacts);
      await saveStep(tx, accountId, { afterId: last, contacts: people, changed });
      return true;
    });
    if (!isMore) return;
  }
}
