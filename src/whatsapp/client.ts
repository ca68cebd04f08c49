import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TRANSPORT_ERRORS } from './errors.ts';
import { makeFailure } from './failure-from-response.ts';
import {
  callPermissionsFromWire,
  listedTemplateFromWire,
  phoneNumberFromWire,
  sentMessageFromWire,
  settingsFromWire,
} from './graph-answers.ts';
import {
  callButtonBody,
  callingBody,
  callPermissionRequestBody,
  connectCallBody,
  listBody,
  templateContentBody,
  templateDraftBody,
  templateMessageBody,
  textMessageBody,
} from './graph-bodies.ts';
import { openSender, type Send } from './graph-sender.ts';
import { openPace, type Pace } from './pace.ts';
import {
  WhatsAppFailure,
  type LineAccess,
  type ListedTemplate,
  type Recipient,
  type SentMessage,
  type WhatsAppClient,
} from './whatsapp.ts';
import {
  callPermissionsWire,
  createdTemplateWire,
  phoneNumberWire,
  placedCallWire,
  sentMessageWire,
  settingsWire,
  subscribedAppsWire,
  successWire,
  templateListWire,
} from './wire.ts';

const TIMEOUT_MS = 15_000;
/** The reference page says 5 a second, a newer one 100: the lower one is safe under both. */
const PERMISSION_CHECKS_PER_SECOND = 5;
const TEMPLATE_PAGES_MAX = 20;
/** Meta documents "the user already ended the call" as a failure, but with no code of its own. */
const ALREADY_ENDED = /already|ended|terminated|not found|no longer/i;

export type WhatsAppClientOptions = {
  clock: Clock;
  log: Log;
  /** For one whole request; 15 s when left out. */
  timeoutMs?: number;
  /** Another undici dispatcher, for tests or a proxy. It is not closed by `close()`. */
  dispatcher?: Dispatcher;
};

/** The client of the Graph API. Every failure it throws is a `WhatsAppFailure`. */
export function openWhatsAppClient(options: WhatsAppClientOptions): WhatsAppClient {
  const { clock, log, timeoutMs = TIMEOUT_MS } = options;
  const own = options.dispatcher === undefined;
  // HTTP/2 would let one lost connection leave many dials with an unknown outcome.
  const dispatcher = options.dispatcher ?? new Agent({ connections: 64, allowH2: false });
  const send = openSender({ clock, log, dispatcher, timeoutMs });
  return {
    ...messageRequests(send),
    ...callRequests(send, openPace(clock, PERMISSION_CHECKS_PER_SECOND)),
    ...accountRequests(send),
    async close() {
      if (own) await dispatcher.destroy();
    },
  };
}

/** Never repeatable: a second message asks a person twice, and asking is limited and counted. */
function messageRequests(
  send: Send,
): Pick<
  WhatsAppClient,
  'sendTemplate' | 'sendText' | 'sendCallPermissionRequest' | 'sendCallButton' | 'sendList'
> {
  const sendMessage = async (
    line: LineAccess,
    name: string,
    body: object,
  ): Promise<SentMessage> => {
    const path = [line.phoneNumberId, 'messages'];
    const request = { name, method: 'POST', path, body, repeatable: false } as const;
    return sentMessageFromWire(await send(line, { ...request, answer: sentMessageWire }));
  };
  return {
    sendTemplate: (line, to, template, opaque) =>
      sendMessage(line, 'sendTemplate', templateMessageBody(to, template, opaque)),
    sendText: (line, to, text, opaque) =>
      sendMessage(line, 'sendText', textMessageBody(to, text, opaque)),
    sendCallPermissionRequest: (line, to, text, opaque) =>
      sendMessage(line, 'sendCallPermissionRequest', callPermissionRequestBody(to, text, opaque)),
    sendCallButton: (line, to, message, opaque) =>
      sendMessage(line, 'sendCallButton', callButtonBody(to, message, opaque)),
    sendList: (line, to, list, opaque) => sendMessage(line, 'sendList', listBody(to, list, opaque)),
  };
}

/** A lost answer to `connect` leaves open whether a phone rings; the other two may be repeated. */
function callRequests(
  send: Send,
  pace: Pace,
): Pick<WhatsAppClient, 'connectCall' | 'terminateCall' | 'callPermissions'> {
  return {
    async connectCall(line, to, sdp, opaque) {
      const answer = await send(line, {
        name: 'connectCall',
        method: 'POST',
        path: [line.phoneNumberId, 'calls'],
        body: connectCallBody(to, sdp, opaque),
        repeatable: false,
        answer: placedCallWire,
      });
      return { wacid: answer.calls[0]?.id ?? '' };
    },

    terminateCall: (line, wacid) => terminate(send, line, wacid),

    async callPermissions(line, person) {
      const slot = await pace.wait(line.phoneNumberId);
      if (!slot) throw makeFailure(TRANSPORT_ERRORS.permissionCheckBusy, {});
      const answer = await send(line, {
        name: 'callPermissions',
        method: 'GET',
        path: [line.phoneNumberId, 'call_permissions'],
        query: permissionQuery(person),
        repeatable: true,
        answer: callPermissionsWire,
      });
      return callPermissionsFromWire(answer);
    },
  };
}

