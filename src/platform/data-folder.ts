import { chmod, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { errorText, Failure } from './failure.ts';
import { systemRandom, type Random } from './random.ts';

/**
 * The folder that holds everything one installation keeps on this machine: the embedded database
 * and the keys. Only one process at a time may hold it; the hold ends with the process, however
 * it ends.
 */
export type DataFolder = {
  readonly path: string;
  /** Where the embedded PostgreSQL keeps its files. */
  readonly postgresDir: string;
  readonly secrets: Secrets;
  release(): Promise<void>;
};

/** 32 bytes each. Losing them means losing the sealed data, so they are made only once. */
export type Secrets = {
  /** Seals the personal fields of contacts. */
  readonly dataKey: Buffer;
  /** HMAC key of the do-not-call list, which outlives erasure. */
  readonly doNotCallKey: Buffer;
  /** Signs ledger checkpoints. */
  readonly ledgerKey: Buffer;
};

const SECRET_NAMES = ['dataKey', 'doNotCallKey', 'ledgerKey'] as const;
const KEY_BYTES = 32;
const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Makes the folder on first use, takes the hold and reads (or makes) the keys. Throws `Failure`
 * `data_folder_in_use`, `data_folder_not_writable`, `disk_full` or `secrets_unreadable`.
 */
export async function openDataFolder(
  path: string,
  random: Random = systemRandom,
): Promise<DataFolder> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (error) {
    throw folderFailure(folder, error);
  }
  const hold = await takeHold(folder);
  try {
    return {
      path: folder,
      postgresDir: join(folder, 'postgres'),
      secrets: await readOrMakeSecrets(join(folder, 'secrets.json'), random),
      release: () => new Promise((done) => void hold.close(() => done())),
    };
  } catch (error) {
    hold.close();
    throw error;
  }
}

/**
 * The hold is a listening socket, because the kernel ends it even after `kill -9` and never
 * hands it to another process, as it does with process numbers in lock files. Whoever connects
 * is told our process number.
 */
async function takeHold(folder: string): Promise<Server> {
  const address = await holdAddress(folder);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  if (await listen(server, address)) return server;
  const holder = await askHolder(address);
  // On Linux the name dies with its process. Elsewhere a dead holder leaves a file behind.
  if (holder === undefined && !address.startsWith('\0')) {
    await unlink(address).catch(() => {});
    if (await listen(server, address)) return server;
  }
  const who = holder === undefined || holder === '' ? 'another process' : `process ${holder}`;
  throw new Failure({
    code: 'data_folder_in_use',
    message: `The data folder ${folder} is in use by ${who}.`,
    fix:
      `Stop it${/^\d+$/.test(holder ?? '') ? ` ("kill ${holder}")` : ''}, ` +
      'or start this one on another folder with ASKFIRST_DATA_DIR.',
    verdict: 'terminal',
    side: 'client',
  });
}

/** Named after the folder itself, not its path: a link or a mount cannot fool it. */
async function holdAddress(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder);
  const name = `askfirst-hold-${dev}-${ino}`;
  // Linux has socket names outside the file system (unix(7), "abstract").
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

function listen(server: Server, address: string): Promise<boolean> {
  return new Promise((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(false) : failed(error),
    );
    server.listen(address, () => {
      server.unref();
      done(true);
    });
  });
}

/** The process number of the holder, '' when it does not say, undefined when nobody listens. */
function askHolder(address: string): Promise<string | undefined> {
  return new Promise((done) => {
    let said = '';
    const socket = connect(address);
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    socket.on('error', () => done(undefined));
    socket.on('close', () => done(said));
  });
}

async function readOrMakeSecrets(path: string, random: Random): Promise<Secrets> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw folderFailure(path, error);
    return makeSecrets(path, random);
  }
  return parseSecrets(path, text);
}

/** The name appears only when all bytes are on disk: half a key file would be no key at all. */
async function makeSecrets(path: string, random: Random): Promise<Secrets> {
  const entries = SECRET_NAMES.map((name) => [name, Buffer.from(random.bytes(KEY_BYTES))] as const);
  const texts = entries.map(([name, key]) => [name, key.toString('base64')]);
  try {
    const file = await open(`${path}.new`, 'w', 0o600);
    await file.writeFile(`${JSON.stringify(Object.fromEntries(texts), null, 2)}\n`);
    await file.sync();
    await file.close();
    await rename(`${path}.new`, path);
  } catch (error) {
    throw folderFailure(path, error);
  }
  return Object.fromEntries(entries) as Secrets;
}

function parseSecrets(path: string, text: string): Secrets {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    const entries = SECRET_NAMES.map((name) => {
      const key = Buffer.from(String(parsed[name]), 'base64');
      if (key.length !== KEY_BYTES) throw new Error(`${name} is not ${KEY_BYTES} bytes`);
      return [name, key];
    });
    return Object.fromEntries(entries) as Secrets;
  } catch (cause) {
    // New keys would make everything sealed under the old ones unreadable for ever.
    throw new Failure({
      code: 'secrets_unreadable',
      message: `${path} is damaged: ${errorText(cause)}.`,
      fix: 'Restore this file from a backup; without it the sealed data cannot be read.',
      verdict: 'terminal',
      side: 'server',
      cause,
    });
  }
}

function folderFailure(path: string, cause: unknown): Failure {
  const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return new Failure({
    code: full ? 'disk_full' : 'data_folder_not_writable',
    message: full
      ? `The disk that holds ${path} is full.`
      : `${path} cannot be used: ${errorText(cause)}.`,
    fix: full
      ? 'Free some space and start again.'
      : 'Start as the user who owns it, or choose another folder with ASKFIRST_DATA_DIR.',
    verdict: 'terminal',
    side: 'client',
    cause,
  });
}
