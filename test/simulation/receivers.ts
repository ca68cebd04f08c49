import { delay } from '../../src/platform/clock.ts';
import type { Random } from '../../src/platform/random.ts';
import type { Checkpoint, CheckpointFiles } from '../../src/checkpoints/checkpoints.ts';
import type { Egress } from '../../src/webhooks/egress.ts';
import type { ReceivedEvent, World } from './world.ts';

/** A disk that no crash harms. */
export function checkpointsInMemory(): CheckpointFiles {
  const kept = new Map<string, Checkpoint[]>();
  return {
    last: async (accountId) => kept.get(accountId)?.at(-1) ?? null,
    async append(accountId, checkpoints) {
      kept.set(accountId, [...(kept.get(accountId) ?? []), ...checkpoints]);
    },
  };
}

/** The businesses' receivers: mostly well, sometimes broken, slow or away. */
export function receivers(world: World, random: Random, isAlive: () => boolean): Egress {
  return {
    refuse: () => null,
    ask: async () => ({ status: null, error: 'timed_out', retryAfter: null, text: null }),
    async post(url, headers, body) {
      const draw = random.below(100);
      await delay(world.clock.outside, draw < 95 ? 20 + draw : 15_000);
      if (!isAlive()) return new Promise(() => {});
      const id = headers['webhook-id'] ?? '';
      const status = draw < 85 ? 200 : draw < 93 ? 500 : null;
      const event = JSON.parse(body) as ReceivedEvent;
      world.say(`receiver ${status} ${event.type}`);
      const nth = world.stage.businesses.findIndex(({ receiverUrl }) => receiverUrl === url);
      const business = world.stage.businesses[nth];
      const isTaken = status === 200 && world.mutation?.losesEvents !== true;
      if (isTaken && business !== undefined && !world.received.has(id)) {
        world.received.set(id, nth);
        world.onEvent(business, event);
      }
      return { status, error: status === null ? 'timed_out' : null, retryAfter: null };
    },
    close: async () => {},
  };
}
