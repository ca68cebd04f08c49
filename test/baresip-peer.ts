import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay, systemClock } from '../src/platform/clock.ts';

/** baresip as the PBX: it answers by itself, as `pbx`, and hums 440 Hz. */
export type BaresipPeer = {
  uri: string;
  control: (command: string) => Promise<void>;
  output: () => string;
  close: () => Promise<void>;
};

const HOST = '127.0.0.1';
/** Where Debian and most others keep its modules. */
const MODULES = process.env['BARESIP_MODULES'] ?? '/usr/lib/baresip/modules';

/** `account` adds parameters to the account, such as `;mediaenc=srtp-mand`. */
export async function openBaresip(options: { account?: string } = {}): Promise<BaresipPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'askfirst-baresip-'));
  const sipPort = await freePort();
  const controlPort = await freePort();
  await writeConfig(folder, sipPort, controlPort, options.account ?? '');
  const child = spawn('baresip', ['-f', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    const killer = systemClock.after(3000, () => child.kill('SIGKILL'));
    await exited;
    killer.cancel();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until('baresip to be ready', () => output.includes('baresip is ready'));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    uri: `sip:pbx@${HOST}:${sipPort}`,
    control: (command) => sendControl(controlPort, command),
    output: () => output,
    close,
  };
}

/** Waits up to 10 s; nothing here tests speed. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (isSo()) return;
    await delay(systemClock, 20);
  }
  throw new Error(`${what} did not come within 10 s`);
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

async function writeConfig(
  folder: string,
  sipPort: number,
  controlPort: number,
  account: string,
): Promise<void> {
  const lines = [
    'poll_method epoll',
    `sip_listen ${HOST}:${sipPort}`,
    // Else it writes the address of the network card into its SDP and sends from another one.
    `net_interface ${HOST}`,
    'audio_player aubridge,nil',
    `audio_source aufile,${join(folder, 'tone.wav')}`,
    'audio_alert aubridge,nil',
    `module_path ${MODULES}`,
    ...['g711.so', 'aubridge.so', 'aufile.so', 'srtp.so'].map((name) => `module ${name}`),
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen ${HOST}:${controlPort}`,
  ];
  await writeFile(join(folder, 'config'), `${lines.join('\n')}\n`);
  const own = `<sip:pbx@${HOST}>;regint=0;answermode=auto;audio_codecs=pcmu${account}\n`;
  await writeFile(join(folder, 'accounts'), own);
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
