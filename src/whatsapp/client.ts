import { Agent, type Dispatcher } from 'undici';
import type { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TRANSPORT_ERRORS } from './errors.ts';
import { failureFromResponse, makeFailure, parseJson } from './failure-from-response.ts';
import { exchange, type Exchange } from './graph-exchange.ts';
import {
  callPermissionRequestBody,
  connectCallBody,
  templateDraftBody,
  templateMessageBody,
  textMessageBody,
} from './graph-bodies.ts';
import {
  callPermissionsFromWire,
  settingsFromWire,
  sentMessageFromWire,
  phoneNumberFromWire,
} from './graph-answers.ts';
import { openPace } from './pace.ts';
import {
  WhatsAppFailure,
  type LineAccess,
  type Recipient,
  type WhatsAppClient,
} from './whatsapp.ts';
import {
  callPermissionsWire,
  createdTemplateWire,
  graphErrorWire,
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

type GraphRequest<T> = {
  /** For the log: ids and queries stay out of it. */
  name: string;
  method: 'GET' | 'POST';
  path: readonly string[];
  query?: Record<string, string>;
  body?: unknown;
  /** True when sending it twice does no harm, so that a lost answer may be retried. */
  repeatable: boolean;
  answer: z.ZodType<T>;
};

/** The client of the Graph API. Every failure it throws is a `WhatsAppFailure`. */
export function openWhatsAppClient(options: WhatsAppClientOptions): WhatsAppClient {
  const own = options.dispatcher === undefined;
  // HTTP/2 would let one lost connection leave many dials with an unknown outcome.
  const dispatcher = options.dispatcher ?? new Agent({ connections: 64, allowH2: false });
  const send = openSender(options, dispatcher);
  const pace = openPace(options.clock, PERMISSION_CHECKS_PER_SECOND);

  const sendMessage = async (line: LineAccess, name: string, body: object) =>
    sentMessageFromWire(
      await send(line, {
        name,
        method: 'POST',
        path: [line.phoneNumberId, 'messages'],
        body,
        repeatable: false,
        answer: sentMessageWire,
      }),
    );

  return {
    sendTemplate: (line, to, template, opaque) =>
      sendMessage(line, 'sendTemplate', templateMessageBody(to, template, opaque)),
    sendText: (line, to, text, opaque) =>
      sendMessage(line, 'sendText', textMessageBody(to, text, opaque)),
    sendCallPermissionRequest: (line, to, text, opaque) =>
      sendMessage(line, 'sendCallPermissionRequest', callPermissionRequestBody(to, text, opaque)),

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
        body: { calling: { status: calling.enabled ? 'ENABLED' : 'DISABLED' } },
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
      return answer.data.map((app) => app.whatsapp_business_api_data?.id ?? app.id ?? 'unnamed');
    },

    async close() {
      if (own) await dispatcher.destroy();
    },
  };
}

type Send = <T>(line: LineAccess, request: GraphRequest<T>) => Promise<T>;

function openSender(options: WhatsAppClientOptions, dispatcher: Dispatcher): Send {
  const { clock, log, timeoutMs = TIMEOUT_MS } = options;
  return async (line, request) => {
    const startedAt = clock.monotonic();
    const result = await exchange(dispatcher, clock, {
      method: request.method,
      url: graphUrl(line, request.path, request.query),
      headers: {
        authorization: `Bearer ${line.accessToken}`,
        accept: 'application/json',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      timeoutMs,
    });
    const facts = { request: request.name, tookMs: Math.round(clock.monotonic() - startedAt) };
    try {
      const answer = readAnswer(result, request, clock.now());
      log.debug(facts, 'graph request done');
      return answer;
    } catch (error) {
      if (error instanceof WhatsAppFailure)
        log.warn({ ...facts, failure: error.code }, 'graph request failed');
      throw error;
    }
  };
}

function readAnswer<T>(result: Exchange, request: GraphRequest<T>, now: number): T {
  if (result.kind === 'notSent') {
    const row = result.unusable ? TRANSPORT_ERRORS.lineUnusable : TRANSPORT_ERRORS.unreachable;
    throw makeFailure(row, { cause: result.cause });
  }
  if (result.kind === 'lost') {
    const row = request.repeatable ? TRANSPORT_ERRORS.noAnswer : TRANSPORT_ERRORS.outcomeUnknown;
    throw makeFailure(row, { cause: result.cause });
  }
  const json = parseJson(result.bodyText);
  // The Graph API has been seen to answer 200 with an error inside; the body decides.
  if (result.status >= 200 && result.status < 300 && !graphErrorWire.safeParse(json).success) {
    const answer = request.answer.safeParse(json);
    if (answer.success) return answer.data;
  }
  throw failureFromResponse(result.status, result.bodyText, result.headers, {
    repeatable: request.repeatable,
    now,
  });
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

async function listTemplates(send: Send, line: LineAccess) {
  const templates: Array<{ name: string; language: string; status: string; category: string }> = [];
  let after: string | undefined;
  for (let page = 0; page < TEMPLATE_PAGES_MAX; page += 1) {
    const answer = await send(line, {
      name: 'listTemplates',
      method: 'GET',
      path: [line.wabaId, 'message_templates'],
      query: {
        fields: 'name,language,status,category',
        limit: '100',
        ...(after === undefined ? {} : { after }),
      },
      repeatable: true,
      answer: templateListWire,
    });
    templates.push(...answer.data);
    after = answer.paging?.next === undefined ? undefined : answer.paging.cursors?.after;
    if (after === undefined) break;
  }
  return templates;
}

function graphUrl(
  line: LineAccess,
  path: readonly string[],
  query: Record<string, string> | undefined,
): URL {
  const segments = [line.graphVersion, ...path].map((part) => encodeURIComponent(part));
  const text = `${line.graphBaseUrl.replace(/\/+$/, '')}/${segments.join('/')}`;
  if (!URL.canParse(text)) throw makeFailure(TRANSPORT_ERRORS.lineUnusable, {});
  const url = new URL(text);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url;
}

function permissionQuery(person: Recipient): Record<string, string> {
  return person.to === undefined
    ? { recipient: person.userId ?? '' }
    : { user_wa_id: person.to.replace(/^\+/, '') };
}
