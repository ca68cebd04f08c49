import { ManualClock } from '../src/platform/clock.ts';
import { silentLog, type Log } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { AgentCore } from '../src/sip/agent-core.ts';
import { cseqOf, tagOf } from '../src/sip/header-fields.ts';
import {
  headerOf,
  parseMessage,
  serialise,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../src/sip/message.ts';
import { makeReply } from '../src/sip/reply.ts';
import type { InviteRequest, SipCall, SipCallEvent } from '../src/sip/sip.ts';
import type { Hop, Names } from '../src/sip/wire.ts';

/** A user agent on a manual clock, and by hand the peer at the other end of its wire. */
export const PEER: Hop = { transport: 'udp', address: '192.0.2.1', port: 5060 };
export const OWN_SDP = 'v=0\r\nour offer\r\n';
export const PEER_SDP = 'v=0\r\ntheir answer\r\n';

/** What the agent catches and logs as an error must fail the test instead. */
const loudLog: Log = Object.create(silentLog, {
  error: {
    value: ({ err }: { err: unknown }) => {
      throw err;
    },
  },
}) as Log;

export type Sent = { message: SipMessage; hop: Hop };

export type SipStage = {
  clock: ManualClock;
  core: AgentCore;
  /** All that left the agent, in order. */
  sent: Sent[];
  /** Places a call and waits until its INVITE has left (or it has failed). */
  call(request?: Partial<InviteRequest>): Promise<StagedCall>;
  /** Brings a message in. */
  deliver(message: SipMessage, from?: Hop): void;
  /** The latest request of a method that left. */
  last(method: string): SipRequest;
  /** How many requests of a method left. */
  count(method: string): number;
  /** The latest response that left. */
  lastReply(): SipResponse;
  /** How often TCP was tried. */
  tcpTries(): number;
};

export type StagedCall = { call: SipCall; events: SipCallEvent[]; kinds: () => string[] };

export function setStage(
  options: {
    names?: Partial<Names>;
    failSends?: boolean;
    log?: Log;
    tcp?: boolean;
    failTcp?: boolean;
    ownAddress?: string;
  } = {},
): SipStage {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  let tcpTries = 0;
  const core = new AgentCore({
    clock,
    random: seededRandom(3261),
    log: options.log ?? loudLog,
    names: {
      addresses: () => Promise.resolve([PEER.address]),
      services: () => Promise.resolve([]),
      pointers: () => Promise.resolve([]),
      ...options.names,
    },
    wire: {
      send(bytes, hop, onFail) {
        const tcp = hop.transport === 'tcp';
        if (tcp) tcpTries += 1;
        if (options.failSends === true || (tcp && options.failTcp === true)) {
          queueMicrotask(() => onFail(new Error('no route')));
          return;
        }
        const parsed = parseMessage(bytes);
        if ('fault' in parsed) throw new Error(`the agent sent: ${parsed.fault}`);
        sent.push({ message: parsed.message, hop });
      },
      speaks: (transport) => transport !== 'tcp' || options.tcp === true,
      localAddress: () => ({ address: options.ownAddress ?? '192.0.2.9', port: 5060 }),
      close: () => Promise.resolve(),
    },
  });
  const requests = (method: string): SipRequest[] =>
    sent.flatMap(({ message }) =>
      message.kind === 'request' && message.method === method ? [message] : [],
    );
  return {
    clock,
    core,
    sent,
    async call(request) {
      const events: SipCallEvent[] = [];
      const call = core.invite(inviteFor(request), (event) => events.push(event));
      await settle();
      return { call, events, kinds: () => events.map(nameOf) };
    },
    deliver: (message, from = PEER) => core.receive(serialise(message), from),
    last(method) {
      const request = requests(method).at(-1);
      if (request === undefined) throw new Error(`no ${method} was sent`);
      return request;
    },
    tcpTries: () => tcpTries,
    count: (method) => requests(method).length,
    lastReply() {
      const reply = sent.findLast(({ message }) => message.kind === 'response')?.message;
      if (reply?.kind !== 'response') throw new Error('no response was sent');
      return reply;
    },
  };
}

/** Lets promises that are already fulfilled go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}

function inviteFor(request: Partial<InviteRequest> = {}): InviteRequest {
  return {
    target: { uri: 'sip:100@pbx.example.com' },
    from: { user: '4930123', displayName: 'Anna "A" Müller' },
    headers: { 'X-WA-Call-Id': 'call_1' },
    offer: OWN_SDP,
    ringTimeoutMs: 60_000,
    ...request,
  };
}

function nameOf(event: SipCallEvent): string {
  if (event.kind === 'failed') return `failed ${event.status}`;
  if (event.kind === 'ended') return `ended by ${event.by}`;
  return event.kind === 'ringing' ? `ringing ${event.status}` : event.kind;
}

export type AnswerParts = {
  tag?: string;
  body?: string;
  headers?: readonly SipHeader[];
  contact?: string;
};

/** The peer's response to a request of ours. */
export function answer(request: SipRequest, status: number, parts: AnswerParts = {}): SipResponse {
  const { tag = 'peer', contact = '<sip:pbx@192.0.2.1:5060>' } = parts;
  const body = parts.body ?? (status === 200 && request.method === 'INVITE' ? PEER_SDP : '');
  const headers: SipHeader[] = [['Contact', contact], ...(parts.headers ?? [])];
  const reply = makeReply(request, status, 'Reason', { headers, body });
  const tagged = reply.headers.map(([name, value]): SipHeader => {
    if (name !== 'To' || tagOf(request, 'to') !== '') return [name, value];
    return [name, status === 100 ? value : value.replace(/;tag=.*/, `;tag=${tag}`)];
  });
  return { ...reply, headers: tagged };
}

let branches = 0;

/** A request of the peer inside the dialog that its answer with `tag` made. */
export function peerRequest(
  invite: SipRequest,
  method: string,
  sequence: number,
  parts: AnswerParts = {},
): SipRequest {
  branches += 1;
  const { tag = 'peer', body = '', headers = [] } = parts;
  return {
    kind: 'request',
    method,
    uri: 'sip:4930123@192.0.2.9:5060',
    version: 'SIP/2.0',
    headers: [
      ['Via', `SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKpeer${branches}`],
      ['Max-Forwards', '70'],
      ['From', `${headerOf(invite, 'to') ?? ''};tag=${tag}`],
      ['To', headerOf(invite, 'from') ?? ''],
      ['Call-ID', headerOf(invite, 'call-id') ?? ''],
      ['CSeq', `${sequence} ${method}`],
      ['Contact', parts.contact ?? '<sip:pbx@192.0.2.1:5060>'],
      ...headers,
    ],
    body,
  };
}

/** Places a call and answers it; the INVITE's transaction is then still absorbing 2xx. */
export async function answeredCall(stage: SipStage): Promise<StagedCall & { invite: SipRequest }> {
  const staged = await stage.call();
  const invite = stage.last('INVITE');
  stage.deliver(answer(invite, 200));
  return { ...staged, invite };
}

export function sequenceOf(message: SipMessage): number {
  return cseqOf(message)?.number ?? -1;
}
