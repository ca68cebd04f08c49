import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { workOffCampaign, type WorkPorts } from './work-commands.ts';
import { claimWork, LeaseLost, releaseWork } from './work-store.ts';

/**
 * Works on campaigns that are due, one step at a time and the most urgent first: people are
 * gathered, previews worked out, people taken. A worker that dies leaves a lease that runs out,
 * and rows that say how far it came.
 */
export type CampaignWorker = { close(): Promise<void> };

const LOOK_EVERY_MS = 250;
const LEASE_SECONDS = 60;
/** A campaign that cannot be worked on by a fault of ours must not hold up the others. */
const FAULT_MS = 60_000;

export function openCampaignWorker(ports: WorkPorts & { log: Log; owner: string }): CampaignWorker {
  let closing = false;
  const isOpen = (): boolean => !closing;
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      while (isOpen() && (await workOnce(ports))) continue;
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'looking for campaigns failed');
    }
  });
  return {
    async close() {
      closing = true;
      await stop();
    },
  };
}

/** Takes one step of the most urgent campaign that is due; false when none is. */
async function workOnce(ports: WorkPorts & { log: Log; owner: string }): Promise<boolean> {
  const { clock, database, log, owner } = ports;
  const now = clock.now();
  const work = await claimWork(database, { owner, seconds: LEASE_SECONDS }, now);
  if (work === null) return false;
  const { campaignId } = work;
  let lookAt: number | null = now + FAULT_MS;
  try {
    lookAt = await workOffCampaign(ports, work);
  } catch (error) {
    // Whoever has it now goes on; what was done here is undone.
    if (error instanceof LeaseLost) return true;
    log.error({ campaignId, error: errorText(error) }, 'a campaign could not be worked on');
  }
  await releaseWork(database, work, lookAt);
  return true;
}
