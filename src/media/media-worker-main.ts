/**
 * Composition root of a media worker process. Run by `media-plane.ts` with `child_process.fork`;
 * the settings come as JSON in the first argument, `probe` as the second makes it the throw-away
 * child that tries one offer (guard G2).
 */
import { initLogger } from 'node-datachannel';
import { systemClock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { makeLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { builtinSounds } from './builtin-sounds.ts';
import { LiveCall } from './live-call.ts';
import { MediaWorker } from './media-worker.ts';
import { openOpusCodec } from './opus-codec.ts';
import { SoundLibrary } from './sound-library.ts';
import { isToWorker, type FromWorker, type WorkerSettings } from './worker-protocol.ts';

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '{}');
const log = makeLog({ level: settings.logLevel, name: 'media-worker' });
/** Sockets and DTLS threads of the engine end within this time after `close`. */
const LINGER_MS = 200;

// Guard G9: quieter than `Warning`, which strangers could flood with stray packets.
initLogger('Error', (level, message) => log.warn({ level }, `media engine: ${message}`));
// Signals may reach the whole process group; the main process decides when we go.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

if (process.argv[3] === 'probe') probe();
else await serve();

function probe(): void {
  const port = Number(process.argv[4]);
  const shared = {
    clock: systemClock,
    random: systemRandom,
    sounds: new SoundLibrary({}),
    port,
    onEvent: () => {},
  };
  const call = new LiveCall({ ...settings, ...shared });
  call.close();
  // The engine's threads need an end of their own; `cleanup()` would wait for them.
  process.exit(0);
}

async function serve(): Promise<void> {
  // Loads the codec now, so that the first transcoded call does not wait for it, and so that
  // its memory counts as what the worker started with (guard G11).
  (await openOpusCodec()).free();
  const sounds = new SoundLibrary(await builtinSounds());
  const ports = { clock: systemClock, random: systemRandom, sounds };
  const worker = new MediaWorker({ ...ports, settings, send });
  process.on('message', (message) => {
    if (!isToWorker(message)) return;
    if (message.kind !== 'shutdown') {
      worker.handle(message);
      return;
    }
    worker.close();
    systemClock.after(LINGER_MS, () => process.exit(0));
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ reason: errorText(error) }, 'media worker ends after a bug');
    process.exit(70);
  });
  send({ kind: 'ready' });
}
