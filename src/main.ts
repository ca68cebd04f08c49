import { openCallDesk } from './calls/call-desk.ts';
import { openDialer, type DialedCall } from './calls/dialer.ts';
import { LEASE_SECONDS, openGateway, type Gateway } from './calls/gateway.ts';
import type { SessionTarget } from './calls/call-session.ts';
import { openConsentWorker } from './consent/consent-worker.ts';
import { readContact } from './contacts/contact-store.ts';
import type { Database } from './database/database.ts';
import { openEndpoint, readEndpoint } from './endpoints/endpoint-store.ts';
import { makeChanges } from './ledger/changes.ts';
import type { ContactUnit } from './ledger/contact-unit.ts';
import { openLine, readLine, readLines, readWebhookSecrets } from './lines/line-store.ts';
import type { MediaPlane } from './media/media.ts';
import { openMessageWorker, recipientOf } from './messages/message-worker.ts';
import type { Clock } from './platform/clock.ts';
import type { Ids, LineId } from './platform/ids.ts';
import { invariant } from './platform/invariant.ts';
import type { Log } from './platform/log.ts';
import type { Random } from './platform/random.ts';
import { makeSealer } from './platform/sealing.ts';
import { makePolicyPacks } from './policy/policy-packs.ts';
import { openReception } from './reception/reception.ts';
import type { Settings } from './settings.ts';
import type { SipUserAgent } from './sip/sip.ts';
import { makeDeliveryWorker } from './webhooks/delivery-worker.ts';
import { makeEgress } from './webhooks/egress.ts';
import { openInboxWorker } from './whatsapp/inbox-worker.ts';
import { openIntake } from './whatsapp/intake.ts';
import type { WhatsAppClient } from './whatsapp/whatsapp.ts';
import { openApi } from './api.ts';

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
  secrets: { dataKey: Uint8Array; doNotCallKey: Uint8Array };
  media: MediaPlane;
  sip: SipUserAgent;
  whatsapp: WhatsAppClient;
  /** Told to the page; null where no simulator runs. */
  simulatorUrl: string | null;
  /** Folder of the built page, or null to serve none. */
  webFolder: string | null;
};

export type AskfirstServer = {
  /** Base URL, or null when this process has no `api` role. */
  url: string | null;
  gateway: Gateway | null;
  /** Finishes what is in hand and lets everything go; the ports stay open. */
  close(): Promise<void>;
};

export async function openServer(ports: ServerPorts): Promise<AskfirstServer> {
  const { settings, database, log, clock, ids, random, whatsapp } = ports;
  const sealer = makeSealer(ports.secrets.dataKey, random);
  const packs = makePolicyPacks();
  const changes = makeChanges();
  const { doNotCallKey } = ports.secrets;
  const ledger = { database, clock, ids, changes };
  const rulesOfLine = async (unit: ContactUnit, lineId: LineId) => {
    const line = await readLine(unit.tx, unit.contact.accountId, lineId);
    invariant(line !== null, `line ${lineId} does not exist`);
    return packs.rulesOf(line.policyPack);
  };
  const desk = openCallDesk({ ...ledger, rulesOfLine });
  const owner = `${settings.ASKFIRST_NODE}/${ids.next('node')}`;
  const closers: Array<() => Promise<void>> = [];
  const has = (role: 'api' | 'worker' | 'gateway'): boolean =>
    settings.ASKFIRST_ROLES.includes(role);

  const allowPrivate = settings.ASKFIRST_WEBHOOKS_TO_PRIVATE === 'yes';
  const egress = makeEgress({ clock, allowPrivate });
  closers.push(() => egress.close());
  let wakeDeliveries = (): void => {};
  let wakeInbox: (bucket: number) => void = () => {};
  if (has('worker')) {
    const reception = openReception({
      ...ledger,
      desk,
      whatsapp,
      log,
      packs,
      sealer,
      doNotCallKey,
    });
    const inbox = openInboxWorker({
      database,
      clock,
      log,
      handle: (fact) => reception.handle(fact),
      node: owner,
    });
    wakeInbox = (bucket) => inbox.wake(bucket);
    const messages = openMessageWorker({
      ...ledger,
      whatsapp,
      log,
      owner,
      rulesOfLine,
      accessOf: async (lineId) => {
        const [line] = await readLines(database, [lineId]);
        return line === undefined ? null : openLine(line, sealer).access;
      },
      contactOf: ({ accountId, contactId }) => readContact(database, accountId, contactId),
    });
    const consent = openConsentWorker({ ...ledger, log, rulesOfLine });
    const deliveries = makeDeliveryWorker({ database, clock, log, random, sealer, egress, owner });
    deliveries.start();
    wakeDeliveries = () => deliveries.wake();
    const unsubscribe = changes.subscribe(wakeDeliveries);
    closers.unshift(async () => {
      unsubscribe();
      await Promise.all([inbox.close(), messages.close(), consent.close(), deliveries.stop()]);
    });
  }

  const gateway = has('gateway') ? openGatewayRole() : null;
  // First in, last out: calls are hung up while the workers still fold Meta's answers.
  if (gateway !== null) closers.unshift(() => gateway.close());

  let url: string | null = null;
  if (has('api')) {
    const onStored = (buckets: readonly number[]): void => buckets.forEach((b) => wakeInbox(b));
    const intake = openIntake({ database, log, clock, onStored });
    const secretsOf = async () => readWebhookSecrets(database, sealer);
    const api = await openApi({
      ...ports,
      changes,
      packs,
      sealer,
      doNotCallKey,
      desk,
      intake,
      secretsOf,
      egress,
      wakeDeliveries,
    });
    url = api.url;
    closers.unshift(() => api.close());
  }

  return {
    url,
    gateway,
    async close() {
      for (const close of closers) await close();
    },
  };

  function openGatewayRole(): Gateway {
    const dialer = openDialer({
      ...ledger,
      packs,
      doNotCallKey,
      owner,
      leaseSeconds: LEASE_SECONDS,
    });
    const openTarget = ({ contact, line, endpoint }: Omit<DialedCall, 'state'>): SessionTarget => ({
      line: openLine(line, sealer),
      endpoint: openEndpoint(endpoint, sealer),
      to: recipientOf(contact),
      customerLabel: contact.e164 ?? contact.id,
    });
    return openGateway({
      desk,
      media: ports.media,
      sip: ports.sip,
      whatsapp,
      clock,
      log,
      database,
      changes,
      dialer,
      openTarget,
      advertisedAddress: settings.ASKFIRST_ADVERTISED_ADDRESS ?? settings.ASKFIRST_MEDIA_ADDRESS,
      targetOf: async (state) => {
        const { accountId, contactId, lineId, endpointId } = state.plan;

        const contact = await readContact(database, accountId, contactId);
        const line = await readLine(database, accountId, lineId);
        const endpoint = await readEndpoint(database, accountId, endpointId);
        if (contact === null || line === null || endpoint === null) return null;
        return openTarget({ contact, line, endpoint });
      },
      nodeName: settings.ASKFIRST_NODE,
      owner,
      maxCalls: settings.ASKFIRST_MEDIA_WORKERS * settings.ASKFIRST_CALLS_PER_WORKER,
    });
  }
}
