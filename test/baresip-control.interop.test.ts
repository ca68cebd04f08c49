import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBaresip } from './baresip-peer.ts';
import { openLiveDesks } from './live-desks.ts';
import { needsProgram } from './peers.ts';
import { eventually } from './product-peers.ts';

/** What a telephone at the endpoint does by itself, with a real customer's leg behind it. */
const CUSTOMER = 440;
const skip = needsProgram('baresip', 'baresip-core');

test(
  'baresip holds, resumes, and transfers by REFER: the customer goes along',
  { skip },
  async () => {
    const users = ['tone-1200'];
    const house = await openLiveDesks({ ports: '46400-46599', first: 790, users });
    const phone = await openBaresip();
    try {
      await house.addDesk('baresip', phone.uri);
      const live = await house.talkTo('baresip');
      await live.hearsOnly(440);
      await phone.control('hold');
      await eventually(
        'its hold',
        async () => (await house.view(live.id)).holds[0]?.by === 'endpoint',
      );
      await phone.control('resume');
      await eventually('its end', async () => (await house.view(live.id)).holds[0]?.to);
      await live.hearsOnly(440);
      await phone.control(`transfer ${house.pbxUri('tone-1200')}`);
      await live.hearsOnly(1200);
      await house.deskHears('tone-1200', CUSTOMER);
      const { transfers } = await house.view(live.id);
      assert.deepEqual([transfers[0]?.by, transfers[0]?.outcome], ['endpoint', 'transferred']);
      // It hears of the success and hangs up by itself; its next words bring out what it said.
      await eventually('the end at baresip', async () => {
        await phone.control('listcalls');
        return /Call with \S+ terminated/.test(phone.output());
      });
      await live.end();
    } finally {
      await phone.close();
      await house.close();
    }
  },
);
