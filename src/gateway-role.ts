import type { SessionTarget } from './calls/call-session.ts';
import { openDialer, type DialedCall } from './calls/dialer.ts';
import { LEASE_SECONDS, openGateway, type Gateway } from './calls/gateway.ts';
import { readContact } from './contacts/contact-store.ts';
import { openEndpoint, readEndpoint } from './endpoints/endpoint-store.ts';
import { openLine, readLine } from './lines/line-store.ts';
import { recipientOf } from './messages/message-worker.ts';
import type { ServerCore } from './server-core.ts';

/** The `gateway` role: dials, and holds the legs of live calls. */
export function openGatewayRole(core: ServerCore): Gateway {
  const { settings, database, sealer } = core;
  const openTarget = ({ contact, line, endpoint }: Omit<DialedCall, 'state'>): SessionTarget => ({
    line: openLine(line, sealer),
    endpoint: openEndpoint(endpoint, sealer),
    to: recipientOf(contact),
    customerLabel: contact.e164 ?? contact.id,
  });
  return openGateway({
    ...core,
    dialer: openDialer({ ...core, leaseSeconds: LEASE_SECONDS }),
    openTarget,
    targetOf: async (state) => {
      const { accountId, contactId, lineId, endpointId } = state.plan;
      const contact = await readContact(database, accountId, contactId);
      const line = await readLine(database, accountId, lineId);
      const endpoint = await readEndpoint(database, accountId, endpointId);
      if (contact === null || line === null || endpoint === null) return null;
      return openTarget({ contact, line, endpoint });
    },
    advertisedAddress: settings.ASKFIRST_ADVERTISED_ADDRESS ?? settings.ASKFIRST_MEDIA_ADDRESS,
    stopByKey: (callId, waitedMs) => core.stops.byKey(callId, waitedMs),
    nodeName: settings.ASKFIRST_NODE,
    maxCalls: settings.ASKFIRST_MEDIA_WORKERS * settings.ASKFIRST_CALLS_PER_WORKER,
  });
}