/** Settings, templates and the checks of going live: repeating any of them does no harm. */
function accountRequests(
  send: Send,
): Omit<
  WhatsAppClient,
  keyof ReturnType<typeof messageRequests> | keyof ReturnType<typeof callRequests> | 'close'
> {
  return {
    async readSettings(line) {
      const answer = await send(line, {
        name: 'readSettings',
        method: 'GET',
        path: [line.phoneNumberId, 'settings'],
        repeatable: true,
        answer: settingsWire,
      });
      return settingsFromWire(answer);
    },

    async updateCalling(line, calling) {
      await send(line, {
        name: 'updateCalling',
        method: 'POST',
        path: [line.phoneNumberId, 'settings'],
        body: callingBody(calling),
        repeatable: true,
        answer: successWire,
      });
    },

    // A second try of a template that was made is refused by its name, so it does no harm.
    createTemplate: (line, template) =>
      send(line, {
        name: 'createTemplate',
        method: 'POST',
        path: [line.wabaId, 'message_templates'],
        body: templateDraftBody(template),
        repeatable: true,
        answer: createdTemplateWire,
      }),

    async editTemplate(line, metaId, template) {
      await send(line, {
        name: 'editTemplate',
        method: 'POST',
        path: [metaId],
        body: templateContentBody(template),
        repeatable: true,
        answer: successWire,
      });
    },

    async deleteTemplate(line, { name, metaId }) {
      await send(line, {
        name: 'deleteTemplate',
        method: 'DELETE',
        path: [line.wabaId, 'message_templates'],
        query: { name, hsm_id: metaId },
        repeatable: true,
        answer: successWire,
      });
    },

    listTemplates: (line) => listTemplates(send, line),

    async readPhoneNumber(line) {
      const answer = await send(line, {
        name: 'readPhoneNumber',
        method: 'GET',
        path: [line.phoneNumberId],
        query: { fields: 'display_phone_number,verified_name,quality_rating' },
        repeatable: true,
        answer: phoneNumberWire,
      });
      return phoneNumberFromWire(answer);
    },

    async readSubscribedApps(line) {
      const answer = await send(line, {
        name: 'readSubscribedApps',
        method: 'GET',
        path: [line.wabaId, 'subscribed_apps'],
        repeatable: true,
        answer: subscribedAppsWire,
      });
      // Meta nests the id; the OpenAPI file shows it flat.
      return answer.data.map((app) => app.whatsapp_business_api_data?.id ?? app.id ?? 'unnamed');
    },
  };
}

async function terminate(send: Send, line: LineAccess, wacid: string): Promise<void> {
  try {
    await send(line, {
      name: 'terminateCall',
      method: 'POST',
      path: [line.phoneNumberId, 'calls'],
      body: { messaging_product: 'whatsapp', call_id: wacid, action: 'terminate' },
      repeatable: true,
      answer: successWire,
    });
  } catch (error) {
    const refused = error instanceof WhatsAppFailure && error.side === 'client';
    if (refused && error.metaCode !== null && ALREADY_ENDED.test(error.message)) return;
    throw error;
  }
}

const TEMPLATE_FIELDS = 'id,name,language,status,category,components,rejected_reason,quality_score';

async function listTemplates(send: Send, line: LineAccess): Promise<ListedTemplate[]> {
  const templates: ListedTemplate[] = [];
  let after: string | undefined;
  for (let page = 0; page < TEMPLATE_PAGES_MAX; page += 1) {
    const answer = await send(line, {
      name: 'listTemplates',
      method: 'GET',
      path: [line.wabaId, 'message_templates'],
      query: {
        fields: TEMPLATE_FIELDS,
        limit: '100',
        ...(after === undefined ? {} : { after }),
      },
      repeatable: true,
      answer: templateListWire,
    });
    templates.push(...answer.data.map(listedTemplateFromWire));
    // A cursor comes with the last page too; only `next` says that there is more.
    after = answer.paging?.next === undefined ? undefined : answer.paging.cursors?.after;
    if (after === undefined) break;
  }
  return templates;
}

function permissionQuery(person: Recipient): Record<string, string> {
  return person.to === undefined
    ? { recipient: person.userId ?? '' }
    : { user_wa_id: person.to.replace(/^\+/, '') };
}
