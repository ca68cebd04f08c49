import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { ExperimentPorts } from './experiment-commands.ts';
import { claimDue } from './experiment-store.ts';
import { LOOK_EVERY_MS, lookAt } from './look-commands.ts';

/** Looks at running experiments, so that a harmful arm is stopped with nobody watching. */
export type ExperimentWorker = { close(): Promise<void> };

const EVERY_MS = 60_000;
const BATCH = 20;

export function openExperimentWorker(ports: ExperimentPorts & { log: Log }): ExperimentWorker {
  const stop = repeat(ports.clock, EVERY_MS, () => lookAtAll(ports));
  return { close: stop };
}

/** One round; an experiment that cannot be looked at does not keep the others waiting. */
export async function lookAtAll(ports: ExperimentPorts & { log: Log }): Promise<void> {
  const { database, clock, log } = ports;
  try {
    const now = clock.now();
    const wish = { nextAt: now + LOOK_EVERY_MS, limit: BATCH };
    for (const due of await claimDue(database, now, wish)) {
      await lookAt(ports, due).catch((error: unknown) => {
        log.error({ experiment: due.id, error: errorText(error) }, 'an experiment has no look');
      });
    }
  } catch (error) {
    log.error({ error: errorText(error) }, 'experiments were not looked at');
  }
}
