import { systemClock } from '../platform/clock.ts';
import { Failure, errorText } from '../platform/failure.ts';
import { makeLog } from '../platform/log.ts';
import { readSettings } from '../settings.ts';
import { startProduct, type Product } from './product.ts';

const SIMULATOR_PORT = 8090;
const PBX_PORT = 5070;

/** Starts, prints what a newcomer needs, and runs until Ctrl-C. */
export async function runStart(options: { simulator: boolean }): Promise<void> {
  const startedAt = systemClock.monotonic();
  // From the first moment on: a Ctrl-C while starting must still stop the database.
  const signals = stopSignals();
  try {
    const settings = readSettings({
      // On loopback, with the simulator, webhooks may go to the developer's own machine.
      ...(options.simulator ? { ASKFIRST_WEBHOOKS_TO_PRIVATE: 'yes' } : {}),
      ASKFIRST_LOG_LEVEL: 'warn',
      ...process.env,
    });
    const product = await startProduct({
      settings,
      log: makeLog({ level: settings.ASKFIRST_LOG_LEVEL, name: 'askfirst' }),
      simulator: options.simulator
        ? {
            port: Number(process.env['ASKFIRST_SIMULATOR_PORT'] ?? SIMULATOR_PORT),
            pbxPort: Number(process.env['ASKFIRST_PBX_PORT'] ?? PBX_PORT),
          }
        : null,
      onStep: (step) => process.stderr.write(`  starting ${step} …\n`),
    });
    const seconds = ((systemClock.monotonic() - startedAt) / 1000).toFixed(1);
    process.stdout.write(welcome(product, seconds));
    await signals.stop;
    const waitMs = settings.ASKFIRST_DRAIN_SECONDS * 1000;
    if (signals.isPatient()) await drain(product, waitMs, signals.hurry);
    process.stderr.write('\nStopping …\n');
    await product.close();
    process.exit(0);
  } catch (error) {
    sayAndExit(error);
  }
}

/** A failure is one sentence with its fix; only a bug shows its stack. */
export function sayAndExit(error: unknown): never {
  if (error instanceof Failure) {
    process.stderr.write(`\n${error.message}\nFix: ${error.fix}\n`);
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : errorText(error);
    process.stderr.write(`\nThis is a bug in Askfirst, please report it:\n${text}\n`);
  }
  process.exit(1);
}

/** Repeated signals change nothing: npm and the terminal may both send one. */
function stopSignals(): { stop: Promise<void>; isPatient: () => boolean; hurry: Promise<void> } {
  const stop = Promise.withResolvers<void>();
  const hurry = Promise.withResolvers<void>();
  let first: string | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      first ??= signal;
      stop.resolve();
      if (signal === 'SIGINT') hurry.resolve();
    });
  }
  return { stop: stop.promise, isPatient: () => first === 'SIGTERM', hurry: hurry.promise };
}

/** A deploy (SIGTERM) lets live calls finish; Ctrl-C, also a later one, does not wait. */
async function drain(product: Product, waitMs: number, hurry: Promise<void>): Promise<void> {
  const { gateway } = product.server;
  const calls = gateway?.liveCalls().length ?? 0;
  if (gateway === null || calls === 0) return;
  process.stderr.write(`\nWaiting up to ${waitMs / 1000} s for ${calls} live calls …\n`);
  await Promise.race([gateway.drain(waitMs), hurry]);
}

function welcome(product: Product, seconds: string): string {
  const { server, sandbox } = product;
  if (server.url === null) return `\nAskfirst is up after ${seconds} s, without an API.\n`;
  if (sandbox === null) {
    return `
Askfirst is up after ${seconds} s: ${server.url}
The first API key is in the data folder, in the file api-key.
Add your line and an endpoint next: docs/how-to/go-live.md
`;
  }
  const { apiKey } = sandbox;
  return `
Askfirst is up after ${seconds} s. Meta and the phones are simulated: nothing leaves this machine.

  Page          ${server.url}/#key=${apiKey}
  API           ${server.url}/v1   (OpenAPI: ${server.url}/openapi.json)
  Simulator     ${sandbox.url}/simulator/state
  Demo PBX      ${sandbox.pbxUri('talk')}
  Sandbox key   ${apiKey}

Ask a simulated customer for permission (she says yes after a second):

  curl -s ${server.url}/v1/permission-requests \\
    -H 'Authorization: Bearer ${apiKey}' -H "Idempotency-Key: $(date +%s%N)" \\
    -H 'Content-Type: application/json' \\
    -d '{"to":"+447700900100","purpose":"your order 1042","name":"Cleo"}'

Then call her (she picks up after two seconds and talks to the demo PBX):

  curl -s ${server.url}/v1/calls \\
    -H 'Authorization: Bearer ${apiKey}' -H "Idempotency-Key: $(date +%s%N)" \\
    -H 'Content-Type: application/json' \\
    -d '{"to":"+447700900100","purpose":"your order 1042"}'

Stop with Ctrl-C; the data stays in the data folder.
`;
}
