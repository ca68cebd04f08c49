import { systemClock } from '../src/platform/clock.ts';
import { errorText } from '../src/platform/failure.ts';
import { makeLog } from '../src/platform/log.ts';
import { seededRandom, systemRandom } from '../src/platform/random.ts';
import { openDemoPbx } from './pbx/pbx.ts';
import { openSimulator } from './simulator.ts';

/**
 * The simulator and the demo PBX as a process of their own. Settings come from the environment;
 * `{"url":…}` goes to the parent (or to stdout) once requests are taken.
 */
const env = process.env;
const log = makeLog({ level: env.ASKFIRST_LOG_LEVEL ?? 'info', name: 'simulator' });

try {
  const seed = env.SIMULATOR_SEED;
  const host = env.SIMULATOR_HOST ?? '127.0.0.1';
  const pbx = await openDemoPbx({
    clock: systemClock,
    random: systemRandom,
    log,
    host,
    port: Number(env.SIMULATOR_PBX_PORT ?? 0),
  });
  const simulator = await openSimulator({
    pbxCalls: () => pbx.calls(),
    clock: systemClock,
    // A fixed seed repeats Meta's ids: only for a receiver that starts empty each time.
    random: seed === undefined ? systemRandom : seededRandom(Number(seed)),
    log,
    host,
    port: Number(env.SIMULATOR_PORT ?? 0),
    webhookUrl: env.SIMULATOR_WEBHOOK_URL ?? null,
    media: env.SIMULATOR_MEDIA !== 'off',
    browserPhone: true,
    settings: JSON.parse(env.SIMULATOR_SETTINGS ?? '{}') as Record<string, never>,
  });
  const ready = { url: simulator.url, pbxPort: pbx.port };
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(ready)}\n`);
  else process.send(ready);

  const stop = (): void => {
    void Promise.all([simulator.close(), pbx.close()]).finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // A parent that is gone, however it went, takes its simulator along.
  if (process.send !== undefined) process.once('disconnect', stop);
} catch (error) {
  log.fatal({ reason: errorText(error) }, 'the simulator could not start');
  process.exit(1);
}
