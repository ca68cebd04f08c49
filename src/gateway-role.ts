import { openAgentDesk } from './agents/agent-desk.ts';
import { openAgentLines } from './agents/agent-lines.ts';
import type { SessionTarget } from './calls/call-session.ts';
import { openDialer, type DialedCall } from './calls/dialer.ts';
import { LEASE_SECONDS, openGateway, type Gateway } from './calls/gateway.ts';
import { readContact } from './contacts/contact-store.ts';
import type { Endpoint } from './endpoints/endpoint.ts';
import { listEndpoints, openEndpoint, readEndpoint } from './endpoints/endpoint-store.ts';
import { orderTargets } from './endpoints/failover.ts';
import { openHealthWatch } from './endpoints/health-worker.ts';
import { openRegistrations } from './endpoints/registration-worker.ts';
import { guardTarget, type GuardSettings } from './endpoints/target-guard.ts';
import { openLine, readLine } from './lines/line-store.ts';
import { isRefused } from './platform/refusal.ts';
import { recipientOf } from './messages/message-worker.ts';
import { readRecordingSettings } from './recording/recording-store.ts';
import type { ScriptId } from './calls/call-script.ts';
import { openScriptGuide, playScript } from './scripts/script-guide.ts';
import type { ServerCore } from './server-core.ts';
import { advertisedAddress } from './settings.ts';
import type { Egress } from './webhooks/egress.ts';

/** The `gateway` role: dials, and holds the legs of live calls. */
export function openGatewayRole(core: ServerCore, egress: Egress): Gateway {
  const { settings, database, sealer } = core;
  const everyMs = settings.ASKFIRST_ENDPOINT_CHECK_SECONDS * 1_000;
  const health = openHealthWatch({ ...core, everyMs });
  const registrations = openRegistrations({ ...core, node: settings.ASKFIRST_NODE, everyMs });
  const agents = openAgentLines({ ...core, hints: core.agentHints });
  const agentDesk = openAgentDesk(core.agentHints);
  const openTarget = (dialed: Omit<DialedCall, 'state'>): SessionTarget => {
    const { contact, line } = dialed;
    const endpoint = openEndpoint(dialed.endpoint, sealer);
    const guard = core.endpointDesk.guardOf(endpoint.accountId);
    const { callerId } = endpoint.options;
    return {
      line: openLine(line, sealer),
      endpoint: { ...endpoint, targets: callOrder(endpoint, guard) },
      to: recipientOf(contact),
      customerLabel: callerId === 'alias' ? contact.id : (contact.e164 ?? contact.id),
      guard,
      person: { country: contact.country, language: contact.language },
    };
  };
  /** Allowed ones only; where none is, the leg says why. */
  const callOrder = ({ id, targets }: Endpoint, guard: GuardSettings) => {
    const allowed = targets.filter(({ uri }) => !isRefused(guardTarget(uri, guard)));
    const usable = allowed.length === 0 ? targets : allowed;
    return orderTargets(usable, (uri) => health.isDown(id, uri), core.random);
  };
  const gateway = openGateway({
    ...core,
    agents,
    dialer: openDialer({ ...core, agentDesk, leaseSeconds: LEASE_SECONDS }),
    openTarget,
    targetOf: async (state) => {
      const { accountId, contactId, lineId, endpointId } = state.plan;
      const contact = await readContact(database, accountId, contactId);
      const line = await readLine(database, accountId, lineId);
      const endpoint = await readEndpoint(database, accountId, endpointId);
      if (contact === null || line === null || endpoint === null) return null;
      return openTarget({ contact, line, endpoint });
    },
    advertisedAddress: advertisedAddress(settings),
    endpointOf: async ({ accountId }, endpointId) => {
      const endpoint = await readEndpoint(database, accountId, endpointId);
      if (endpoint === null) return null;
      const opened = openEndpoint(endpoint, sealer);
      const guard = core.endpointDesk.guardOf(accountId);
      return { ...opened, targets: callOrder(opened, guard) };
    },
    addressesOf: async ({ accountId }) => {
      const endpoints = await listEndpoints(database, accountId);
      return endpoints.flatMap(({ id: endpointId, targets }) =>
        targets.map(({ uri }) => ({ endpointId, uri })),
      );
    },
    promptOf: ({ accountId }, name) => core.shelf.prompt(accountId, name),
    spokenOf: async (text, language) =>
      core.shelf.speaks ? core.shelf.spoken(text, language, null) : null,
    announcementOf: async ({ accountId }) => {
      const { announcementPrompt: name } = await readRecordingSettings(database, accountId);
      return name === null ? null : core.shelf.prompt(accountId, name);
    },
    openGuide: openScriptGuide({ ...core, egress }),
    openScript: (hands, state, scriptId) =>
      playScript({ ...core, egress }, hands, state, {
        scriptId: scriptId as ScriptId,
        version: 0,
        variables: {},
      }),
    stopByKey: (callId, waitedMs) => core.stops.byKey(callId, waitedMs),
    nodeName: settings.ASKFIRST_NODE,
    maxCalls: settings.ASKFIRST_MEDIA_WORKERS * settings.ASKFIRST_CALLS_PER_WORKER,
  });
  return {
    ...gateway,
    async close() {
      await health.close();
      await registrations.close();
      await gateway.close();
      await agents.close();
    },
  };
}
