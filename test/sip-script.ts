import assert from 'node:assert/strict';
import { cseqOf } from '../src/sip/header-fields.ts';
import {
  headerOf,
  serialise,
  type SipHeader,
  type SipMessage,
  type SipRequest,
} from '../src/sip/message.ts';
import type { InviteRequest, SipCallEvent } from '../src/sip/sip.ts';
import { answer, peerRequest, setStage, settle, type AnswerParts } from './sip-peer.ts';
import type { SipStage, StagedCall } from './sip-peer.ts';

/**
 * Dialogs as scripts: what each side does, line by line, on a manual clock. A line is
 *
 *   `> BYE`          the agent's next message is this request
 *   `> 200 INFO`     … or this response
 *   `< 180 INVITE`   the peer answers the agent's latest request of that method
 *   `peer BYE 3`     the peer sends a request with that CSeq number
 *   `us hangUp`      our user does something: see `USER` below
 *   `told answered`  the user's next event
 *   `wait 32000`     time passes
 *   `none`           nothing but repetitions was sent
 *
 * A line with a second part carries headers, a body, a tag or a Contact. Repetitions (bytes that
 * were sent before) may be named or left out. After the last line time goes on until everything
 * must be over; what is left then, or said without being named, is an error.
 */
export type Line = string | readonly [line: string, parts: AnswerParts];
export type Script = {
  what: string;
  lines: readonly Line[];
  request?: Partial<InviteRequest>;
  tcp?: boolean;
};

/** The lines that most scripts share. */
export const UP: Line[] = ['> INVITE', '< 200 INVITE', '> ACK', 'told answered'];
export const WE_END: Line[] = ['us hangUp', '> BYE', '< 200 BYE', 'told ended by us'];
export const PEER_ENDS: Line[] = ['peer BYE 99', '> 200 BYE', 'told ended by endpoint'];
export const REFUSED: Line[] = ['> ACK'];

export const head = (...headers: SipHeader[]): AnswerParts => ({ headers });
export const reliable = (rseq: number, more: AnswerParts = {}): AnswerParts => ({
  ...more,
  headers: [
    ['Require', '100rel'],
    ['RSeq', `${rseq}`],
  ],
});
export const challenge = (nonce: string, more = ''): AnswerParts =>
  head(['WWW-Authenticate', `Digest realm="r",nonce="${nonce}",qop="auth"${more}`]);
export const moved = (...contacts: string[]): AnswerParts => ({ contact: contacts.join(',') });
export const secret = { target: { uri: 'sip:100@pbx.example.com', username: 'u', password: 'p' } };
export const mayFollow = (uri: string): boolean => uri.includes('.example.com');
export const timer = (value: string, allow = 'INVITE, UPDATE'): AnswerParts =>
  head(['Session-Expires', value], ['Allow', allow]);
export const asks = (value: string): AnswerParts =>
  head(['Session-Expires', value], ['Supported', 'timer']);
export const referTo: AnswerParts = head(['Refer-To', '<sip:200@pbx.example.com>']);
export const notice = (body: string, state: string): AnswerParts => ({
  ...head(['Event', 'refer'], ['Subscription-State', state]),
  body,
});
export const plain = (what: string, ...lines: Line[]): Script => ({ what, lines });
export const withSecret = (what: string, ...lines: Line[]): Script => ({
  what,
  lines,
  request: secret,
});
export const following = (what: string, ...lines: Line[]): Script => ({
  what,
  lines,
  request: { mayFollow },
});

/** RFC 3261: nothing of a dialog lives longer than two transactions after its last message. */
const OVER_MS = 70_000;

type Reader = { stage: SipStage; staged: StagedCall; sentAt: number; toldAt: number };

export async function playScript({ lines, request, tcp = false }: Script): Promise<void> {
  const stage = setStage({ tcp });
  const staged = await stage.call(request);
  const reader: Reader = { stage, staged, sentAt: 0, toldAt: 0 };
  for (const line of lines) {
    const [text, parts] = typeof line === 'string' ? [line, {}] : line;
    await play(reader, text, parts);
  }
  silence(reader, 'at the end');
  assert.equal(staged.events.length, reader.toldAt, `untold: ${staged.kinds().at(-1)}`);
  const ends = staged.events.filter(({ kind }) => kind === 'failed' || kind === 'ended');
  assert.equal(ends.length, 1, 'a call ends once');
  stage.clock.advance(OVER_MS);
  assert.equal(stage.core.liveCount, 0, 'something lives on');
  assert.equal(stage.clock.pendingTimers, 0, 'a timer lives on');
}

