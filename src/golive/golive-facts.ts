import { request } from 'undici';
import { initialConsent } from '../consent/consent.ts';
import type { Database } from '../database/database.ts';
import { readEndpoint } from '../endpoints/endpoint-store.ts';
import { openLine, type StoredLine } from '../lines/line-store.ts';
import type { Clock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import type { Random } from '../platform/random.ts';
import type { Sealer } from '../platform/sealing.ts';
import { evaluateRequest } from '../policy/policy.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import type { LineAccess, WhatsAppClient } from '../whatsapp/whatsapp.ts';
import { readSipTls } from '../sip/tls-credentials.ts';
import { probeEndpoint, type ProbePorts } from './endpoint-probe.ts';
import { webhookAge } from './golive-store.ts';
import type { GoLiveFacts, Told } from './golive.ts';

/** The settings that the list looks at, by their names in the environment. */
export type GoLiveSettings = {
  ASKFIRST_PUBLIC_URL?: string | undefined;
  ASKFIRST_MEDIA_ADDRESS: string;
  ASKFIRST_SIP_ADDRESS: string;
  ASKFIRST_SIP_TLS_CA?: string | undefined;
  ASKFIRST_ADVERTISED_ADDRESS?: string | undefined;
  ASKFIRST_ROLES: readonly string[];
  dataDir: string;
};

export type GoLivePorts = {
  database: Database;
  clock: Clock;
  random: Random;
  sealer: Sealer;
  packs: PolicyPacks;
  whatsapp: WhatsAppClient;
  settings: GoLiveSettings;
};

/** Shorter than the time-out of a route, so that one slow answer never hides the others. */
const QUESTION_TIMEOUT_MS = 8_000;

/** Asks Meta, the database and the settings, all at once; a question that fails is a fact too. */
export async function gatherGoLiveFacts(
  ports: GoLivePorts,
  line: StoredLine,
): Promise<GoLiveFacts> {
  const { whatsapp, settings, clock, database } = ports;
  const ask = <T>(question: (access: LineAccess) => Promise<T>): Promise<Told<T>> =>
    told(clock, async () => question(openLine(line, ports.sealer).access));
  const [phoneNumber, calling, subscribedApps, templates, skew, webhook, endpoint] =
    await Promise.all([
      ask((access) => whatsapp.readPhoneNumber(access)),
      ask((access) => whatsapp.readSettings(access)),
      ask((access) => whatsapp.readSubscribedApps(access)),
      ask((access) => whatsapp.listTemplates(access)),
      ask((access) => clockSkew(clock, access.graphBaseUrl)),
      webhookAge(database, line.sealed.phoneNumberId),
      endpointOf(ports, line),
    ]);
  const { displayNumber, policyPack, keyExchange } = line;
  const { phoneNumberId, graphBaseUrl } = line.sealed;
  return {
    now: clock.now(),
    line: { displayNumber, policyPack, phoneNumberId, graphBaseUrl, keyExchange },
    phoneNumber,
    settings: calling,
    subscribedApps,
    templates,
    gate: refusedByGate(ports, line),
    webhook,
    ...endpoint,
    clockSkewMs: skew.ok ? skew.value : null,
    publicUrl: settings.ASKFIRST_PUBLIC_URL ?? null,
    mediaAddress: settings.ASKFIRST_MEDIA_ADDRESS,
    sipAddress: settings.ASKFIRST_SIP_ADDRESS,
    advertisedAddress: settings.ASKFIRST_ADVERTISED_ADDRESS ?? null,
    roles: settings.ASKFIRST_ROLES,
    dataDir: settings.dataDir,
  };
}

async function endpointOf(
  { database, clock, random, settings }: GoLivePorts,
  line: StoredLine,
): Promise<Pick<GoLiveFacts, 'endpoint' | 'probe'>> {
  const id = line.defaultEndpointId;
  const endpoint = id === null ? null : await readEndpoint(database, line.accountId, id);
  if (endpoint === null) return { endpoint: null, probe: null };
  const { name, uri } = endpoint;
  // From the address that calls come from, because a PBX may let in only that one.
  const { authorities } = readSipTls(settings);
  const bindAddress = settings.ASKFIRST_SIP_ADDRESS;
  const ports: ProbePorts = { clock, random, bindAddress, authorities };
  return { endpoint: { name, uri }, probe: await probeEndpoint(ports, uri) };
}

/** The real gate is asked about nobody in particular; only what it says of the line is kept. */
function refusedByGate(ports: GoLivePorts, line: StoredLine): GoLiveFacts['gate'] {
  const { enabled, restrictedUntil, displayNumber: e164, country } = line;
  const nobody = {
    e164: null,
    country: null,
    doNotCall: false,
    optedOutAt: null,
    optOutPendingAt: null,
    sanctionedRegion: false,
    timeZone: null,
  };
  const now = ports.clock.now();
  const facts = { now, line: { enabled, restrictedUntil, e164, country }, contact: nobody };
  const { verdicts } = evaluateRequest(
    {
      ...facts,
      consent: initialConsent,
      history: { callsAt: [], refusedAt: null },
      metaAnswer: null,
      purpose: '',
    },
    { pack: ports.packs.of(line.policyPack), narrower: [] },
  );
  return new Map(
    verdicts
      .filter(({ verdict }) => verdict === 'refuse')
      .map(({ rule, message, fix }) => [rule, { message, fix: fix ?? '' }]),
  );
}

/** The answer, or why there is none; never throws, and takes no longer than the time-out. */
function told<T>(clock: Clock, question: () => Promise<T>): Promise<Told<T>> {
  return new Promise((resolve) => {
    const late = clock.after(QUESTION_TIMEOUT_MS, () =>
      resolve({
        ok: false,
        code: 'meta_no_answer',
        message: `no answer within ${QUESTION_TIMEOUT_MS / 1_000} s`,
        fix: 'Try again; if it stays, check DNS, the firewall and the Graph URL of the line.',
        isFinal: false,
      }),
    );
    question()
      .then(
        (value) => resolve({ ok: true, value }),
        (error: unknown) => resolve(untold(error)),
      )
      .finally(() => late.cancel());
  });
}

function untold<T>(error: unknown): Told<T> {
  if (!(error instanceof Failure)) {
    const message = 'Something unforeseen went wrong while asking.';
    const fix = 'Try again; if it stays, look into the log.';
    return { ok: false, code: 'internal_error', message, fix, isFinal: false };
  }
  const { code, message, fix, verdict } = error;
  return { ok: false, code, message, fix, isFinal: verdict === 'terminal' };
}

/**
 * Our clock minus that of whoever answers at the Graph URL, from the Date header (RFC 9110
 * section 6.6.1): whole seconds, so half a second is added to it. Null without the header.
 */
async function clockSkew(clock: Clock, graphBaseUrl: string): Promise<number | null> {
  const abort = new AbortController();
  const late = clock.after(QUESTION_TIMEOUT_MS, () => abort.abort());
  try {
    const before = clock.now();
    const { headers, body } = await request(graphBaseUrl, {
      method: 'HEAD',
      signal: abort.signal,
    });
    await body.dump();
    const theirs = Date.parse(String(headers['date'] ?? ''));
    return Number.isNaN(theirs) ? null : Math.round((before + clock.now()) / 2 - theirs - 500);
  } finally {
    late.cancel();
  }
}
