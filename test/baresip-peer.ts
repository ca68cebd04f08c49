import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay, systemClock } from '../src/platform/clock.ts';
import { freePort } from './sipp-peer.ts';

/** baresip as the PBX: it answers by itself, as `pbx`, and hums 440 Hz unless told otherwise. */
export type BaresipPeer = {
  uri: string;
  /** What it has heard in its last call, as WAV; complete once the call is over. */
  heard: () => Promise<Buffer | null>;
  control: (command: string) => Promise<void>;
  output: () => string;
  close: () => Promise<void>;
};

const HOST = '127.0.0.1';
const MODULES_USED = ['g711.so', 'opus.so', 'aubridge.so', 'aufile.so', 'sndfile.so', 'srtp.so'];
/** As its account names them: Opus is one with two channels, always. */
const CODECS = { pcmu: 'pcmu', pcma: 'pcma', opus: 'opus/48000/2' };
/** Where Debian and most others keep its modules. */
const MODULES = process.env['BARESIP_MODULES'] ?? '/usr/lib/baresip/modules';

export type BaresipOptions = {
  /** Parameters of the account, such as `;mediaenc=srtp-mand`. */
  account?: string;
  codec?: 'pcmu' | 'pcma' | 'opus';
  hz?: number;
};

export async function openBaresip(options: BaresipOptions = {}): Promise<BaresipPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'askfirst-baresip-'));
  const sipPort = await freePort();
  const controlPort = await freePort();
  await writeConfig(folder, sipPort, controlPort, options);
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
    throw new Error(output.slice(-1_000), { cause: error });
  }
  return {
    uri: `sip:pbx@${HOST}:${sipPort}`,
    heard: async () => {
      const name = (await readdir(folder)).toSorted().findLast((one) => one.endsWith('-dec.wav'));
      return name === undefined ? null : readFile(join(folder, name));
    },
    control: (command) => sendControl(controlPort, command),
    output: () => output,
    close,
  };
}

/** Waits up to a minute; nothing here tests speed. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3_000; tries += 1) {
    if (isSo()) return;
    await delay(systemClock, 20);
  }
  throw new Error(`${what} did not come within a minute`);
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
  { account = '', codec = 'pcmu', hz = 440 }: BaresipOptions,
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
    ...MODULES_USED.map((name) => `module ${name}`),
    `snd_path ${folder}`,
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen ${HOST}:${controlPort}`,
  ];
  await writeFile(join(folder, 'config'), `${lines.join('\n')}\n`);
  const how = `regint=0;answermode=auto;audio_codecs=${CODECS[codec]}${account}`;
  await writeFile(join(folder, 'accounts'), `<sip:pbx@${HOST}>;${how}\n`);
  await writeFile(join(folder, 'contacts'), '');
  await writeFile(
    join(folder, 'tone.wav'),
    codec === 'opus' ? sineWav(hz, 30, 48_000, 2) : sineWav(hz, 30, 8_000, 1),
  );
}

/** A WAV file: baresip has no other source that needs no sound card, and none that converts. */
function sineWav(hz: number, seconds: number, rate: number, channels: number): Buffer {
  const count = rate * seconds;
  const wav = Buffer.alloc(44 + 2 * channels * count);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  // Length of the format, PCM, channels, rate, bytes per second, bytes per sample, bits.
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(2 * channels * rate, 28);
  wav.writeUInt16LE(2 * channels, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(wav.length - 44, 40);
  for (let i = 0; i < channels * count; i += 1) {
    const at = Math.floor(i / channels) / rate;
    wav.writeInt16LE(Math.round(8000 * Math.sin(2 * Math.PI * hz * at)), 44 + 2 * i);
  }
  return wav;
}
