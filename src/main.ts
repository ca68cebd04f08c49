import { openApi, type ApiPorts, type OpenApi } from './api.ts';
import type { Gateway } from './calls/gateway.ts';
import type { CheckpointFiles } from './checkpoints/checkpoints.ts';
import type { Database } from './database/database.ts';
import { openGatewayRole } from './gateway-role.ts';
import { readWebhookSecrets } from './lines/line-store.ts';
import type { MediaPlane } from './media/media.ts';
import type { Clock } from './platform/clock.ts';
import type { Ids } from './platform/ids.ts';
import type { Log } from './platform/log.ts';
import type { Random } from './platform/random.ts';
import type { Speaker } from './prompts/speaker.ts';
import { makeServerCore, type ServerCore } from './server-core.ts';
import type { Settings } from './settings.ts';
import type { SipUserAgent } from './sip/sip.ts';
import { makeEgress, type Egress } from './webhooks/egress.ts';
import { openIntake } from './whatsapp/intake.ts';
import type { WhatsAppClient } from './whatsapp/whatsapp.ts';
import { openWorkerRole, type WorkerRole } from './worker-role.ts';

/**
 * The composition root: the only place that knows everybody. What reaches outside (time, chance,
 * database, media, SIP, Meta) is handed in, so that tests can put in their own.
 */
export type ServerPorts = {
  settings: Settings;
  clock: Clock;
  random: Random;
  ids: Ids;
  log: Log;
  database: Database;
  secrets: { dataKey: Uint8Array; doNotCallKey: Uint8Array; ledgerKey: Uint8Array };
  media: MediaPlane;
  sip: SipUserAgent;
  whatsapp: WhatsAppClient;
  /** Told to the page; null where no simulator runs. */
  simulatorUrl: string | null;
  /** Folder of the built page, or null to serve none. */
  webFolder: string | null;
  /** Checkpoints outside the database; real files when left out. */
  checkpointFiles?: CheckpointFiles;
  /** What speaks texts; the program that the settings name when left out. */
  speaker?: Speaker;
  /** Where outgoing events go; the real door to the net when left out. */
  egress?: Egress;
  /** False for an API without a socket, which takes only what is injected: for simulations. */
  listens?: boolean;
};

export type AskfirstServer = {
  /** Base URL, or null when this process has no `api` role. */
  url: string | null;
  gateway: Gateway | null;
  /** One request without a socket; null where there is no `api` role. */
  inject: OpenApi['inject'] | null;
  /** Finishes what is in hand and lets everything go; the ports stay open. */
  close(): Promise<void>;
};

export async function openServer(ports: ServerPorts): Promise<AskfirstServer> {
  const { settings, clock } = ports;
  const core = makeServerCore(ports);
  const roles: ReadonlySet<string> = new Set(settings.ASKFIRST_ROLES);
  const allowPrivate = settings.ASKFIRST_WEBHOOKS_TO_PRIVATE === 'yes';
  const egress = ports.egress ?? makeEgress({ clock, allowPrivate });
  const worker = roles.has('worker') ? openWorkerRole(core, egress) : null;
  const gateway = roles.has('gateway') ? openGatewayRole(core, egress) : null;
  const close = async (api: { close(): Promise<void> } | null): Promise<void> => {
    // Calls are hung up first, while Meta's webhooks still come in and are folded.
    await gateway?.close();
    await api?.close();
    await worker?.close();
    await egress.close();
  };
  try {
    const api = roles.has('api') ? await openApi(apiPorts(core, worker, egress)) : null;
    const { url = null, inject = null } = api ?? {};
    return { url, gateway, inject, close: () => close(api) };
  } catch (error) {
    // A busy port, most often: what runs already must not go on behind the failure.
    await close(null);
    throw error;
  }
}

function apiPorts(core: ServerCore, worker: WorkerRole | null, egress: Egress): ApiPorts {
  const { database, log, clock, sealer } = core;
  const onStored = (buckets: readonly number[]): void => {
    for (const bucket of buckets) worker?.wakeInbox(bucket);
  };
  return {
    ...core,
    egress,
    intake: openIntake({ database, log, clock, onStored }),
    secretsOf: () => readWebhookSecrets(database, sealer),
    wakeDeliveries: () => worker?.wakeDeliveries(),
  };
}