async function play(reader: Reader, text: string, parts: AnswerParts): Promise<void> {
  const { stage } = reader;
  const [verb = '', first = '', second = ''] = text.split(' ');
  switch (verb) {
    case '>':
      expectSent(reader, text.slice(2));
      break;
    case '<':
      stage.deliver(answer(stage.last(second), Number(first), parts));
      break;
    case 'peer':
      stage.deliver(peerMessage(reader, first, Number(second), parts));
      break;
    case 'told':
      expectTold(reader, text.slice(5));
      break;
    case 'wait':
      stage.clock.advance(Number(first));
      break;
    case 'none':
      silence(reader, text);
      break;
    default:
      USER[first]?.(reader, text.split(' ').slice(2).join(' '));
  }
  await settle();
}

/** What our user does. */
const USER: Record<string, (reader: Reader, value: string) => void> = {
  hangUp: ({ staged }) => staged.call.hangUp('Q.850;cause=16'),
  reoffer: ({ staged }, sdp) => void staged.call.reoffer(sdp),
  refer: ({ staged }, target) => staged.call.refer(target),
  reply: ({ staged }, sdp) => last(staged.events, 'offered').reply({ sdp }),
  refuse: ({ staged }, status) => last(staged.events, 'offered').reply({ status: Number(status) }),
  accept: ({ staged }) => last(staged.events, 'referred').accept(),
  reject: ({ staged }, status) => last(staged.events, 'referred').reject(Number(status), 'No'),
  notify: ({ staged }, status) => last(staged.events, 'referred').notify(Number(status), 'Told'),
};

function last<K extends SipCallEvent['kind']>(
  events: readonly SipCallEvent[],
  kind: K,
): Extract<SipCallEvent, { kind: K }> {
  const event = events.findLast((one) => one.kind === kind);
  assert.ok(event !== undefined, `no ${kind} was told`);
  return event as Extract<SipCallEvent, { kind: K }>;
}

function peerMessage(
  { stage }: Reader,
  method: string,
  sequence: number,
  parts: AnswerParts,
): SipRequest {
  const invite = stage.sent.find(
    ({ message }) => message.kind === 'request' && message.method === 'INVITE',
  )?.message;
  assert.ok(invite?.kind === 'request');
  if (method !== 'CANCEL') return peerRequest(invite, method, sequence, parts);
  // A CANCEL bears the Via of what it cancels: the request that the peer sent just before.
  const before = peerRequest(invite, 'CANCEL', sequence, parts);
  const via = /peer(\d+)/.exec(headerOf(before, 'via') ?? '')?.[1] ?? '';
  const headers = before.headers.map(([name, value]): [string, string] => [
    name,
    name === 'Via' ? value.replace(`peer${via}`, `peer${Number(via) - 1}`) : value,
  ]);
  return { ...before, headers };
}

function expectSent(reader: Reader, wanted: string): void {
  for (;;) {
    const found = reader.stage.sent[reader.sentAt];
    assert.ok(found !== undefined, `> ${wanted} was not sent`);
    reader.sentAt += 1;
    if (nameOf(found.message) === wanted) return;
    assert.ok(isRepetition(reader, reader.sentAt - 1), `${nameOf(found.message)}, not ${wanted}`);
  }
}

function silence(reader: Reader, when: string): void {
  for (; reader.sentAt < reader.stage.sent.length; reader.sentAt += 1) {
    const { message } = reader.stage.sent[reader.sentAt] ?? {};
    const name = message === undefined ? '' : nameOf(message);
    assert.ok(isRepetition(reader, reader.sentAt), `${name} was sent, ${when}`);
  }
}

function isRepetition({ stage }: Reader, at: number): boolean {
  const bytes = stage.sent.slice(0, at + 1).map(({ message }) => serialise(message).toString());
  return bytes.indexOf(bytes[at] ?? '') < at;
}

function nameOf(message: SipMessage): string {
  if (message.kind === 'request') return message.method;
  return `${message.status} ${cseqOf(message)?.method ?? ''}`;
}

function expectTold(reader: Reader, wanted: string): void {
  const event = reader.staged.events[reader.toldAt];
  assert.ok(event !== undefined, `${wanted} was not told`);
  reader.toldAt += 1;
  assert.equal(reader.staged.kinds()[reader.toldAt - 1], wanted);
}
