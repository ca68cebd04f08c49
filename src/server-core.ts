import { join, resolve } from 'node:path';
import { makeAgentHints, type AgentHints } from './agents/agent-hints.ts';
import { openCallDesk, type CallDesk } from './calls/call-desk.ts';
import { openCheckpointFiles } from './checkpoints/checkpoint-files.ts';
import {
  makeCheckpointSigner,
  type CheckpointFiles,
  type CheckpointSigner,
} from './checkpoints/checkpoints.ts';
import { readPriceFile } from './costs/price-file.ts';
import type { PriceTable } from './costs/price-table.ts';
import type { DoNotCallKey } from './contacts/do-not-call-store.ts';
import type { ConsentRules } from './consent/consent.ts';
import { openEndpointDesk, type EndpointDesk } from './endpoints/endpoint-desk.ts';
import { openOptOutDesk, type OptOutDesk } from './consent/opt-out-desk.ts';
import { makeOptOutLatency, type OptOutLatency } from './consent/opt-out-metrics.ts';
import { makeChanges } from './ledger/changes.ts';
import type { ContactUnit, LedgerPorts } from './ledger/contact-unit.ts';
import { readLine, type StoredLine } from './lines/line-store.ts';
import type { ServerPorts } from './main.ts';
import { openMetaAnswerDesk, type MetaAnswerDesk } from './meta-answers/meta-answer-desk.ts';
import type { LineId } from './platform/ids.ts';
import { invariant } from './platform/invariant.ts';
import { openSoundShelf, type SoundShelf } from './prompts/sound-shelf.ts';
import { openSpeaker } from './prompts/speaker.ts';
import { makeSealer, type Sealer } from './platform/sealing.ts';
import { makePolicyPacks, type PolicyPacks } from './policy/policy-packs.ts';
import { openAnnouncements, type Announcements } from './recording/announcements.ts';
import { openRecordingDesk, type RecordingDesk } from './recording/recording-desk.ts';
import type { Settings } from './settings.ts';

/** What all roles of one process share: the ledger, the rules, the keys and the call desk. */
export type ServerCore = Omit<ServerPorts, 'secrets'> &
  LedgerPorts & {
    packs: PolicyPacks;
    sealer: Sealer;
    doNotCallKey: DoNotCallKey;
    desk: CallDesk;
    optOutLatency: OptOutLatency;
    shelf: SoundShelf;
    stops: OptOutDesk;
    metaAnswers: MetaAnswerDesk;
    endpointDesk: EndpointDesk;
    agentHints: AgentHints;
    checkpointSigner: CheckpointSigner;
    checkpointFiles: CheckpointFiles;
    rulesOfLine: (unit: ContactUnit, lineId: LineId) => Promise<ConsentRules>;
    /** `node/run`: unique to this run of this node; the owner of its leases. */
    owner: string;
    recordings: { folder: string; node: string; keepFreeBytes: number };
    recordingDesk: RecordingDesk;
    announcements: Announcements;
    /** What calls cost by the operator's file; null where there is none. */
    prices: PriceTable | null;
  };

export function makeServerCore(ports: ServerPorts): ServerCore {
  const { settings, database, clock, ids, random, secrets } = ports;
  const packs = makePolicyPacks();
  const ledger = { database, clock, ids, changes: makeChanges() };
  const rulesOfLine = async (
    unit: ContactUnit,
    lineId: LineId,
    known?: StoredLine,
  ): Promise<ConsentRules> => {
    const line = known ?? (await readLine(unit.tx, unit.contact.accountId, lineId));
    invariant(line !== null, `line ${lineId} does not exist`);
    return packs.rulesOf(line.policyPack);
  };
  const sealer = makeSealer(secrets.dataKey, random);
  const { doNotCallKey } = secrets;
  const optOutLatency = makeOptOutLatency(ports);
  const recordings = {
    folder: resolve(settings.ASKFIRST_RECORDING_DIR ?? join(settings.dataDir, 'recordings')),
    node: settings.ASKFIRST_NODE,
    keepFreeBytes: settings.ASKFIRST_RECORDING_KEEP_FREE_MB * 2 ** 20,
  };
  return {
    ...ports,
    ...ledger,
    packs,
    sealer,
    metaAnswers: openMetaAnswerDesk({ ...ports, sealer }),
    agentHints: makeAgentHints(),
    endpointDesk: openEndpointDesk({
      ...ledger,
      allowedHosts: settings.ASKFIRST_SIP_ALLOWED_HOSTS,
    }),
    doNotCallKey,
    desk: openCallDesk({ ...ledger, rulesOfLine }),
    checkpointSigner: makeCheckpointSigner(secrets.ledgerKey),
    checkpointFiles: ports.checkpointFiles ?? openCheckpointFiles(checkpointFolder(settings)),
    rulesOfLine,
    optOutLatency,
    shelf: openSoundShelf({
      database,
      speaker: ports.speaker ?? openSpeaker(settings.ASKFIRST_SAY_COMMAND),
      folder: join(settings.dataDir, 'sounds'),
    }),
    stops: openOptOutDesk({ ...ledger, doNotCallKey, rulesOfLine, optOutLatency }),
    owner: `${settings.ASKFIRST_NODE}/${ids.next('node')}`,
    prices: readPriceFile(settings.ASKFIRST_PRICE_FILE),
    recordings,
    recordingDesk: openRecordingDesk({ ...ledger, recordings }),
    announcements: openAnnouncements(join(settings.dataDir, 'sounds')),
  };
}

function checkpointFolder({ ASKFIRST_CHECKPOINT_DIR: folder, dataDir }: Settings): string {
  return folder === undefined ? join(dataDir, 'checkpoints') : resolve(folder);
}
