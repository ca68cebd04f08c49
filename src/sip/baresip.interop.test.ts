import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsProgram } from '../../test/peers.ts';
import { delay, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { SipCall, SipCallEvent, SipUserAgent } from './sip.ts';
import { openSipUserAgent } from './user-agent.ts';

const skip = needsProgram('baresip', 'baresip-core');
const HOST = '127.0.0.1';
/** Where Debian and most others keep its modules. */
const MODULES = process.env['BARESIP_MODULES'] ?? '/usr/lib/baresip/modules';

for (const transport of ['udp', 'tcp'] as const) {
  test(`baresip answers and we hang up, over ${transport}`, { skip, timeout: 30_000 }, () =>
    withBaresip(async (phone) => {
      const { call, events, media } = await phone.call(transport);
      const answered = events.find(({ kind }) => kind === 'answered');
      assert.match(answered?.kind === 'answered' ? answered.sdp : '', /m=audio \d+ RTP\/AVP 0/);
      await until('sound from baresip', () => media.packets >= 10);
      call.hangUp('Q.850;cause=16;text="done"');
      await until('the end', () => phone.output().includes('session closed'));
      assert.deepEqual(events.at(-1), { kind: 'ended', by: 'us' });
    }),
  );

  test(`baresip holds, resumes and hangs up, over ${transport}`, { skip, timeout: 30_000 }, () =>
    withBaresip(async (phone) => {
      const { events, media } = await phone.call(transport, (event) => {
        if (event.kind === 'offered') event.reply({ sdp: offer(media.port, 2) });
      });
      const offers = (): (string | undefined)[] =>
        events.flatMap((event) =>
          event.kind === 'offered' ? [/a=(sendonly|inactive|sendrecv)/.exec(event.sdp)?.[1]] : [],
        );
      await phone.control('hold');
      await until('the hold offer', () => offers().length === 1);
      await phone.control('resume');
      await until('the resume offer', () => offers().length === 2);
      assert.match(offers()[0] ?? '', /sendonly|inactive/);
      assert.match(offers()[1] ?? 'sendrecv', /sendrecv/);
      await phone.control('hangup');
      await until('the BYE', () => events.at(-1)?.kind === 'ended');
      assert.equal(events.filter(({ kind }) => kind === 'ended').length, 1);
      assert.match(JSON.stringify(events.at(-1)), /"by":"endpoint"/);
    }),
  );
}

type Media = { port: number; packets: number };
type Phone = {
  call(
    transport: 'udp' | 'tcp',
    onEvent?: (event: SipCallEvent) => void,
  ): Promise<{ call: SipCall; events: SipCallEvent[]; media: Media }>;
  control(command: string): Promise<void>;
  output(): string;
};

function offer(port: number, version: number): string {
  return [
    'v=0',
    `o=- 1 ${version} IN IP4 ${HOST}`,
    's=-',
    `c=IN IP4 ${HOST}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    '',
  ].join('\r\n');
}

async function withBaresip(story: (phone: Phone) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'askfirst-baresip-'));
  const sipPort = await freePort();
  const controlPort = await freePort();
  await writeConfig(folder, sipPort, controlPort);
  const child = spawn('baresip', ['-f', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const parts = { clock: systemClock, random: systemRandom, log: silentLog };
  const agent = await openSipUserAgent({ ...parts, bindAddress: HOST, tcp: true });
  const rtp = createSocket('udp4').bind(0, HOST);
  try {
    await once(rtp, 'listening');
    await until('baresip to be ready', () => output.includes('baresip is ready'));
    await story({
      call: (transport, onEvent) => {
        const uri = `sip:pbx@${HOST}:${sipPort};transport=${transport}`;
        return placeCall(agent, uri, rtp, onEvent);
      },
      control: (command) => sendControl(controlPort, command),
      output: () => output,
    });
  } finally {
    await agent.close();
    rtp.close();
    child.kill('SIGTERM');
    const killer = systemClock.after(3000, () => child.kill('SIGKILL'));
    await exited;
    killer.cancel();
    await rm(folder, { recursive: true, force: true });
  }
}

async function placeCall(
  agent: SipUserAgent,
  uri: string,
  rtp: Socket,
  onEvent: (event: SipCallEvent) => void = () => undefined,
): ReturnType<Phone['call']> {
  const media: Media = { port: rtp.address().port, packets: 0 };
  rtp.on('message', () => (media.packets += 1));
  const events: SipCallEvent[] = [];
  const call = agent.invite(
    {
      target: { uri },
      from: { user: '4930123', displayName: 'Askfirst' },
      headers: { 'X-WA-Call-Id': 'call_1' },
      offer: offer(media.port, 1),
      ringTimeoutMs: 10_000,
    },
    (event) => {
      events.push(event);
      onEvent(event);
    },
  );
  await until('the answer', () => events.some(({ kind }) => kind === 'answered'));
  return { call, events, media };
}

/** baresip's control port takes JSON in netstrings. */
async function sendControl(port: number, command: string): Promise<void> {
  const json = JSON.stringify({ command, token: command });
  const socket = connect(port, HOST);
  await once(socket, 'connect');
  socket.write(`${json.length}:${json},`);
  await once(socket, 'data');
  socket.destroy();
}

async function writeConfig(folder: string, sipPort: number, controlPort: number): Promise<void> {
  const lines = [
    'poll_method epoll',
    `sip_listen ${HOST}:${sipPort}`,
    'audio_player aubridge,nil',
    `audio_source aufile,${join(folder, 'tone.wav')}`,
    'audio_alert aubridge,nil',
    `module_path ${MODULES}`,
    ...['g711.so', 'aubridge.so', 'aufile.so'].map((name) => `module ${name}`),
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen ${HOST}:${controlPort}`,
  ];
  await writeFile(join(folder, 'config'), `${lines.join('\n')}\n`);
  const account = `<sip:pbx@${HOST}>;regint=0;answermode=auto;audio_codecs=pcmu\n`;
  await writeFile(join(folder, 'accounts'), account);
  await writeFile(join(folder, 'contacts'), '');
  await writeFile(join(folder, 'tone.wav'), sineWav(440, 30));
}

/** A WAV file, 8 kHz mono: baresip has no other source that needs no sound card. */
function sineWav(hz: number, seconds: number): Buffer {
  const count = 8000 * seconds;
  const wav = Buffer.alloc(44 + 2 * count);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(36 + 2 * count, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  // Length of the format, PCM, one channel, rate, bytes per second, bytes per sample, bits.
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(16_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(2 * count, 40);
  for (let i = 0; i < count; i += 1) {
    wav.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hz * i) / 8000)), 44 + 2 * i);
  }
  return wav;
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (isSo()) return;
    await delay(systemClock, 20);
  }
  throw new Error(`${what} did not come within 10 s`);
}
