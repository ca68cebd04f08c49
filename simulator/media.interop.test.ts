import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Audio, PeerConnection, type Track } from 'node-datachannel';
import { delay, repeat, systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { sentinel } from './people.ts';
import { openSimulator, PRESET, type Simulator } from './simulator.ts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ear, toneFrames } from './voice.ts';
import type { SimPerson } from './control-types.ts';

/** A business's WebRTC leg: node-datachannel as offerer, as the product has it. */
type Caller = {
  offer: string;
  apply(answer: string): void;
  connected: Promise<void>;
  heard: Set<number>;
  digits: string[];
  packets: number;
  say(frames: readonly Uint8Array[]): void;
  press(code: number): void;
  close(): void;
};

describe('media between a caller and the simulator', () => {
  let simulator: Simulator;
  let server: Server;
  const answers = new Map<string, (sdp: string) => void>();

  before(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        response.end();
        const body = JSON.parse(text) as {
          entry: Array<{ changes: Array<{ value: { calls?: Array<Record<string, unknown>> } }> }>;
        };
        for (const call of body.entry[0]?.changes[0]?.value.calls ?? []) {
          const session = call.session as { sdp: string } | undefined;
          if (session !== undefined) {
            answers.get(call.biz_opaque_callback_data as string)?.(session.sdp);
          }
        }
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    simulator = await openSimulator({
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
      host: '127.0.0.1',
      port: 0,
      webhookUrl: `http://127.0.0.1:${port}/`,
      media: true,
      settings: {
        noMediaAtStartMs: 2000,
        noMediaLaterMs: 2000,
        mediaConnectMs: 3000,
        phoneSilentMs: 4000,
      },
    });
  });
  after(async () => {
    await simulator.close();
    server.close();
  });

  const graph = async (edge: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${simulator.url}/v23.0/${PRESET.phoneNumberId}/${edge}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${PRESET.accessToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ messaging_product: 'whatsapp', ...body }),
    });
    return (await answer.json()) as Record<string, unknown>;
  };

  /** Gives the permission in the profile, so that no script has to be waited for. */
  const dial = async (number: string): Promise<Caller> => {
    simulator.act(number, { action: 'allow_in_profile' });
    const caller = await openCaller();
    const answered = new Promise<string>((resolve) => {
      answers.set(number, resolve);
    });
    await graph('calls', {
      to: number,
      action: 'connect',
      session: { sdp_type: 'offer', sdp: caller.offer },
      biz_opaque_callback_data: number,
    });
    caller.apply(await answered);
    return caller;
  };

  const until = (number: string, holds: (person: SimPerson) => boolean): Promise<SimPerson> =>
    new Promise((resolve, reject) => {
      const limit = systemClock.after(15_000, () => {
        leave();
        reject(new Error(`not in time: ${JSON.stringify(simulator.person(number).call)}`));
      });
      const look = (): void => {
        const person = simulator.person(number);
        if (!holds(person)) return;
        limit.cancel();
        leave();
        resolve(person);
      };
      const leave = simulator.onChange(look);
      look();
    });

  test('connects behind one port and carries a tone each way, and digits', async () => {
    const joe = sentinel('107');
    const caller = await dial(joe);
    await caller.connected;
    caller.say(await toneFrames(880));
    await until(joe, (person) => person.call?.heardHz.includes(880) === true);
    caller.press(5);
    await until(joe, (person) => person.call?.digitsHeard === '5');
    await until(joe, (person) => person.call?.digitsSent === '123#');
    await waitFor(() => caller.digits.join('') === '123#' && caller.heard.has(440));
    assert.deepEqual(caller.digits, ['1', '2', '3', '#']);
    simulator.act(joe, { action: 'hang_up' });
    const [call] = simulator.person(joe).pastCalls;
    assert.equal(call?.media, 'connected');
    assert.deepEqual(call?.everHeardHz, [880]);
    caller.close();
  });

  test('three calls at once share the relay port', async () => {
    const numbers = ['100', '111', '112'].map(sentinel);
    const callers = await Promise.all(numbers.map(dial));
    await Promise.all(callers.map((caller) => caller.connected));
    await waitFor(() => callers.every((caller) => caller.heard.has(440)));
    for (const [index, number] of numbers.entries()) {
      simulator.act(number, { action: 'hang_up' });
      callers[index]?.close();
    }
  });

  test('a caller that sends nothing after the pick-up is cut off with 138021', async () => {
    const cleo = sentinel('100');
    const caller = await dial(cleo);
    await caller.connected;
    const person = await until(cleo, ({ pastCalls }) => pastCalls[0]?.errorCode === 138021);
    assert.equal(person.pastCalls[0]?.ending, 'media_lost');
    caller.close();
  });

  test('behind the firewall of 113 nothing connects: 138007', async () => {
    const pam = sentinel('113');
    const caller = await dial(pam);
    await until(pam, ({ pastCalls }) => pastCalls[0]?.errorCode === 138007);
    caller.close();
  });

  test('a browser as the phone talks with the business, and both are heard', async () => {
    const ada = sentinel('001');
    const browser = await openCaller();
    const answer = await fetch(
      `${simulator.url}/simulator/people/${encodeURIComponent(ada)}/phone`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'http://localhost:5173' },
        body: JSON.stringify({ type: 'offer', sdp: browser.offer }),
      },
    );
    assert.equal(answer.headers.get('access-control-allow-origin'), 'http://localhost:5173');
    browser.apply(((await answer.json()) as { sdp: string }).sdp);
    await browser.connected;
    assert.equal(simulator.person(ada).phoneAttached, true);

    const caller = await dial(ada);
    await caller.connected;
    await until(ada, (person) => person.call?.state === 'ringing');
    simulator.act(ada, { action: 'answer' });
    browser.say(await toneFrames(659));
    caller.say(await toneFrames(1000));
    await waitFor(() => caller.heard.has(659) && browser.heard.has(1000));
    assert.equal(caller.heard.has(440), false, 'the tone is silent while a person talks');
    simulator.act(ada, { action: 'hang_up' });
    caller.close();
    browser.close();
    await until(ada, (person) => !person.phoneAttached);
  });
});

