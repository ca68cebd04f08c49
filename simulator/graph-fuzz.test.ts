import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { connectBody, permissionTemplate, rehearse, SAMPLE_OFFER } from './simulator-harness.ts';
import { sentinel } from './people.ts';
import { PRESET } from './simulator.ts';

const RUNS = { seed: 20_260_101, numRuns: 400 };

/** Puts `value` at some depth of a good body: most bodies must get past the first check. */
function spoil(good: object, path: readonly number[], value: unknown): unknown {
  const keys = Object.keys(good);
  const key = keys[(path[0] ?? 0) % Math.max(1, keys.length)];
  if (key === undefined) return value;
  const inner = (good as Record<string, unknown>)[key];
  const deeper = path.length > 1 && typeof inner === 'object' && inner !== null;
  const changed = deeper ? spoil(inner, path.slice(1), value) : value;
  return Array.isArray(good)
    ? good.map((item, index) => (String(index) === key ? changed : item))
    : { ...good, [key]: changed };
}

const template = {
  name: 'fuzz',
  language: 'en',
  category: 'UTILITY',
  components: [
    { type: 'HEADER', format: 'TEXT', text: 'About {{1}}', example: { header_text: ['it'] } },
    { type: 'BODY', text: 'May we call {{1}} today?', example: { body_text: [['you']] } },
    { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Yes' }] },
  ],
};
const settings = {
  calling: {
    status: 'ENABLED',
    sip: { status: 'DISABLED', servers: [{ hostname: 'x' }] },
    call_hours: {
      status: 'ENABLED',
      weekly_operating_hours: [{ day_of_week: 'MONDAY', open_time: '0400', close_time: '1020' }],
    },
  },
};

const targets: Array<[edge: string, good: object]> = [
  [`${PRESET.phoneNumberId}/calls`, connectBody(sentinel('001'))],
  [`${PRESET.phoneNumberId}/messages`, permissionTemplate(sentinel('001'))],
  [`${PRESET.wabaId}/message_templates`, template],
  [`${PRESET.phoneNumberId}/settings`, settings],
];

for (const [edge, good] of targets) {
  test(`POST /${edge.split('/')[1]} answers any JSON with less than 500`, async () => {
    await using stage = await rehearse({ settings: { windowMs: 0 } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(8), { minLength: 1, maxLength: 5 }),
        fc.jsonValue(),
        async (path, value) => {
          const body = spoil(good, path, value);
          const payload = typeof body === 'object' && body !== null ? body : { body };
          const answer = await stage.graph('POST', edge, payload);
          assert.ok(answer.status < 500, `${answer.status} for ${JSON.stringify(payload)}`);
          // Whatever was taken must also be readable afterwards.
          stage.simulator.state();
          await stage.graph('GET', `${PRESET.phoneNumberId}/settings?include_sip_credentials=true`);
        },
      ),
      RUNS,
    );
    await stage.pass(5000);
  });
}

test('any SDP is answered or refused, never with 500', async () => {
  await using stage = await rehearse({});
  await stage.ask(sentinel('111'));
  await stage.pass(2000);
  const lines = SAMPLE_OFFER.split('\r\n');
  await fc.assert(
    fc.asyncProperty(fc.nat(lines.length), fc.string(), async (at, text) => {
      const sdp = lines.with(Math.min(at, lines.length - 1), text).join('\r\n');
      const body = { ...connectBody(sentinel('111')), session: { sdp_type: 'offer', sdp } };
      const answer = await stage.graph('POST', `${PRESET.phoneNumberId}/calls`, body);
      assert.ok(answer.status < 500, JSON.stringify(sdp));
    }),
    RUNS,
  );
});
