import type { Database } from '../database/database.ts';
import { recordInRegister } from '../do-not-call/register-commands.ts';
import type { LedgerPorts } from '../ledger/contact-unit.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { SipRegistration, SipUserAgent } from '../sip/sip.ts';
import { sipTarget } from './endpoint.ts';
import {
  openTarget,
  registeringEndpoints,
  type StoredEndpoint,
  type StoredTarget,
} from './endpoint-store.ts';
import { afterRegister, REGISTER_SECONDS, type Registration } from './registration.ts';
import { forgetRegistration, saveRegistration } from './registration-store.ts';

/**
 * Keeps this gateway registered at the PBXs that want it (`register` of an endpoint): renews in
 * time, tries again after trouble, says to the business when it is lost and when it is back, and
 * takes every registration back as it stops, so that a PBX does not call on a gateway that is gone.
 */
export type RegistrationPorts = LedgerPorts & {
  database: Database;
  log: Log;
  sealer: Sealer;
  sip: Pick<SipUserAgent, 'registration'>;
  /** The name of this gateway; each has a registration of its own. */
  node: string;
  /** How soon a changed endpoint is seen at the latest; 0: nothing is registered. */
  everyMs: number;
};

type Job = { endpoint: StoredEndpoint; target: StoredTarget; line: SipRegistration };
type Kept = Job & { held: Registration | null; isBusy: boolean };

const ROUND_MS = 1_000;
const LOOK_MS = 5_000;
const GOODBYE_MS = 2_000;

export function openRegistrations(ports: RegistrationPorts): { close(): Promise<void> } {
  const { clock, log, everyMs } = ports;
  const kept = new Map<string, Kept>();
  let lookAt = -Infinity;
  const round = async (): Promise<void> => {
    try {
      if (clock.monotonic() >= lookAt) {
        lookAt = clock.monotonic() + Math.min(LOOK_MS, everyMs);
        await compare(ports, kept);
      }
      for (const one of kept.values()) {
        const isDue = one.held === null || one.held.nextAt <= clock.now();
        if (isDue && !one.isBusy) void renew(ports, one);
      }
    } catch (error) {
      log.error({ error: errorText(error) }, 'registering at endpoints failed');
    }
  };
  const stop = everyMs === 0 ? async () => {} : repeat(clock, ROUND_MS, round);
  return {
    async close() {
      await stop();
      await Promise.all([...kept.values()].map((one) => leave(ports, one)));
    },
  };
}

/** What should be registered against what is: new ones come in, those that were changed go. */
async function compare(ports: RegistrationPorts, kept: Map<string, Kept>): Promise<void> {
  const wanted = new Map<string, { endpoint: StoredEndpoint; target: StoredTarget }>();
  for (const endpoint of await registeringEndpoints(ports.database)) {
    for (const target of endpoint.targets) {
      if (target.username !== null) wanted.set(keyOf(endpoint, target), { endpoint, target });
    }
  }
  for (const [key, one] of kept) {
    if (wanted.has(key)) continue;
    kept.delete(key);
    await leave(ports, one);
  }
  for (const [key, { endpoint, target }] of wanted) {
    if (kept.has(key)) continue;
    const line = ports.sip.registration(sipTarget(openTarget(target, ports.sealer)));
    kept.set(key, { endpoint, target, line, held: null, isBusy: false });
  }
}

async function renew(ports: RegistrationPorts, one: Kept): Promise<void> {
  const { clock, log, database, node } = ports;
  one.isBusy = true;
  try {
    const before = one.held;
    const outcome = await one.line.send(before?.seconds ?? REGISTER_SECONDS);
    const held = afterRegister(before, outcome, clock.now());
    one.held = held;
    const { state, since, status, reason, expiresAt } = held;
    const row = { endpointId: one.endpoint.id, uri: one.target.uri, node };
    await saveRegistration(database, { ...row, state, since, status, reason, expiresAt });
    if (before?.state !== state) await tell(ports, one, held);
  } catch (error) {
    log.error({ error: errorText(error) }, 'a registration was not kept');
  } finally {
    one.isBusy = false;
  }
}

async function leave(ports: RegistrationPorts, one: Kept): Promise<void> {
  const { log, database, node } = ports;
  if (one.held?.expiresAt !== null && one.held !== null) await one.line.send(0, GOODBYE_MS);
  const row = { endpointId: one.endpoint.id, uri: one.target.uri, node };
  await forgetRegistration(database, row).catch((error: unknown) => {
    log.warn({ error: errorText(error) }, 'a registration that was taken back stays in its row');
  });
}

async function tell(
  ports: RegistrationPorts,
  { endpoint, target }: Kept,
  { state, status, reason }: Registration,
): Promise<void> {
  const { id: endpointId, accountId, name } = endpoint;
  const { uri } = target;
  const isIn = state === 'registered';
  ports.log.warn({ endpointId, uri, status }, isIn ? 'registered' : 'not registered');
  const data = { endpointId, name, uri, node: ports.node, state, status, reason };
  const type = isIn ? 'endpoint.registered' : 'endpoint.registration_lost';
  await ports.database.transaction((tx) =>
    recordInRegister(tx, ports, accountId, {
      type: isIn ? 'EndpointRegistered' : 'EndpointRegistrationLost',
      actor: 'platform',
      data,
      announce: { type, callId: null, sequence: 0, data },
    }),
  );
}

/** A changed password, user name or address is a registration of its own. */
function keyOf({ id }: StoredEndpoint, { uri, username, password }: StoredTarget): string {
  return [id, uri, username ?? '', password?.toString('base64') ?? ''].join(' ');
}
