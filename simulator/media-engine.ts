import type { Clock } from '../src/platform/clock.ts';
import type { Log } from '../src/platform/log.ts';
import type { Random } from '../src/platform/random.ts';
import type { MediaEngine } from './media-port.ts';

export async function openMediaEngine(_options: {
  clock: Clock;
  random: Random;
  log: Log;
  host: string;
}): Promise<MediaEngine> {
  throw new Error('media is not built yet');
}
