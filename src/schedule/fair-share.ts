/**
 * Who dials next, when more is due than may be dialled now: accounts take turns, call by call, and
 * within an account the higher priority goes first, lanes of equal priority in turns. So a burst of
 * one account makes another's single call wait for one turn, not for the burst. Pure.
 */
export type Waiting = {
  accountId: string;
  lane: string;
  /** 0 goes first; see `rankOf`. */
  rank: number;
};

/**
 * When each account and lane had its turn last, over many claims: who was served longest ago is
 * next, also where a claim has room for one call only.
 */
export type Turns = { tick: number; served: Map<string, number> };

/** Beyond this the oldest turns are forgotten; whoever is forgotten goes first, once. */
const REMEMBERED = 20_000;

export function newTurns(): Turns {
  return { tick: 0, served: new Map() };
}

/**
 * Picks up to `limit` of the waiting calls, which stand in the order in which each lane would have
 * them dialled. `hasRoom` is asked once for each call that is next, and takes the room.
 */
export function takeFairly<Call extends Waiting>(
  waiting: readonly Call[],
  limit: number,
  turns: Turns,
  hasRoom: (call: Call) => boolean = () => true,
): Call[] {
  const accounts = [...Map.groupBy(waiting, ({ accountId }) => accountId)].map(([id, calls]) => ({
    id,
    lanes: lanesOf(calls),
  }));
  accounts.sort((a, b) => servedAt(turns, a.id) - servedAt(turns, b.id));
  const taken: Call[] = [];
  let open = accounts;
  while (taken.length < limit && open.length > 0) {
    for (const account of open) {
      if (taken.length >= limit) break;
      const call = nextOf(account.lanes, turns, hasRoom);
      if (call === null) continue;
      taken.push(call);
      serve(turns, account.id);
      serve(turns, call.lane);
    }
    open = open.filter(({ lanes }) => lanes.length > 0);
  }
  return taken;
}

type Lane<Call> = { id: string; rank: number; calls: Call[]; next: number };

/** A lane's calls of one rank; the same lane may stand here with several. */
function lanesOf<Call extends Waiting>(calls: readonly Call[]): Array<Lane<Call>> {
  const groups = Map.groupBy(calls, ({ lane, rank }) => `${rank} ${lane}`);
  return [...groups.values()].flatMap((group) => {
    const first = group[0];
    return first === undefined ? [] : [{ id: first.lane, rank: first.rank, calls: group, next: 0 }];
  });
}

/** The next call of an account that has room; takes lanes out that have none left. */
function nextOf<Call extends Waiting>(
  lanes: Array<Lane<Call>>,
  turns: Turns,
  hasRoom: (call: Call) => boolean,
): Call | null {
  while (lanes.length > 0) {
    let best = 0;
    lanes.forEach((lane, index) => {
      if (goesBefore(lane, lanes[best] ?? lane, turns)) best = index;
    });
    const lane = lanes[best];
    const call = lane?.calls[lane.next];
    if (lane === undefined || call === undefined) {
      lanes.splice(best, 1);
      continue;
    }
    lane.next += 1;
    if (lane.next >= lane.calls.length) lanes.splice(best, 1);
    if (hasRoom(call)) return call;
  }
  return null;
}

function goesBefore<Call>(a: Lane<Call>, b: Lane<Call>, turns: Turns): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  return servedAt(turns, a.id) < servedAt(turns, b.id);
}

function servedAt({ served }: Turns, id: string): number {
  return served.get(id) ?? -1;
}

function serve(turns: Turns, id: string): void {
  turns.tick += 1;
  // Deleted first, so that the map is in the order of turns and its first entry is the oldest.
  turns.served.delete(id);
  turns.served.set(id, turns.tick);
  if (turns.served.size <= REMEMBERED) return;
  const [oldest] = turns.served.keys();
  if (oldest !== undefined) turns.served.delete(oldest);
}
