import type { Queryable } from '../database/database.ts';
import type { EndpointDesk, EndpointLoad } from '../endpoints/endpoint-desk.ts';
import { readEndpoints, type StoredEndpoint } from '../endpoints/endpoint-store.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { EndpointId, LineId } from '../platform/ids.ts';
import { limitingLayers } from '../policy/layers.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { linesById, type GateFacts } from './call-gate.ts';
import { liveCallsOfLines } from './call-store.ts';
import type { DueCall } from './due-store.ts';

/** Where calls come from and go to. No contact's lock protects it, so it is read once for all. */
export type Places = Pick<GateFacts, 'lines'> & {
  endpoints: ReadonlyMap<EndpointId, StoredEndpoint>;
  /**
   * Of lines that have a cap. Counted once per claim and raised with each dial, so that no batch
   * passes the cap.
   */
  liveCalls: Map<LineId, number>;
  /** The same of endpoints and API keys; null without a desk. */
  load: EndpointLoad | null;
};

export type PlacePorts = {
  database: Queryable;
  packs: PolicyPacks;
  endpointDesk?: Pick<EndpointDesk, 'loadOf'>;
};

/** All that the due calls of one claim need of their lines and endpoints. */
export async function placesOf(ports: PlacePorts, due: readonly DueCall[]): Promise<Places> {
  const { database } = ports;
  const [lines, endpoints] = await Promise.all([
    linesById(database, [...new Set(due.map(({ lineId }) => lineId))]),
    readEndpoints(database, [...new Set(due.map(({ endpointId }) => endpointId))]),
  ]);
  const [liveCalls, load = null] = await Promise.all([
    liveCallsOfLines(database, capsOf(ports, lines.values())),
    ports.endpointDesk?.loadOf(database, endpoints),
  ]);
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  return { lines, endpoints: byId, liveCalls, load };
}

/** Caps are set by packs, accounts and lines alone, so they are the same for every customer. */
function capsOf({ packs }: PlacePorts, lines: Iterable<StoredLine>): Map<LineId, number> {
  const caps = new Map<LineId, number>();
  for (const line of lines) {
    const layers = limitingLayers(packs.layersOf(line, { e164: null, country: null }));
    const all = layers.flatMap(({ limits }) => limits.lineCalls?.concurrentMax ?? []);
    if (all.length > 0) caps.set(line.id, Math.min(...all));
  }
  return caps;
}
