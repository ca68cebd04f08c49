import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { openKamailio, type KamailioPeer } from '../../test/kamailio-peer.ts';
import { needsProgram } from '../../test/peers.ts';
import { delay, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { RegisterOutcome, SipRegistration, SipTarget, SipUserAgent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

/** Registering at a Kamailio that asks for digest, and being found there by others. */
const skip = needsProgram('kamailio', 'kamailio kamailio-tls-modules');
const REALM = 'pbx.test';

for (const algorithm of ['MD5', 'SHA-256'] as const) {
  test(
    `Kamailio: registered with ${algorithm}, found, renewed, taken back`,
    { skip, timeout: 120_000 },
    () =>
      withRegistrar(algorithm, async (agent, targetOf, kamailio) => {
        assert.equal(await statusOfMessage(kamailio.port), 404);
        const line = agent.registration(targetOf('udp'));
        const first = await untilTaken(line);
        assert.deepEqual([first.status, first.expiresSeconds], [200, 300]);
        // Our agent takes no messages, and that answer could come from nobody else.
        assert.equal(await statusOfMessage(kamailio.port), 405);
        assert.equal((await line.send(300)).status, 200, 'the same Call-ID, a higher CSeq');
        const back = await line.send(0);
        assert.equal(back.status, 200);
        assert.equal(await statusOfMessage(kamailio.port), 404);
      }),
  );
}

test('Kamailio: registered over TCP', { skip, timeout: 120_000 }, () =>
  withRegistrar('MD5', async (agent, targetOf, kamailio) => {
    assert.equal((await untilTaken(agent.registration(targetOf('tcp')))).status, 200);
    assert.equal(await statusOfMessage(kamailio.port), 405);
  }),
);

test(
  'Kamailio: a time that is too brief is told, a wrong password refused',
  { skip, timeout: 120_000 },
  () =>
    withRegistrar('MD5', async (agent, targetOf) => {
      await untilTaken(agent.registration(targetOf('udp')));
      const wrong = agent.registration({ ...targetOf('udp'), password: 'wrong' });
      assert.equal((await wrong.send(300)).status, 401);
      const { username: _username, ...nobody } = targetOf('udp');
      assert.equal((await agent.registration(nobody).send(300)).status, 400);
    }),
);

async function withRegistrar(
  algorithm: 'MD5' | 'SHA-256',
  story: (
    agent: SipUserAgent,
    targetOf: (transport: string) => SipTarget,
    kamailio: KamailioPeer,
  ) => Promise<void>,
): Promise<void> {
  const options = { phonePort: 9, algorithm, realm: REALM, password: 'secret' };
  const kamailio = await openKamailio(options);
  const agent = await openSipUserAgent({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    tcp: true,
  });
  const targetOf = (transport: string): SipTarget => ({
    uri: `sip:100@127.0.0.1:${kamailio.port};transport=${transport}`,
    username: 'askfirst',
    password: 'secret',
    realm: REALM,
  });
  try {
    await story(agent, targetOf, kamailio);
  } catch (error) {
    throw new Error(kamailio.output().slice(-2_000), { cause: error });
  } finally {
    await agent.close();
    await kamailio.close();
  }
}

/** Kamailio needs a moment to come up, in which nobody answers. */
async function untilTaken(line: SipRegistration): Promise<RegisterOutcome> {
  for (let tries = 0; ; tries += 1) {
    const outcome = await line.send(300, 1_000);
    if ((outcome.status !== 408 && outcome.status !== 503) || tries === 20) return outcome;
    await delay(systemClock, 200);
  }
}

/** What comes back for a MESSAGE to the user that we register as; asked again where lost. */
async function statusOfMessage(port: number): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const own = socket.address().port;
  const id = Buffer.from(systemRandom.bytes(8)).toString('hex');
  const message = [
    `MESSAGE sip:askfirst@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bK${id};rport`,
    'Max-Forwards: 10',
    `From: <sip:else@127.0.0.1>;tag=${id}`,
    `To: <sip:askfirst@127.0.0.1:${port}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 MESSAGE',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  const answered = Promise.withResolvers<number>();
  socket.on('message', (bytes: Buffer) => {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(bytes.toString())?.[1] ?? 0);
    if (status >= 200) answered.resolve(status);
  });
  const send = (): void => {
    socket.send(message, port, '127.0.0.1');
    timer = systemClock.after(500, send);
  };
  let timer = systemClock.after(0, send);
  try {
    return await answered.promise;
  } finally {
    timer.cancel();
    socket.close();
  }
}
