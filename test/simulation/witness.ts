import type { MetaRequest } from './meta-in-process.ts';

/**
 * What a bystander sees: what people did on their phones, what Meta was asked, whose phone rang.
 * It reads the wire by itself and knows nothing of the product's tables, so that a fault of the
 * product cannot hide in both.
 */
export type Act = {
  kind: 'grant' | 'refusal' | 'stop' | 'words' | 'doNotCall' | 'doNotCallLifted';
  /** Of the line it was said to; null where it counts for all lines of a business. */
  phoneNumberId: string | null;
  business: number;
  number: string;
  at: number;
  /** When it may have been stored: a process may die between its COMMIT and its 200. */
  takenAt: number | null;
  /** When the product had said that it has it: 200 to the webhook, 2xx to the API. */
  acceptedAt: number | null;
  /** When nothing was left to be done about it. */
  settledAt: number | null;
};

export type Dial = {
  callId: string;
  phoneNumberId: string;
  number: string;
  at: number;
  /** Meta's HTTP status; a phone rings only after a 200. */
  status: number;
  /** Meta's id of the call; empty where it was refused. */
  wacid: string;
  /** Calls of businesses that rang or were up right after it. */
  liveCalls: number;
  checked: boolean;
};

export type Asked = { phoneNumberId: string; number: string; at: number; taken: boolean };

export type Witness = {
  acts: Act[];
  dials: Dial[];
  asked: Asked[];
  /** Webhook bodies that were taken, for replays. */
  taken: Buffer[];
  /** By Meta's call id: whether all news of a call came in time, and that of its end too. */
  news: Map<string, { isLate: boolean; hasEnd: boolean }>;
  /** A webhook leaves Meta. Returns the acts in it, each told only once. */
  webhook(body: Buffer, now: number): Act[];
  /** The product has said that it has this webhook. */
  accepted(body: Buffer, now: number): void;
  /** A request arrived at Meta, and Meta has decided. */
  meta(request: MetaRequest, answer: { status: number; body: unknown }, now: number): void;
  /** Nothing is under way any more. */
  settle(now: number): void;
};

/** What a person may write that nobody could read in another way. */
export const STOPS = ['STOP', 'stop calling me', 'Do not call me again', 'unsubscribe'] as const;

export function makeWitness(world: {
  businessOf: (phoneNumberId: string) => number;
  numberOf: (userId: string) => string | undefined;
  liveCalls: () => number;
}): Witness {
  const told = new Map<string, Act>();
  const witness: Witness = {
    acts: [],
    dials: [],
    asked: [],
    taken: [],
    news: new Map(),
    webhook(body, now) {
      const found: Act[] = [];
      for (const { value, message } of messagesIn(body)) {
        const id = textAt(message, 'id');
        const known = told.get(id);
        if (known !== undefined) {
          found.push(known);
          continue;
        }
        const kind = kindOf(message);
        const number = numberIn(message, world.numberOf);
        if (kind === null || number === undefined) continue;
        const phoneNumberId = textAt(recordAt(value, 'metadata'), 'phone_number_id');
        const business = world.businessOf(phoneNumberId);
        const scope = kind === 'stop' ? null : phoneNumberId;
        const act = { kind, phoneNumberId: scope, business, number, at: now };
        const made: Act = { ...act, takenAt: null, acceptedAt: null, settledAt: null };
        told.set(id, made);
        witness.acts.push(made);
        found.push(made);
      }
      return found;
    },
    accepted(body, now) {
      witness.taken.push(body);
      for (const { id, event, at } of callsIn(body)) {
        const known = witness.news.get(id) ?? { isLate: false, hasEnd: false };
        witness.news.set(id, {
          isLate: known.isLate || now - at > IN_TIME_MS,
          hasEnd: known.hasEnd || event === 'terminate',
        });
      }
    },
    meta(request, { status, body: answer }, now) {
      const { body, path } = request;
      const phoneNumberId = path.split('/')[2] ?? '';
      const number = `+${String(body['to']).replace(/^\+/, '')}`;
      if (path.endsWith('/calls') && body['action'] === 'connect') {
        const callId = String(body['biz_opaque_callback_data']);
        const liveCalls = world.liveCalls();
        const [placed] = listAt(answer as Json, 'calls');
        const wacid = placed === undefined ? '' : textAt(placed, 'id');
        const dial = { callId, phoneNumberId, number, at: now, status, wacid, liveCalls };
        witness.dials.push({ ...dial, checked: false });
      }
      if (path.endsWith('/messages') && isPermissionRequest(body)) {
        witness.asked.push({ phoneNumberId, number, at: now, taken: status === 200 });
      }
    },
    settle(now) {
      for (const act of witness.acts) {
        if (act.acceptedAt !== null && act.settledAt === null) act.settledAt = now;
      }
    },
  };
  return witness;
}

type Json = Record<string, unknown>;

function messagesIn(body: Buffer): Array<{ value: Json; message: Json }> {
  const root = JSON.parse(body.toString('utf8')) as Json;
  return listAt(root, 'entry')
    .flatMap((entry) => listAt(entry, 'changes'))
    .map((change) => recordAt(change, 'value'))
    .flatMap((value) => listAt(value, 'messages').map((message) => ({ value, message })));
}

/** What a webhook tells of calls, with Meta's own time, which has whole seconds. */
function callsIn(body: Buffer): Array<{ id: string; event: string; at: number }> {
  const root = JSON.parse(body.toString('utf8')) as Json;
  return listAt(root, 'entry')
    .flatMap((entry) => listAt(entry, 'changes'))
    .map((change) => recordAt(change, 'value'))
    .flatMap((value) => [...listAt(value, 'calls'), ...listAt(value, 'statuses')])
    .map((item) => ({
      id: textAt(item, 'id'),
      event: textAt(item, 'event'),
      at: Number(item['timestamp']) * 1_000,
    }));
}

const IN_TIME_MS = 2_000;

/** What a message means to anybody who reads it; null where it means nothing to a caller. */
function kindOf(message: Json): Act['kind'] | null {
  const reply = recordAt(recordAt(message, 'interactive'), 'call_permission_reply');
  if (reply['response'] !== undefined) {
    return reply['response'] === 'accept' ? 'grant' : 'refusal';
  }
  const text = textAt(recordAt(message, 'text'), 'body');
  if (text === '') return null;
  return STOPS.some((stop) => stop === text) ? 'stop' : 'words';
}

function numberIn(
  message: Json,
  numberOf: (userId: string) => string | undefined,
): string | undefined {
  const from = textAt(message, 'from');
  return from === '' ? numberOf(textAt(message, 'from_user_id')) : `+${from}`;
}

/** A template with Meta's own permission part, or the free-form request. */
function isPermissionRequest(body: Json): boolean {
  const name = textAt(recordAt(body, 'template'), 'name');
  const kind = textAt(recordAt(body, 'interactive'), 'type');
  return name.includes('callback_request') || /permission_request/.test(name + kind);
}

function recordAt(holder: Json, name: string): Json {
  const found = holder[name];
  return typeof found === 'object' && found !== null ? (found as Json) : {};
}

function listAt(holder: Json | null, name: string): Json[] {
  const found = holder?.[name];
  return Array.isArray(found) ? (found as Json[]) : [];
}

function textAt(holder: Json, name: string): string {
  const found = holder[name];
  return typeof found === 'string' ? found : '';
}
