import type { Queryable } from '../database/database.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import { latestCheckpoint, readTiles, runsOfContacts, type Run } from './checkpoint-store.ts';
import type { Checkpoint, CheckpointSigner } from './checkpoints.ts';
import { allTiles, makeProver, tileBytes, tilesOfConsistency, tilesOfInclusion } from './tree.ts';

/** What others ask of checkpoints: proofs, and the tree as a file carries it. */
export type CheckpointPorts = { database: Queryable; checkpointSigner: CheckpointSigner };

/** A checkpoint as files and answers carry it. */
export type CheckpointSection = { verifierKey: string; note: string | null };

export function checkpointSection(
  { checkpointSigner }: Pick<CheckpointPorts, 'checkpointSigner'>,
  accountId: AccountId,
  checkpoint: Checkpoint | null,
): CheckpointSection {
  return {
    verifierKey: checkpointSigner.verifierKey(accountId),
    note: checkpoint?.note ?? null,
  };
}

/** The leaf of an entry among the runs of its contact; null when no checkpoint covers it. */
export function leafOf(runs: readonly Run[], sequence: number): number | null {
  const run = runs.findLast(({ firstSequence }) => firstSequence <= sequence);
  if (run === undefined || sequence >= run.firstSequence + run.entries) return null;
  return run.firstLeaf + sequence - run.firstSequence;
}

/** Audit paths of leaves in a tree of that size, by leaf. */
export async function inclusionProofs(
  db: Queryable,
  accountId: AccountId,
  size: number,
  leaves: readonly number[],
): Promise<Map<number, Buffer[]>> {
  const ids = leaves.flatMap((leaf) => tilesOfInclusion(leaf, size));
  const prover = makeProver(await readTiles(db, accountId, ids));
  return new Map(leaves.map((leaf) => [leaf, prover.inclusion(leaf, size)]));
}

/** The proof that the tree of the second size grew out of that of the first. */
export async function consistencyProof(
  db: Queryable,
  accountId: AccountId,
  first: number,
  second: number,
): Promise<Buffer[]> {
  const tiles = await readTiles(db, accountId, tilesOfConsistency(first, second));
  return makeProver(tiles).consistency(first, second);
}

/** Where one entry stands in the newest tree; null when it does not exist or is not covered yet. */
export async function provenPlace(
  db: Queryable,
  accountId: AccountId,
  contactId: ContactId,
  sequence: number,
): Promise<{ checkpoint: Checkpoint; leaf: number; proof: Buffer[] } | null> {
  const checkpoint = await latestCheckpoint(db, accountId);
  if (checkpoint === null) return null;
  const leaf = leafOf(await runsOfContacts(db, [contactId], checkpoint.size), sequence);
  if (leaf === null) return null;
  const proofs = await inclusionProofs(db, accountId, checkpoint.size, [leaf]);
  return { checkpoint, leaf, proof: proofs.get(leaf) ?? [] };
}

/** One line of an export: neighbouring hashes of one level, 0 being the leaves, in base64. */
export type TileLine = { tile: [level: number, tile: number]; hashes: string };

const TILES_PAGE = 64;

/** All tiles of a tree, from the top down, so that each can be checked against those before it. */
export async function* tileLines(
  db: Queryable,
  accountId: AccountId,
  size: number,
): AsyncGenerator<TileLine> {
  const levels = Map.groupBy(allTiles(size), ({ level }) => level);
  for (const ids of [...levels.values()].reverse()) {
    for (let at = 0; at < ids.length; at += TILES_PAGE) {
      const page = ids.slice(at, at + TILES_PAGE);
      const tiles = await readTiles(db, accountId, page);
      for (const id of page) {
        const bytes = tiles.get(`${id.level}/${id.tile}`) ?? new Uint8Array();
        // A tree that has grown since has more in its last tiles than this one had.
        const hashes = Buffer.from(bytes.subarray(0, tileBytes(id, size))).toString('base64');
        yield { tile: [id.level, id.tile], hashes };
      }
    }
  }
}
