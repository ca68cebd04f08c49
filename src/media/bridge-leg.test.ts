import assert from 'node:assert/strict';
import test from 'node:test';
import { openRig, planOf } from '../../test/bridge-rig.ts';
import { buildReport } from './rtcp.ts';

test('what the customer reports missing of ours tells the encoder how to guard it', async () => {
  const { bridge, customer, clock, expectedLoss } = await openRig(planOf('PCMU'));
  const report = (ssrc: number, lossShare: number): Buffer =>
    buildReport({
      ssrc: 77,
      now: clock.now(),
      rtpTimestamp: 0,
      packets: 1,
      octets: 1,
      cname: 'customer',
      block: {
        ssrc,
        lossShare,
        lost: 0,
        highestSequence: 1,
        jitterTicks: 0,
        lastReport: 0,
        sinceLastReport: 0,
      },
    });
  const ssrc = customer.leg.stream?.ssrc ?? 0;
  bridge.heardRtcp(customer.leg, report(ssrc + 1, 0.5));
  assert.deepEqual(expectedLoss, [], 'about a stream that is not ours');
  for (const share of [0, 0.25]) bridge.heardRtcp(customer.leg, report(ssrc, share));
  assert.deepEqual(expectedLoss, [0, 0.25]);
});
