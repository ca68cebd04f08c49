import { openSipUserAgent } from '../src/sip/user-agent.ts';
import { systemClock as clock, delay } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { percentile } from './harness.ts';

/**
 * Our user agent alone in a process: so many INVITE-200-ACK-BYE a second for so long. Prints one
 * JSON line. Arguments: target URI, calls a second, seconds.
 */
const [uri = '', rate = '600', seconds = '10'] = process.argv.slice(2);
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40002 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');
const STEP_MS = 10;
const PATIENCE_MS = 40_000;

const agent = await openSipUserAgent({
  clock,
  random: systemRandom,
  log: silentLog,
  bindAddress: '127.0.0.1',
  tcp: uri.includes('transport=tcp'),
});
const answeredMs: number[] = [];
let ended = 0;
let failed = 0;
const isOver = (calls: number): boolean => ended + failed >= calls;

function place(): void {
  const startedAt = clock.monotonic();
  const call = agent.invite(
    {
      target: { uri },
      from: { user: 'bench' },
      headers: {},
      offer: OFFER,
      ringTimeoutMs: 30_000,
    },
    (event) => {
      if (event.kind === 'answered') {
        answeredMs.push(clock.monotonic() - startedAt);
        call.hangUp();
      } else if (event.kind === 'ended') ended += 1;
      else if (event.kind === 'failed') failed += 1;
    },
  );
}

const total = Number(rate) * Number(seconds);
// The first call pays for what the program compiles once.
place();
while (!isOver(1)) await delay(clock, STEP_MS);
const before = process.cpuUsage();
const startedAt = clock.monotonic();
for (let placed = 0; placed < total;) {
  const due = Math.min(total, ((clock.monotonic() - startedAt) / 1000) * Number(rate));
  for (; placed < due; placed += 1) place();
  await delay(clock, STEP_MS);
}
const end = clock.monotonic() + PATIENCE_MS;
while (!isOver(total + 1) && clock.monotonic() < end) await delay(clock, STEP_MS);
const elapsedMs = clock.monotonic() - startedAt;
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    calls: ended - 1,
    failed: failed + (total + 1 - ended - failed),
    perSecond: ((ended - 1) / elapsedMs) * 1000,
    cpuMsPerCall: (user + system) / 1000 / total,
    p50: percentile(answeredMs, 0.5),
    p99: percentile(answeredMs, 0.99),
  }),
);
process.exit(0);