/** Looks again and again, at most a minute. */
async function waitFor(holds: () => boolean): Promise<void> {
  for (let look = 0; look < 3_000; look += 1) {
    if (holds()) return;
    await delay(systemClock, 20);
  }
  throw new Error('not in time');
}

async function openCaller(): Promise<Caller> {
  const peer = new PeerConnection('caller', { iceServers: [] });
  const audio = new Audio('0', 'SendRecv');
  audio.addOpusCodec(111);
  audio.addAudioCodec(126, 'telephone-event/8000');
  audio.addSSRC(4242, 'caller', 'stream', 'track');
  const track: Track = peer.addTrack(audio);
  track.onClosed(() => undefined);
  const heard = new Set<number>();
  const digits: string[] = [];
  const ear = await Ear.open((hz) => {
    for (const tone of hz) heard.add(tone);
  });
  let event = -1;
  let closed = false;
  const caller = {
    packets: 0,
    heard,
    digits,
  };
  track.onMessage((packet) => {
    if (closed) return;
    caller.packets += 1;
    const type = packet[1] === undefined ? -1 : packet[1] & 0x7f;
    if (type === 111) ear.hear(packet.subarray(12));
    const at = packet.readUInt32BE(4);
    if (type !== 126 || at === event) return;
    event = at;
    digits.push('0123456789*#'[packet[12] ?? 99] ?? '?');
  });
  const connected = new Promise<void>((resolve) => {
    track.onOpen(resolve);
  });
  const described = new Promise<string>((resolve) => {
    peer.onLocalDescription((sdp) => resolve(sdp));
  });
  peer.setLocalDescription('offer');
  const sdp = await described;
  let sequence = 0;
  let timestamp = 0;
  let stop: (() => Promise<void>) | undefined;
  const send = (type: number, payload: Uint8Array): void => {
    sequence = (sequence + 1) & 0xffff;
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = type;
    header.writeUInt16BE(sequence, 2);
    header.writeUInt32BE(timestamp, 4);
    header.writeUInt32BE(4242, 8);
    if (track.isOpen()) track.sendMessageBinary(Buffer.concat([header, payload]));
  };
  return Object.assign(caller, {
    // Like the product's offer: no candidates, because Meta learns them from the checks.
    offer: sdp.replaceAll(/a=(candidate|end-of-candidates)[^\r]*\r\n/g, ''),
    connected,
    apply: (answer: string) => peer.setRemoteDescription(answer, 'answer'),
    say(frames: readonly Uint8Array[]) {
      let index = 0;
      stop = repeat(systemClock, 20, async () => {
        timestamp += 960;
        index += 1;
        const frame = frames[index % frames.length];
        if (frame !== undefined) send(111, frame);
      });
    },
    press(code: number) {
      for (let step = 1; step <= 3; step += 1) send(126, Uint8Array.of(code, 10, 0, step * 160));
    },
    close() {
      closed = true;
      void stop?.();
      track.close();
      peer.close();
      ear.close();
    },
  });
}
