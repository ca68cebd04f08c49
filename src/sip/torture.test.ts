import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ManualClock } from '../platform/clock.ts';
import { silentLog, type Log } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { AgentCore } from './agent-core.ts';
import { parseInfoDtmf } from './info-dtmf.ts';
import { parseMessage, type SipRequest } from './message.ts';
import { isTerminated, parseReferTo, parseReplaces, parseSipfrag } from './refer-values.ts';
import { parseSessionExpires } from './session-timer.ts';
import { screenResponse } from './screening.ts';

const CORPUS = new URL('../../../shared/corpora/rfc4475/', import.meta.url);
const skip = existsSync(CORPUS) ? false : 'the RFC 4475 messages are not beside the project';

/**
 * What a user agent that takes no calls must do with each message of RFC 4475: the status it
 * answers with, `dropped`, or for responses `good`. Where the RFC leaves a choice the comment
 * says which was made.
 */
const EXPECTED: Readonly<Record<string, string>> = {
  // 3.1.1: valid, so the method decides.
  wsinv: '481',
  intmeth: '501',
  esc01: '403',
  escnull: '405',
  esc02: '501',
  lwsdisp: '200',
  longreq: '403',
  dblreq: '405',
  semiuri: '200',
  transports: '200',
  mpart01: '405',
  unreason: 'good',
  noreason: 'good',
  // 3.1.2: invalid.
  badinv01: '400',
  clerr: '400',
  ncl: '400',
  scalar02: '400',
  scalarlg: 'dropped',
  quotbal: '400',
  ltgtruri: '400',
  lwsruri: '400',
  lwsstart: '400',
  trws: '400',
  escruri: '400',
  // A Date that we do not read may be wrong.
  baddate: '403',
  regbadct: '400',
  // Blanks inside an address could be forgiven; they are not.
  badaspec: '400',
  // An unquoted display name with a comma can be understood, so it is.
  baddn: '200',
  badvers: '505',
  mismatch01: '400',
  mismatch02: '400',
  bigcode: 'dropped',
  // 3.2 to 3.4: transaction, application and old form.
  badbranch: '200',
  insuf: '400',
  unkscm: '416',
  novelsc: '416',
  unksm2: '405',
  bext01: '420',
  invut: '415',
  regaut01: '405',
  multi01: '400',
  mcl01: '400',
  bcast: 'dropped',
  zeromf: '200',
  cparam01: '405',
  cparam02: '405',
  regescrt: '405',
  sdp01: '403',
  inv2543: '403',
};

/** The agent catches what should never be thrown and logs it as an error: here that must show. */
const loudLog: Log = Object.create(silentLog, {
  error: {
    value: ({ err }: { err: unknown }) => {
      throw err;
    },
  },
}) as Log;

function makeCore(): { core: AgentCore; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const core = new AgentCore({
    clock: new ManualClock(),
    random: seededRandom(1),
    log: loudLog,
    names: {
      addresses: () => Promise.reject(new Error('no names here')),
      services: () => Promise.resolve([]),
      pointers: () => Promise.resolve([]),
    },
    wire: {
      speaks: () => true,
      send: (bytes) => void sent.push(bytes),
      localAddress: () => ({ address: '192.0.2.9', port: 5060 }),
      close: () => Promise.resolve(),
    },
  });
  return { core, sent };
}

const FROM = { transport: 'udp', address: '192.0.2.1', port: 5060 } as const;

function outcomeOf(bytes: Uint8Array): string {
  const { core, sent } = makeCore();
  core.receive(bytes, FROM);
  assert.equal(core.liveCount, 0);
  const [answer] = sent;
  if (answer !== undefined) return answer.toString().slice(8, 11);
  const parsed = parseMessage(bytes);
  if ('fault' in parsed || parsed.message.kind === 'request') return 'dropped';
  return screenResponse(parsed.message) ? 'good' : 'dropped';
}

test('all 49 torture messages of RFC 4475 are taken or refused as they should be', { skip }, () => {
  const files = readdirSync(CORPUS).filter((file) => file.endsWith('.dat'));
  assert.equal(files.length, 49);
  for (const file of files) {
    const bytes = readFileSync(new URL(file, CORPUS));
    assert.equal(outcomeOf(bytes), EXPECTED[file.replace('.dat', '')], file);
  }
});

