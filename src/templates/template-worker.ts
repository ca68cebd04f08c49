import type { Database } from '../database/database.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { lineOfOwner } from './template-commands.ts';
import { claimSyncs, noteSync, SYNC_EVERY_MS } from './sync-store.ts';
import { lookAtLinesOf, syncTemplates, type SyncPorts } from './sync-commands.ts';
import type { TemplateOwner } from './template-store.ts';

/** Compares templates with Meta's list, hourly and soon after something was not understood. */
export type TemplateWorker = { close(): Promise<void> };

const LOOK_EVERY_MS = 5_000;
/** After a failed comparison: Meta may be down, or the token wrong. */
const RETRY_MS = 300_000;
const BATCH = 5;

export function openTemplateWorker(ports: SyncPorts & { log: Log }): TemplateWorker {
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      const owners = await claimSyncs(ports.database, ports.clock.now(), BATCH);
      for (const owner of owners) await syncOwner(ports, owner);
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'comparing templates with Meta failed');
    }
  });
  return { close: stop };
}

async function syncOwner(
  ports: SyncPorts & { database: Database; log: Log },
  owner: TemplateOwner,
): Promise<void> {
  try {
    const line = await lineOfOwner(ports.database, owner);
    // An account whose last line is gone has nobody to ask with.
    if (line === null) return;
    const { changed } = await syncTemplates(ports, line);
    if (changed > 0) await lookAtLinesOf(ports, owner);
  } catch (error) {
    const text = errorText(error);
    ports.log.warn({ error: text, wabaId: owner.wabaId }, 'templates could not be compared');
    const dueAt = ports.clock.now() + Math.min(RETRY_MS, SYNC_EVERY_MS);
    await noteSync(ports.database, owner, { dueAt, syncedAt: null, error: text });
  }
}
