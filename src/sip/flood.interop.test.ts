import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { freePort, startSipp, untilListening } from '../../test/sipp-peer.ts';
import { needsProgram } from '../../test/peers.ts';
import { answeredCall, peerRequest, setStage } from '../../test/sip-peer.ts';
import { repeat, systemClock } from '../platform/clock.ts';
import { makeLog, silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { parseMessage, serialise } from './message.ts';
import type { SipCallEvent, SipUserAgent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

/** A flood of strangers' requests while calls run: it costs time, never a call and no memory. */
const METHODS = ['OPTIONS', 'REGISTER', 'INVITE', 'CANCEL', 'BYE', 'NOTIFY'];
const BURST = 20;
const BURST_EVERY_MS = 10;
const MEMORY_MAX = 64 * 1024 * 1024;
const skip = needsProgram('sipp', 'sip-tester');

function stranger(i: number): Buffer {
  const method = METHODS[i % METHODS.length] ?? 'OPTIONS';
  const lines = [
    `${method} sip:us@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKflood${i};rport`,
    `From: <sip:${i}@192.0.2.77>;tag=${i}`,
    `To: <sip:us@127.0.0.1>${method === 'BYE' ? ';tag=guessed' : ''}`,
    `Call-ID: flood-${i}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    'Content-Length: 0',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

test('20,000 requests of strangers leave nothing behind, nor harm a call', async () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const stage = setStage({ log: makeLog({ level: 'info', destination: { write } }) });
  const { call, kinds, invite } = await answeredCall(stage);
  stage.clock.advance(40_000);
  const live = stage.core.liveCount;
  const timers = stage.clock.pendingTimers;
  const from = { transport: 'udp', address: '192.0.2.77', port: 5060 } as const;
  // The stage keeps what is sent; that must not count as the agent's memory.
  for (let i = 0; i < 20_000; i += 1) {
    stage.core.receive(stranger(i), from);
    if (i % 1000 === 0) stage.sent.length = 0;
    if (i === 10_000) {
      stage.deliver(peerRequest(invite, 'INFO', 1));
      assert.equal(stage.lastReply().status, 200, 'the call is served in the middle of it');
    }
  }
  stage.clock.advance(40_000);
  assert.equal(stage.core.liveCount, live, 'no state for strangers');
  assert.equal(stage.clock.pendingTimers, timers);
  assert.deepEqual(lines, [], 'strangers fill the log (G9)');
  call.hangUp();
  assert.deepEqual(kinds(), ['answered', 'ended by us']);
});

test(
  'a flooded socket still sets up, holds and ends calls',
  { skip, timeout: 120_000 },
  async () => {
    const agent = await openSipUserAgent({
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      bindAddress: '127.0.0.1',
      tcp: true,
    });
    const flooder = createSocket('udp4').bind(0, '127.0.0.1');
    let answered = 0;
    flooder.on('message', (bytes) => (answered += 'message' in parseMessage(bytes) ? 1 : 0));
    await once(flooder, 'listening');
    // The peers are there before the flood, which takes their time as well as ours.
    const peers = [await startPeer(), await startPeer(), await startPeer()];
    const before = process.memoryUsage().rss;
    const flood = startFlood(flooder, agent.ports.udp);
    try {
      for (const peer of peers) await callThrough(agent, peer);
    } finally {
      for (const { stop } of peers) stop();
      await flood.stop();
      await agent.close();
      flooder.close();
    }
    assert.ok(flood.sent() > 500 && answered > 50, `${flood.sent()} sent, ${answered} answered`);
    assert.ok(process.memoryUsage().rss - before < MEMORY_MAX, 'memory stays flat');
    assert.equal(agent.liveCount(), 0);
  },
);

/** Some thousands a second, which is what this process can send beside the agent's own work. */
function startFlood(
  socket: Socket,
  port: number,
): {
  sent: () => number;
  stop: () => Promise<void>;
} {
  let sent = 0;
  const stop = repeat(systemClock, BURST_EVERY_MS, () => {
    for (let i = 0; i < BURST; i += 1) socket.send(stranger((sent += 1)), port, '127.0.0.1');
    return Promise.resolve();
  });
  return { sent: () => sent, stop };
}

/**
 * A call beside it, over TCP: over UDP the flood makes the agent repeat its INVITE, as it should,
 * and SIPp takes that for an error.
 */
async function callThrough(agent: SipUserAgent, peer: Peer): Promise<void> {
  const told: SipCallEvent['kind'][] = [];
  const target = { uri: `sip:100@127.0.0.1:${peer.port};transport=tcp` };
  const request = { target, from: { user: 'a' }, headers: {}, offer: 'v=0\r\n' };
  const ended = new Promise<void>((resolve) => {
    const call = agent.invite({ ...request, ringTimeoutMs: 60_000 }, (event) => {
      told.push(event.kind);
      if (event.kind === 'answered') systemClock.after(300, () => call.hangUp());
      if (event.kind === 'failed' || event.kind === 'ended') resolve();
    });
  });
  await Promise.race([ended, peer.done]);
  const { code, output } = await peer.done;
  assert.equal(code, 0, output);
  assert.equal(told.filter((kind) => kind === 'answered').length, 1);
  assert.equal(told.at(-1), 'ended');
}

type Peer = ReturnType<typeof startSipp> & { port: number };

async function startPeer(): Promise<Peer> {
  const port = await freePort();
  const peer = startSipp('answer', 'tcp', port);
  await untilListening('tcp', port);
  return { ...peer, port };
}

test('what the flood is made of is well formed', () => {
  for (let i = 0; i < METHODS.length; i += 1) {
    const parsed = parseMessage(stranger(i));
    assert.ok('message' in parsed && serialise(parsed.message).length > 0);
  }
});
