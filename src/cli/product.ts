import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sealPlainContacts } from '../contacts/plain-contacts-store.ts';
import { openDatabase, type Database } from '../database/database.ts';
import { startEmbeddedPostgres } from '../database/embedded-postgres.ts';
import { migrate } from '../database/migrate.ts';
import { openServer, type AskfirstServer } from '../main.ts';
import { openMediaPlane } from '../media/media-plane.ts';
import { systemClock } from '../platform/clock.ts';
import { openDataFolder, type DataFolder } from '../platform/data-folder.ts';
import { makeIds } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { openVault } from '../platform/vault.ts';
import { mediaPorts, type Settings } from '../settings.ts';
import { readSipTls } from '../sip/tls-credentials.ts';
import { openSipUserAgent } from '../sip/user-agent.ts';
import { openWhatsAppClient } from '../whatsapp/client.ts';
import { ensureFirstAccount } from './first-key.ts';
import { connectSandbox, seedSandbox, startSandbox, type Sandbox } from './sandbox.ts';

/**
 * The whole product in one place: data folder, database, simulator where wanted, media, SIP and
 * server, started in order and stopped in reverse. `npm start`, the demo and the stories use it.
 */
export type Product = {
  server: AskfirstServer;
  database: Database;
  /** Null where no simulator was asked for. */
  sandbox: (Sandbox & { apiKey: string }) | null;
  close(): Promise<void>;
};

export type ProductOptions = {
  settings: Settings;
  log: Log;
  simulator: { port: number; pbxPort: number } | null;
  /** Told what is happening, for a progress line. */
  onStep?: (step: string) => void;
};

const WEB_FOLDER = fileURLToPath(new URL('../../web/dist', import.meta.url));

export async function startProduct(options: ProductOptions): Promise<Product> {
  const { settings, log } = options;
  const step = options.onStep ?? (() => {});
  const closers: Array<() => Promise<void>> = [];
  const close = async (): Promise<void> => {
    for (let last = closers.pop(); last !== undefined; last = closers.pop()) await last();
  };
  try {
    step('data folder');
    const folder = await openDataFolder(settings.dataDir);
    closers.push(() => folder.release());
    step(options.simulator === null ? 'database, media' : 'database, media, simulator');
    // Side by side: none of them needs another, and each takes most of a second.
    const [database, { media, sip }, started] = await allOrNone([
      openProductDatabase(settings, log, folder, closers),
      openTransports(settings, log, closers),
      options.simulator === null ? null : openSandbox(options.simulator, log, closers),
    ]);
    const whatsapp = openWhatsAppClient({ clock: systemClock, log });
    closers.push(() => whatsapp.close());
    const ids = makeIds(systemClock, systemRandom);
    const seedPorts = { database, ids, secrets: folder.secrets, dataDir: folder.path };
    const apiKey =
      started === null
        ? await ensureFirstAccount(database, { ids, dataDir: folder.path })
        : await seedSandbox(seedPorts, started);
    step('server');
    const server = await openServer({
      settings,
      clock: systemClock,
      random: systemRandom,
      ids,
      log,
      database,
      secrets: folder.secrets,
      media,
      sip,
      whatsapp,
      simulatorUrl: started?.url ?? null,
      webFolder: existsSync(join(WEB_FOLDER, 'index.html')) ? WEB_FOLDER : null,
    });
    closers.push(() => server.close());
    if (started !== null && server.url !== null) await connectSandbox(started, server.url);
    return { server, database, sandbox: started === null ? null : { ...started, apiKey }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for all, also when one fails, so that whatever did start can be closed again. */
async function allOrNone<T extends readonly unknown[]>(
  tasks: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

async function openSandbox(
  ports: { port: number; pbxPort: number },
  log: Log,
  closers: Array<() => Promise<void>>,
): Promise<Sandbox> {
  const sandbox = await startSandbox(ports, log);
  closers.push(() => sandbox.close());
  return sandbox;
}

async function openProductDatabase(
  settings: Settings,
  log: Log,
  folder: Pick<DataFolder, 'postgresDir' | 'secrets'>,
  closers: Array<() => Promise<void>>,
): Promise<Database> {
  let connection: Parameters<typeof openDatabase>[0]['connection'];
  if (settings.DATABASE_URL === undefined) {
    const dataDir = folder.postgresDir;
    const embedded = await startEmbeddedPostgres({ dataDir, log, clock: systemClock });
    closers.push(() => embedded.stop());
    connection = embedded.connection;
  } else {
    connection = settings.DATABASE_URL;
  }
  const vault = openVault(folder.secrets.dataKey, systemRandom);
  const database = openDatabase({ connection, log, vault });
  closers.push(() => database.close());
  await migrate(database);
  await sealPlainContacts(database);
  return database;
}

async function openTransports(settings: Settings, log: Log, closers: Array<() => Promise<void>>) {
  const media = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log,
    bindAddress: settings.ASKFIRST_MEDIA_ADDRESS,
    portRange: mediaPorts(settings),
    workers: settings.ASKFIRST_MEDIA_WORKERS,
    callsPerWorker: settings.ASKFIRST_CALLS_PER_WORKER,
  });
  closers.push(() => media.close());
  const sip = await openSipUserAgent({
    clock: systemClock,
    random: systemRandom,
    log,
    bindAddress: settings.ASKFIRST_SIP_ADDRESS,
    udpPort: settings.ASKFIRST_SIP_PORT,
    tcp: true,
    tls: readSipTls(settings),
    tlsPort: settings.ASKFIRST_SIP_TLS_PORT,
    ...(settings.ASKFIRST_ADVERTISED_ADDRESS === undefined
      ? {}
      : { advertisedAddress: settings.ASKFIRST_ADVERTISED_ADDRESS }),
  });
  closers.push(() => sip.close());
  return { media, sip };
}
