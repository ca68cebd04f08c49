import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { buildReport } from './rtcp.ts';
import { RtcpExchange } from './rtcp-exchange.ts';
import type { Reception } from './rtp-reception.ts';

/** Two sides that report to each other over a way of 60 ms there and 40 ms back. */
const OURS = { ssrc: 1, clockRate: 8000 };
const THEIRS = { ssrc: 2, clockRate: 8000 };

test('both sides measure the round trip from each other`s echo', () => {
  const clock = new ManualClock();
  const ours = new RtcpExchange();
  const theirs = new RtcpExchange();
  const first = report(OURS.ssrc, clock);
  clock.advance(60);
  theirs.accept(first, THEIRS, clock);
  assert.equal(theirs.roundTripMs, null);
  // They answer two seconds later; the wait must not count.
  clock.advance(2000);
  const block = theirs.blockFor({ ...OURS, reception: reception(100, 4) }, clock);
  const second = buildReport({ ...source(THEIRS.ssrc, clock), block });
  clock.advance(40);
  ours.accept(second, OURS, clock);
  assert.ok(Math.abs((ours.roundTripMs ?? 0) - 100) < 1, `${ours.roundTripMs}`);
  assert.deepEqual([ours.far?.packetsLost, ours.far?.jitterMs], [4, 12]);
});

test('a report about somebody else, or an echo of what we never sent, says nothing', () => {
  const clock = new ManualClock();
  const exchange = new RtcpExchange();
  const block = { ...emptyBlock(), ssrc: 99 };
  exchange.accept(buildReport({ ...source(2, clock), block }), OURS, clock);
  assert.equal(exchange.far, null);
  const forged = { ...emptyBlock(), ssrc: OURS.ssrc, lastReport: 77, sinceLastReport: 5 };
  exchange.accept(buildReport({ ...source(2, clock), block: forged }), OURS, clock);
  assert.equal(exchange.roundTripMs, null);
});

test('the share of loss is that of the interval, the count that of the call', () => {
  const clock = new ManualClock();
  const exchange = new RtcpExchange();
  const about = (packets: number, lost: number) =>
    exchange.blockFor({ ...THEIRS, reception: reception(packets, lost) }, clock);
  assert.equal(about(90, 10).lossShare, 0.1);
  const later = about(290, 10);
  assert.deepEqual([later.lossShare, later.lost], [0, 10]);
  // A late packet came after all: fewer lost than before must not look like loss.
  assert.equal(about(301, 9).lossShare, 0);
});

test('what the far side misses counts at once, and is forgotten over some good reports', () => {
  const clock = new ManualClock();
  const exchange = new RtcpExchange();
  const shares = [0, 0.25, 0, 0, 0, 0, 0, 0, 0].map((lossShare) => {
    const block = { ...emptyBlock(), ssrc: OURS.ssrc, lossShare };
    exchange.accept(buildReport({ ...source(2, clock), block }), OURS, clock);
    return exchange.far?.lossShare ?? -1;
  });
  assert.deepEqual(shares.slice(0, 3), [0, 0.25, 0.15]);
  assert.ok((shares.at(-1) ?? 1) < 0.01, `${shares.at(-1)}`);
});

function report(ssrc: number, clock: ManualClock): Buffer {
  return buildReport(source(ssrc, clock));
}

function source(ssrc: number, clock: ManualClock): Parameters<typeof buildReport>[0] {
  return { ssrc, now: clock.now(), rtpTimestamp: 0, packets: 1, octets: 1, cname: 'x' };
}

function reception(packets: number, lost: number): Reception {
  return { packets, lost, jitterMs: 12, highestSequence: 500 };
}

function emptyBlock() {
  const nothing = { lossShare: 0, lost: 0, highestSequence: 0, jitterTicks: 0 };
  return { ssrc: 0, ...nothing, lastReport: 0, sinceLastReport: 0 };
}