const HEADER_NAMES = (
  'Via From To Call-ID CSeq Contact Route l c X Require RSeq RAck Session-Expires Min-SE ' +
  'Refer-To Referred-By Replaces Event Subscription-State Allow'
).split(' ');
const DTMF_TYPE = 'application/dtmf-relay';
const PIECES = [
  '"',
  '\\"',
  '<',
  '>',
  ';',
  ',',
  ':',
  '=',
  ' ',
  '\t',
  '\r\n ',
  '@',
  '%00',
  'sip:',
  'tag=',
  '/',
  'SIP/2.0/UDP',
  'branch=z9hG4bK',
  '192.0.2.1',
  '99999999999',
  '-1',
  'INVITE',
  'é',
  '\u0000',
  '[::1]',
];

const hostileValue = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 6 })), { maxLength: 24 })
  .map((parts) => parts.join(''));
const hostileMessage = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('INVITE sip:a@b SIP/2.0', 'BYE sip:a SIP/2.0', 'SIP/2.0 200 OK', 'SIP/2.0 1'),
      hostileValue,
    ),
    fc.array(fc.tuple(fc.constantFrom(...HEADER_NAMES), hostileValue), { maxLength: 20 }),
    hostileValue,
  )
  .map(([start, headers, body]) =>
    [start, ...headers.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n'),
  );

test('20,000 hostile messages never throw, never leave anything alive', () => {
  const { core } = makeCore();
  const check = fc.property(hostileMessage, (text) => {
    const bytes = Buffer.from(text);
    parseMessage(bytes);
    core.receive(bytes, FROM);
    return core.liveCount === 0;
  });
  fc.assert(check, { numRuns: 16_000, seed: 4475 });
  const noise = fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    core.receive(bytes, FROM);
    return core.liveCount === 0;
  });
  fc.assert(noise, { numRuns: 4000, seed: 4475 });
});

test('the readers of single values take anything without throwing', () => {
  const pieces = fc.oneof(hostileValue, fc.string({ maxLength: 60, unit: 'binary' }));
  const check = fc.property(pieces, pieces, (value, body) => {
    const headers = ['Refer-To', 'Session-Expires', 'Min-SE', 'Subscription-State', 'Refer-Sub'];
    const request: SipRequest = {
      kind: 'request',
      method: 'REFER',
      uri: 'sip:a@b',
      version: 'SIP/2.0',
      headers: [...headers.map((name): [string, string] => [name, value]), ['c', DTMF_TYPE]],
      body,
    };
    parseReferTo(request);
    parseReplaces(value);
    parseSipfrag(body);
    isTerminated(request);
    const key = parseInfoDtmf(request);
    assert.ok(typeof key === 'string' || key.digit.length === 1);
    const told = parseSessionExpires(request);
    assert.ok(told === undefined || Number.isSafeInteger(told.seconds));
  });
  fc.assert(check, { numRuns: 5000, seed: 3515 });
});

test('the longest messages are parsed in a moment, whatever fills them', () => {
  const fillers = ['a', ' ', '/', 'a/', '"', '\\', '<', ',', ';', ';a=', '\r\n ', '\t', '%41'];
  for (const filler of fillers) {
    for (const name of ['Via', 'From', 'To', 'Contact', 'CSeq', 'Route', 'Content-Length']) {
      const value = filler.repeat(Math.floor(8000 / filler.length));
      const head = 'OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n';
      const bytes = Buffer.from(`${head}${`${name}: ${value}\r\n`.repeat(7)}\r\n`);
      const { core } = makeCore();
      // The best of sixty: a busy machine slows some runs, a quadratic parser slows all.
      let ms = Infinity;
      for (let run = 0; run < 60 && ms > 5; run += 1) {
        const startedAt = process.hrtime.bigint();
        core.receive(bytes, FROM);
        ms = Math.min(ms, Number(process.hrtime.bigint() - startedAt) / 1e6);
      }
      assert.ok(ms <= 5, `${name} of ${JSON.stringify(filler)} took ${ms} ms`);
    }
  }
});

test('limits hold: 64 kB, 128 headers, a line of 8 kB', () => {
  const head = 'OPTIONS sip:a@b SIP/2.0\r\n';
  const faultOf = (text: string): string | undefined => {
    const parsed = parseMessage(Buffer.from(text));
    return 'fault' in parsed ? parsed.fault : undefined;
  };
  assert.equal(faultOf(`${head}${'X: y\r\n'.repeat(128)}\r\n`), undefined);
  assert.equal(faultOf(`${head}${'X: y\r\n'.repeat(129)}\r\n`), 'too many headers');
  assert.equal(faultOf(`${head}X: ${'y'.repeat(9000)}\r\n\r\n`), 'a header line is too long');
  assert.equal(
    faultOf(`${head}X: y\r\n${` ${'y'.repeat(99)}\r\n`.repeat(99)}\r\n`),
    'a folded header is too long',
  );
  assert.equal(faultOf(`${head}\r\n${'y'.repeat(65_536)}`), 'longer than 64 kB');
});
