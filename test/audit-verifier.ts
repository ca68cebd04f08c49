import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './repository.ts';

/** The verifier, which is plain JavaScript and a program of its own, as tests call it. */
export type Verdict = {
  ok: boolean;
  contacts: number;
  entries: number;
  found: number;
  checkpoint?: { size: number; covered: number; isKeyGiven: boolean } | null;
  outside?: number;
  problems: Array<{
    place: string;
    contactId: string;
    sequence: number | null;
    code: string;
    message: string;
  }>;
};

type Chain = { canonical: (value: unknown) => string };
export type Heads = Map<string, { sequence: number; hash: string }>;
export type Key = { name: string; id: string; text: string };
type Placed = { place: string; note: unknown };
export type Against = { earlier?: Heads; heads?: Heads; key?: Key; outside?: Placed[] };
type Note = {
  notesOf: (file: string) => Placed[];
  readKey: (text: string) => Key | null;
};
type Verifier = {
  verifyStream: (chunks: Iterable<Uint8Array>, against?: Against) => Promise<Verdict>;
};

export const verifierPath = join(root, 'bin/audit-verify.mjs');

const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, file)).href);

const { verifyStream } = (await load('bin/audit-verify.mjs')) as Verifier;
export const { notesOf, readKey } = (await load('bin/audit-note.mjs')) as Note;
export const { canonical } = (await load('bin/audit-chain.mjs')) as Chain;

/** What the verifier says of a file; one that it cannot even read has one problem, its place. */
export async function verify(file: string | Uint8Array, against?: Against): Promise<Verdict> {
  try {
    return await verifyStream([Buffer.from(file)], against);
  } catch (error) {
    const { message } = error as Error;
    const [place = ''] = message.split(':');
    const problem = { place, contactId: '', sequence: null, code: 'unreadable', message };
    return { ok: false, contacts: 0, entries: 0, found: 1, problems: [problem] };
  }
}
